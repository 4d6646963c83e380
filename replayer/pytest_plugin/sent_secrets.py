"""Keep credentials and identifiers that clients send out of reports, although they are on no cassette. Pure.

A failing test prints the arguments and locals of the client's own frames. tfx knows the values that it was sent and removes them, in every
spelling a report may have: plain, escaped, percent-encoded, in base64, cut short. It cannot know values that were in no request.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from replayer.pytest_plugin.sent_bodies import LOOSE, named
from tfx import codec
from tfx.errors import RefusedError
from tfx.exchange import Request

__tracebackhide__ = True  # pytest --showlocals would print what this is to hide

MASK: Final = "<sent by the client>"
SHORTEST: Final = 4
"""Characters a value has at least; shorter ones say nothing, and would be found everywhere."""
_PIECE: Final = 10
"""Characters of a long value that are taken out wherever they stand together: reports cut values short, and compare them in parts."""
_LONG: Final = 12
_ENOUGH: Final = 500
"""Requests kept as they came before their values are drawn out."""
_NAME: Final = re.compile(
    r"pass|pwd|user|mail|login|token|secret|code|verif|challenge|auth|session|cookie|api.?key|state|nonce|assertion|hint|^sid$",
    re.IGNORECASE,
)
"""Names of headers, form fields and members whose values are private."""
_IDENTIFIER: Final = re.compile(r"\d{6,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}|[^@\s]+@[^@\s]+\.\w+|(?=\S*\d)(?=\S*[A-Za-z])[\w.~+/=-]{12,}")
_BETWEEN: Final = re.compile(r"[&=;,?/:{}\s\"]+")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d.*", re.DOTALL)
_PLACEHOLDERS: Final = frozenset(
    {"code", "email", "false", "mail", "name", "pass", "password", "secret", "test", "token", "true", "user", "username"}
)
"""Words that stand for a value, and are none."""


class Sent:
    """The confidential values of every request so far. Its repr holds none."""

    __slots__ = ("_plain", "_waiting")

    def __init__(self, plain: Iterable[str] = ()) -> None:
        self._waiting: dict[tuple[str, tuple[str, ...], bytes], None] = {}
        self._plain = {value for value in plain if len(value) >= SHORTEST}

    def note(self, request: Request) -> None:
        """Remember what a request carries; it is looked into when a report is made."""
        told = tuple(f"{name}\n{value}" for name, value in request.headers if name.lower() != "user-agent" and _NAME.search(name))
        self._waiting[request.url, told, _plain(request)] = None
        if len(self._waiting) > _ENOUGH:
            self._draw()

    def values(self, public: Iterable[str] = ()) -> frozenset[str]:
        """Every confidential value but those in one of these texts."""
        self._draw()
        texts = tuple(public)
        words = {word for text in texts for word in _BETWEEN.split(text)}.union(texts)
        return frozenset(one for one in self._plain if one not in words and (len(one) < _LONG or not any(one in text for text in texts)))

    def _draw(self) -> None:
        for url, headers, body in tuple(self._waiting):
            self._plain.update(_of(url, headers, body))
        self._waiting.clear()


def _of(url: str, headers: tuple[str, ...], body: bytes) -> Iterator[str]:
    parts = urlsplit(url)
    members = list(named(body))
    pairs = [*parse_qsl(parts.query), *parse_qsl(parts.fragment), *members]
    pairs += [("user", unquote(word)) for word in (parts.username, parts.password) if word]
    found = [value for name, value in pairs if _NAME.search(name)]
    found += [value for name, value in members if not name and len(value) >= LOOSE]
    for line in headers:
        found += _credentials(line.partition("\n")[2])
    loose = [value for _, value in pairs] + [unquote(segment) for segment in parts.path.split("/")]
    found += [value for value in loose if _IDENTIFIER.fullmatch(value) and not _DAY.fullmatch(value)]
    return (value for value in found if len(value) >= SHORTEST and value.lower() not in _PLACEHOLDERS)


def _plain(request: Request) -> bytes:
    try:
        return codec.decoded(request.headers, request.body)
    except RefusedError:
        return request.body


def _credentials(value: str) -> Iterator[str]:
    """The parts of a header's value that are the secret: after the scheme, each cookie, name and password of Basic."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "basic":
        yield rest
        yield from _readable(rest).split(":")
    elif ";" in value or "=" in value.rstrip("="):
        yield from (pair.partition("=")[2].strip() for pair in value.split(";"))
    else:
        yield rest or scheme


def _readable(rest: str) -> str:
    try:
        return base64.b64decode(rest, validate=True).decode("utf-8")
    except ValueError:
        return ""


class Masks:
    """Takes values out of texts, in every spelling."""

    __slots__ = ("_ends", "_pieces", "_short", "_starts")

    def __init__(self, values: Iterable[str]) -> None:
        spelled = {spelling for value in values for spelling in spellings(value)}
        long = [one for one in spelled if len(one) >= _LONG]
        self._pieces = frozenset(one[at : at + _PIECE] for one in long for at in range(len(one) - _PIECE + 1))
        self._starts = frozenset(one[:size] for one in long for size in range(SHORTEST, _PIECE))
        self._ends = frozenset(one[-size:] for one in long for size in range(SHORTEST, _PIECE))
        short = sorted((one for one in spelled if len(one) < _LONG), key=len, reverse=True)
        self._short = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in short)) if short else None

    def hidden(self, text: str) -> str:
        """The text without them."""
        taken = bytearray(len(text))
        pieces = self._pieces
        for at in range(len(text) - _PIECE + 1) if pieces else ():
            if text[at : at + _PIECE] in pieces:
                taken[at : at + _PIECE] = b"\1" * _PIECE
        for cut in re.finditer(r"\.\.\.", text) if pieces else ():
            before, after = cut.start(), cut.end()
            for size in range(SHORTEST, _PIECE):
                if text[before - size : before] in self._starts:
                    taken[before - size : before] = b"\1" * size
                if text[after : after + size] in self._ends:
                    taken[after : after + size] = b"\1" * size
        for found in self._short.finditer(text) if self._short else ():
            taken[found.start() : found.end()] = b"\1" * (found.end() - found.start())
        if not any(taken):
            return text
        runs = re.finditer(rb"\x00+|\x01+", bytes(taken))
        return "".join(text[run.start() : run.end()] if taken[run.start()] == 0 else MASK for run in runs)

    def hide(self, found: object) -> object:
        """A report's part without them: texts, rows and the records pytest makes of a traceback, which are changed in place."""
        if isinstance(found, str):
            return self.hidden(found)
        if isinstance(found, list):
            found[:] = [self.hide(one) for one in found]
        elif type(found) is tuple:
            return tuple(self.hide(one) for one in found)
        elif is_dataclass(found) and not isinstance(found, type):
            for one in fields(found):
                _put(found, one.name, self.hide(getattr(found, one.name)))
        elif isinstance(found, Mapping):
            return {self.hide(key): self.hide(value) for key, value in found.items()}
        return found


def _put(owner: object, name: str, value: object) -> None:
    if getattr(owner, name) is not value:
        object.__setattr__(owner, name, value)  # some are frozen


def spellings(value: str) -> Iterator[str]:
    """How a report may write a value."""
    yield from (
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        value.encode().hex(),
    )
    raw = value.encode()
    for lead in range(3):
        # Somewhere inside a longer text: what the neighbours share in is left out.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            spelled = encode(b"\0" * lead + raw).decode().rstrip("=")
            inner = spelled[-(-lead * 4 // 3) : None if (lead + len(raw)) % 3 == 0 else -1]
            if len(inner) >= _PIECE:
                yield inner
