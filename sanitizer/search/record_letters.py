"""The beginnings of names as a pump record could hold them: four letters, in any coding and byte order. Pure; knows nothing of the rules.

Elsewhere so few letters stand by chance. A payload has sixteen bytes, most of them small numbers, and every record is looked into by
itself: see docs/decisions/policy-as-data.md for how often that hits anybody's recording.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from sanitizer.search.patterns import Patterns
from sanitizer.search.scan import is_worth_finding
from sanitizer.search.spellings import unaccented
from tfx.capture import Seen

LETTERS: Final = 4
NAMES: Final = frozenset({"name", "given", "family", "full-name", "profile", "event text", "e-mail", "email"})
"""Kinds of values that have words in them: what the recorder calls them, and the rules."""
_CODINGS: Final = (("utf-8", "surrogatepass"), ("latin-1", "ignore"), ("utf-16-le", "surrogatepass"), ("utf-16-be", "surrogatepass"))


class Letters:
    """The beginnings of the words of seen names, looked for at once."""

    __slots__ = ("_kinds", "_patterns")

    def __init__(self, seen: Iterable[Seen]) -> None:
        every: dict[bytes, str] = {}
        for one in seen:
            if one.kind in NAMES and is_worth_finding(one.value):
                for start in _starts(one.value.partition("@")[0]):
                    every |= dict.fromkeys(_written(start), one.kind)
        self._kinds = tuple(every.values())
        self._patterns = Patterns(every)

    def __repr__(self) -> str:
        return f"Letters({len(self._kinds)})"

    def found(self, payloads: bytes) -> Iterator[str]:
        """The kinds of the names that begin somewhere in these bytes."""
        yield from (self._kinds[index] for index, _, _ in self._patterns.found(payloads))


def _starts(value: str) -> Iterator[str]:
    folded = value.casefold()
    for text in dict.fromkeys((folded, unaccented(folded))):
        words = re.split(r"[\W\d_]+", text)
        yield from (word[:LETTERS] for word in words if len(word) >= LETTERS)


def _written(start: str) -> Iterator[bytes]:
    """In the cases people write names in, in every coding, forwards, backwards, and with both bytes of each 16-bit number turned round."""
    for text in {start, start.upper(), start.capitalize()}:
        raw = text.encode("utf-8", "surrogatepass")
        yield b"".join(raw[at : at + 2][::-1] for at in range(0, len(raw), 2))
        for way, (coding, errors) in product((text, text[::-1]), _CODINGS):
            # Without the zero at one end ASCII is the same in both orders of UTF-16.
            found = way.encode(coding, errors).strip(b"\0")
            if len(found) >= LETTERS:
                yield found
