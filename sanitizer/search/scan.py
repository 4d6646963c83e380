"""The second search: look for every recorded or replaced value, in every form, in the finished text. Knows nothing of the rules.

Not searched, because finding it would mean nothing: a value too short (see `forms`) and what a stand-in looks like. A value that is a
word of the format or the policy (a profile called "exercise") is searched in what the format does not say itself (see `residue`), and
so is every value that was found: only what is found there too is a leak. Values that rules replaced and that are not personal by kind
(cookie values, states) count from eight characters on.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from sanitizer.audit.findings import Finding
from sanitizer.policy.policy import Policy, policy
from sanitizer.replacements.epoch import BIRTH, is_inside
from sanitizer.replacements.ordinals import KINDS
from sanitizer.search.forms import SHORTEST, SHORTEST_FORM, Form, forms, is_searchable
from sanitizer.search.nesting import Closed, layers
from sanitizer.search.patterns import Patterns
from tandem.events import EVENTS
from tfx.capture import Seen
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.errors import RefusedError
from tfx.exchange import Headers, Request, Response
from tfx.store import unsealed
from tfx.stored import plain

if TYPE_CHECKING:
    from sanitizer.search.residue import Piece

PERSONAL: Final = frozenset({"uuid", "serial", "device", "upload", "email", "given", "family", "full-name", "profile", "birth", "subject"})
_STAND_IN_NAME = re.compile(r"(?:Given[1-9]\d* Family[1-9]\d*|Profile[1-9]\d*|tfx(?:-password)?)\Z")
_FORMAT_WORDS: Final = (
    "tfx_cassette name era region clock policy version values keep synthetic rules counts exchanges rows digest sha256 request response "
    "method url headers body status reason replay repeat ignore json text base64 style unknown application charset true false null"
)


def scan(text: bytes, seen: Iterable[Seen], *, rules: Policy | None = None) -> tuple[Finding, ...]:
    """Seen values that are in a text, in any form and inside any base64 of it; the places are forms, for a text has no others."""
    found = _Search(seen, rules or policy()).hits(text)
    return tuple(Finding(exchange=0, place="text", kind=kind) for kind in found)


def search(
    cassette: Cassette,
    *,
    seen: Iterable[Seen],
    replaced: Iterable[Seen] = (),
    numbers: Sequence[int] = (),
) -> tuple[Finding, ...]:
    """Seen or replaced values that are in a finished cassette, with the exchange and place where they are.

    `numbers` are the exchanges' places in what was recorded, where they are others than those on the cassette.
    """
    values = [*seen, *(value for value in replaced if _counts(value))]
    one = _Search(values)
    if not one.hits(unsealed(cassette), is_json=True) and not any(one.hits(body) for body in _bodies(cassette)):
        return ()
    # Rare and slow: a cassette with a hit, if only of a profile called after a word of the format, is taken apart.
    from sanitizer.search.residue import pieces

    return tuple(dict.fromkeys(_placed(one, list(pieces(cassette)), numbers)))


def _placed(one: "_Search", found: "Sequence[Piece]", numbers: Sequence[int]) -> Iterator[Finding]:
    """The pieces in which something is, by halves."""
    kinds = one.hits(b'"'.join(piece.text for piece in found if not piece.is_raw))
    kinds += one.hits(_BETWEEN.join(piece.text for piece in found if piece.is_raw))
    if not kinds:
        return
    if len(found) > 1:
        half = len(found) // 2
        told = [*_placed(one, found[:half], numbers), *_placed(one, found[half:], numbers)]
        if told:
            yield from told
            return
    first = found[0]
    place, number = first.place, first.exchange
    if number and numbers and numbers[number - 1] != number:
        place, number = f"{place} (#{number} of the cassette)", numbers[number - 1]
    yield from (Finding(exchange=number, place=place if number else f"cassette {place}", kind=kind) for kind in kinds)


_BETWEEN: Final = b"\n\x00\xff\x00\n"


def _counts(value: Seen) -> bool:
    return value.kind in PERSONAL or len(value.value) >= SHORTEST_FORM


_LONGEST_WORD: Final = 16
"""Letters up to which a form may be a word of the format by chance."""


class _Search:
    """Every form of every value, looked for at once."""

    __slots__ = ("_forms", "_patterns")

    def __init__(self, seen: Iterable[Seen], rules: Policy | None = None) -> None:
        """With `rules`, words of theirs are not looked for."""
        known = _vocabulary(rules) if rules else ""
        every: dict[bytes, tuple[Form, str]] = {}
        kinds: dict[str, str] = {}
        for one in seen:
            kinds.setdefault(one.value, one.kind)
        for value, kind in kinds.items():
            if value.casefold() not in known and is_worth_finding(value):
                for form in forms(value):
                    if len(form[0]) >= SHORTEST:
                        every.setdefault(form[0], (form, kind))
        # A form may be a word of the format though the value is not: `José` without its accent.
        for pattern in _known(every, known) if known else ():
            del every[pattern]
        self._forms = tuple(every.values())
        self._patterns = Patterns(every)

    def hits(self, text: bytes, *, is_json: bool = False) -> tuple[str, ...]:
        """What was found in any layer of a text, each kind and form once: `password, percent-encoded`."""
        if not self._forms:
            return ()
        found: dict[str, None] = {}
        try:
            for layer in layers(text, is_json=is_json):
                found |= dict(self._in(layer.texts)) | dict(self._in(layer.raw, is_raw=True)) | dict(self._numbers(layer.numbers))
        except Closed:
            found["something packed that cannot be opened"] = None
        return tuple(found)

    def _in(self, text: bytes, *, is_raw: bool = False) -> Iterator[tuple[str, None]]:
        low = text.lower()
        for index, start, end in self._patterns.found(low):
            form, kind = self._forms[index]
            if form.raw and not is_raw:
                continue
            if not form.whole or (_is_whole_number if form.pattern.isdigit() else _is_whole_word)(low, start, end):
                yield f"{kind}, {form.name}", None

    def _numbers(self, numbers: bytes) -> Iterator[tuple[str, None]]:
        """Digits whose separators were taken out: the whole of them, or one end where they are eight or more."""
        for index, start, end in self._patterns.found(numbers):
            form, kind = self._forms[index]
            at_front, at_back = not numbers[start - 1 : start].isdigit(), not numbers[end : end + 1].isdigit()
            if form.pattern.isdigit() and ((at_front and at_back) or (end - start >= SHORTEST_FORM and (at_front or at_back))):
                yield f"{kind}, with separators", None


def is_worth_finding(value: str) -> bool:
    """Whether a value can be distinguished from a stand-in."""
    if not is_searchable(value) or is_inside(value) or value.startswith(BIRTH):
        return False
    return not _STAND_IN_NAME.match(value) and not any(kind.image(value) for kind in KINDS.values())


def is_said_by_format(value: str) -> bool:
    """Whether a value is part of a word that stands on cassettes whoever is recorded, so that finding it would mean nothing."""
    return value.casefold() in _vocabulary(policy())


def _known(patterns: Iterable[bytes], known: str) -> frozenset[bytes]:
    """Those of the patterns that are part of the vocabulary, short as a word is."""
    short = [pattern for pattern in patterns if SHORTEST <= len(pattern) <= _LONGEST_WORD]
    return frozenset(short[index] for index, _, _ in Patterns(short).found(known.encode("utf-8")))


@cache
def _words() -> str:
    names = (word for event in EVENTS.values() for word in (event.name, *(field.name for field in event.fields)))
    return " ".join((_FORMAT_WORDS, *names)).casefold()


def _vocabulary(rules: Policy) -> str:
    return f"{rules.vocabulary} {_words()}"


def _is_whole_word(text: bytes, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else b"", text[end : end + 1]
    return not (before.isalnum() or before > b"\x7f") and not (after.isalnum() or after > b"\x7f")


def _is_whole_number(text: bytes, start: int, end: int) -> bool:
    """Whether no digit makes a number longer; zeros in front do not. A point does: `_numbers` finds 0.378904, but not 1.378904."""
    if text[end : end + 1].isdigit():
        return False
    front = text[max(start - _MOST_ZEROS, 0) : start].rstrip(b"0")[-1:]
    return not front.isdigit() and front != b"."


_MOST_ZEROS: Final = 24


def _bodies(cassette: Cassette) -> Iterator[bytes]:
    for exchange in cassette.exchanges:
        carriers: list[Request | Response] = [exchange.request]
        if not plain(exchange):  # the file shows that one leaf by leaf
            carriers.append(exchange.response)
        for one in carriers:
            if one.headers.get("content-encoding") and one.body:
                yield _plain(one.headers, one.body)


def _plain(headers: Headers, body: bytes) -> bytes:
    try:
        return decoded(headers, body)
    except RefusedError:
        return body
