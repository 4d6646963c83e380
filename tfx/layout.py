"""The layout of a cassette's JSON: deterministic, one pump event per line, so that a git diff is readable. Pure."""

import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

import orjson

from tfx.errors import FormatError
from tfx.jsonbody import Json, nests_deeper, write

WIDTH: Final = 120
"""A container that fits into this many characters stays on one line."""

ROW_WIDTH: Final = 2000
ROW_DEPTH: Final = 3
_MANY: Final = 8
_ROW_BREAK: Final = b"\n       "
Known = Mapping[int, bytes]
"""The text of a list by the list's `id`."""
NONE_KNOWN: Final[Known] = MappingProxyType({})
_LAYOUT: Final = re.compile(rb'\n *(?:("[^"\\]*(?:\\.[^"\\]*)*":) )?')
"""What stands between lines, and the blank behind the name that a line may begin with."""


def lay_out(value: Json, levels: int | None = None) -> bytes:
    """The text of a value, with a final newline.

    Raises:
        FormatError: arrays and objects nest, or might, deeper than `levels`.
    """
    return b"".join(_text(value, levels))


def is_laid_out(value: Json, data: bytes, levels: int | None = None, known: Known = NONE_KNOWN) -> bool:
    """Whether these bytes are what `lay_out` gives for the value, without making a second text of that length.

    `known` are texts of lists in it that are known to be what it gives for them.

    Raises:
        FormatError: as `lay_out`.
    """
    at = 0
    for piece in _text(value, levels, known):
        if not data.startswith(piece, at):
            return False
        at += len(piece)
    return at == len(data)


def _text(value: Json, levels: int | None, known: Known = NONE_KNOWN) -> list[bytes]:
    text = _Text(sys.maxsize if levels is None else levels - ROW_DEPTH - 1, known)
    text.put(value, 0, in_array=False)
    text.pieces.append(b"\n")
    return text.pieces


def length_closed_up(value: Json, text: bytes, indent: int) -> int | None:
    """The length of what `closed_up` makes of `text`, the lines of this value laid out at that indent.

    None if more than an object of rows, an array of rows or one line is laid out there, or anything else than layout stands between.
    """
    written, layout, at = orjson.dumps(value), 0, 0
    if text[1:2] == b"\n" and isinstance(value, list):
        layout = _layout_of_rows(value, indent)
    elif text[1:2] == b"\n" and isinstance(value, dict):
        layout = indent + 1
        for key, item in value.items():
            name = (b",\n" if at else b"{\n") + b" " * (indent + 1) + orjson.dumps(key) + b": "
            at = text.find(name, at) + len(name)
            if at < len(name):
                return None
            layout += indent + 3 + (_layout_of_rows(item, indent + 1) if text[at : at + 2] == b"[\n" else 0)
    # The length, in a file with the right digest: to close all up and compare would take as long as reading it.
    return len(written) if len(text) == len(written) + layout else None


def closed_up(text: bytes) -> bytes:
    """The value as `jsonbody.write` gives it, made of its lines in a file, as far as `length_closed_up` knows their length."""
    # A line break stands in no JSON text but between values.
    if text.startswith(b"["):
        first, *lines = text.split(b"\n")
        return b"".join([first, *[line.lstrip(b" ") for line in lines]])
    # Rows of a member are nearly all there is of a long body, and go fastest this way; each further copy of it is a millisecond.
    return _LAYOUT.sub(_without_blank, text.replace(_ROW_BREAK, b""))


def _without_blank(found: re.Match[bytes]) -> bytes:
    return found[1] or b""


def _layout_of_rows(items: Json, indent: int) -> int:
    """How many bytes of layout there are in an array of rows: before each row, and before the bracket behind the last."""
    return len(items) * (indent + 2) + indent + 1 if isinstance(items, list) else 0


class _Text:
    """Collects the text of a value: generators inside of generators take longer than what they hand on."""

    __slots__ = ("_known", "_most", "pieces")

    def __init__(self, most: int, known: Known) -> None:
        self._most, self._known = most, known
        self.pieces: list[bytes] = []

    def put(self, value: Json, indent: int, *, in_array: bool) -> None:
        """The lines of a value, the first without its indent."""
        if indent > self._most:
            raise FormatError("JSON nests too deep")
        line = _line(value, in_array=in_array) if not self._known or id(value) not in self._known else self._known[id(value)]
        if line is not None:
            self.pieces.append(line)
            return
        pad = b"\n" + b" " * (indent + 1)
        rows = _rows(value, pad) if isinstance(value, list) else None
        if rows is not None:
            self.pieces += (b"[", pad, rows)
        elif isinstance(value, dict):
            between = b"{" + pad
            for key, item in value.items():
                self.pieces.append(between + write(key) + b": ")
                self.put(item, indent + 1, in_array=False)
                between = b"," + pad
        elif isinstance(value, list):
            between = b"[" + pad
            for item in value:
                self.pieces.append(between)
                self.put(item, indent + 1, in_array=True)
                between = b"," + pad
        self.pieces.append(pad[:-1] + (b"}" if isinstance(value, dict) else b"]"))


def _line(value: Json, *, in_array: bool) -> bytes | None:
    """The text of a value that stands on one line; None for any other."""
    if not isinstance(value, dict | list):
        return write(value)
    # An element of an array that is shallow is a row (a pump event, a header line) however wide; all else must be short.
    if not in_array and len(value) > WIDTH // 2:
        return None
    parts = value.values() if isinstance(value, dict) else value
    inner = [part for part in parts if isinstance(part, dict | list)]
    if any(len(part) > ROW_WIDTH // 2 for part in inner):
        return None  # as would be found below, after everything inside has been looked at
    if in_array and (not inner or not nests_deeper(value, ROW_DEPTH if type(value) is dict else 1)):
        return _at_most(ROW_WIDTH, value)
    if len(value) > WIDTH // 2 or (inner and nests_deeper(value, ROW_DEPTH)):
        return None
    rows = type(value) is list and any(type(item) is dict for item in inner)
    return None if rows else _at_most(WIDTH, value)


def _at_most(width: int, value: Json) -> bytes | None:
    text = write(value)
    return text if len(text) <= width else None


def _rows(items: list[Json], pad: bytes) -> bytes | None:
    """The inside of a long array whose every element is a row, written in one go and cut between the rows; None for any other."""
    # A value that is no row itself, such as an exchange, is recognised before everything is written.
    if len(items) < _MANY or nests_deeper(items[0], ROW_DEPTH):
        return None
    try:
        text = orjson.dumps(items)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return None
    cut = _cut(items, text)
    # The cut stands between any two rows, so if it stands anywhere else as well there are more cuts than breaks.
    if not cut or text.count(cut) != len(items) - 1:
        return None
    rows = text.replace(cut, cut[:2] + pad + cut[2:])[1:-1]
    return rows if has_short_lines(rows) else None


def has_short_lines(text: bytes) -> bool:
    """Whether no line, its break included, is longer than a row may be."""
    at = 0
    while len(text) - at > ROW_WIDTH:
        at = text.rfind(b"\n", at, at + ROW_WIDTH) + 1
        if not at:
            return False
    return True


def _cut(items: list[Json], text: bytes) -> bytes:
    """What stands between two rows when they are written without line breaks: the same everywhere, or nothing is known."""
    first = items[0]
    if isinstance(first, str):
        texts = [item for item in items if type(item) is str]
        return b'","' if len(texts) == len(items) and "".join(texts).isalnum() else b""
    if not isinstance(first, dict) or not first:
        return b""
    name = next(iter(first))
    # The first names by `map` alone: there are as many as there are pump events.
    alike = set(map(type, items)) == {dict} and all(items) and set(map(next, map(iter, cast("list[dict[str, Json]]", items)))) == {name}
    return b"},{" + write(name) + b":" if alike and not nests_deeper(items, ROW_DEPTH + 1, text) else b""
