"""Read the body of a request for values that may be private: named ones where it parses, all that could be one where it does not. Pure."""

import html
import json
import re
from collections.abc import Iterator
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote

from replayer.matching.words import WORDS

__tracebackhide__ = True  # pytest --showlocals would print what this is to hide

LOOSE: Final = 6
"""Characters a value without a name has at least; shorter words are found everywhere."""
READ: Final = 20_000
"""Characters of a text of unknown form that are read at its beginning, and as many at its end."""
_FIELD: Final = re.compile(r"[\w.~%+*\[\]$-]+=[^\s<>{}\"]*|")
_BOUNDARY: Final = re.compile(rb"\s*--([^\r\n]+)\r?\n")
_PART_NAME: Final = re.compile(r"(?<!file)name\s*=\s*(?:\"([^\"\r\n]*)\"|([^;\s]+))", re.IGNORECASE)
_HELD: Final = (
    re.compile(r">([^<]+)<"),
    re.compile(r'"((?:[^"\\]|\\.)+)"'),
    re.compile(r"'((?:[^'\\]|\\.)+)'"),
    re.compile(r"(?m)^(.+)$"),
    re.compile(r"(?m)^[^:=\n]*[:=](.+)$"),
    re.compile(r"[:=]([^&;,\n]+)"),
    re.compile(r"([^\s\"'<>&;,{}()\[\]=:|]+)"),
)
"""What stands between tags, in quotes, on a line, after a name, and by itself."""
_COMMON: Final = WORDS | {"charset", "encoding", "standalone", "version"}
"""Words of the service's paths and of XML's first line."""

Pairs: TypeAlias = Iterator[tuple[str, str]]


def named(body: bytes) -> Pairs:
    """Name and value of each member and field; the name is empty where anything may be private: a value of unknown form."""
    text = body.decode(json.detect_encoding(body), "replace")
    found = _json(text)
    boundary = _BOUNDARY.match(body)
    if found is not None:
        yield from found
    elif boundary:
        yield from _parts(body, boundary.group(1).rstrip())
    else:
        yield from parse_qsl(text, max_num_fields=None)
        if "=" not in text.rstrip("=") or not all(map(_FIELD.fullmatch, text.split("&"))):
            yield from _loose(text)


def _json(text: str) -> list[tuple[str, str]] | None:
    try:
        # A name may come twice: of a dict only the last one would be seen.
        return list(_leaves("", json.loads(text, object_pairs_hook=tuple)))
    except (ValueError, RecursionError):
        return None


def _leaves(name: str, value: object) -> Pairs:
    if isinstance(value, tuple):
        for key, member in value:
            yield from _leaves(str(key), member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(name, member)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield name, str(value)


def _parts(body: bytes, boundary: bytes) -> Pairs:
    """The fields of multipart/form-data (RFC 7578). A file is of unknown form, and so is what has no name."""
    for part in body.split(b"--" + boundary)[1:]:
        head, _, content = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        if content:
            shown = head.decode("utf-8", "replace")
            name = _PART_NAME.search(shown)
            plain = content.removesuffix(b"\n")
            if "filename" in shown.lower() or name is None or _json(plain.decode("utf-8", "replace")):
                yield from named(plain)
            if name:
                yield (name.group(1) or name.group(2) or ""), plain.decode(json.detect_encoding(plain), "replace")


def _loose(text: str) -> Pairs:
    """Everything of a text of unknown form that could be a value, but words of the service's."""
    read = text if len(text) <= 2 * READ else f"{text[:READ]}\n{text[-READ:]}"
    for line in read.splitlines():
        yield from _json(line) or ()
    found = {one.strip() for pattern in _HELD for one in pattern.findall(read)} | {read.strip()}
    for one in found:
        for spelled in {one, html.unescape(one), unquote(one), _unescaped(one)}:
            if len(spelled) >= LOOSE and spelled.lower() not in _COMMON and spelled not in _COMMON:
                yield "", spelled


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
