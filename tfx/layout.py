"""The layout of a cassette's JSON: deterministic, one pump event per line, so that a git diff is readable. Pure."""

import re
import sys
from collections.abc import Iterator
from typing import Final, cast

import orjson

from tfx.errors import FormatError
from tfx.jsonbody import Json, nests_deeper, write

WIDTH: Final = 120
"""A container that fits into this many characters stays on one line."""

_ROW_WIDTH: Final = 2000
_ROW_DEPTH: Final = 3
_MANY: Final = 8
_ROW_BREAK: Final = b"\n       "
_LAYOUT: Final = re.compile(rb'\n *(?:("[^"\\]*(?:\\.[^"\\]*)*":) )?')
"""What stands between lines, and the blank behind the name that a line may begin with."""


def lay_out(value: Json, levels: int | None = None) -> bytes:
    """The text of a value, with a final newline.

    Raises:
        FormatError: arrays and objects nest, or might, deeper than `levels`.
    """
    return b"".join(_text(value, levels))


def is_laid_out(value: Json, data: bytes, levels: int | None = None) -> bool:
    """Whether these bytes are what `lay_out` gives for the value, without making a second text of that length.

    Raises:
        FormatError: as `lay_out`.
    """
    at = 0
    for piece in _text(value, levels):
        if not data.startswith(piece, at):
            return False
        at += len(piece)
    return at == len(data)


def _text(value: Json, levels: int | None) -> Iterator[bytes]:
    most = sys.maxsize if levels is None else levels - _ROW_DEPTH - 1
    yield from _lines(value, 0, most, in_array=False)
    yield b"\n"


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


def _lines(value: Json, indent: int, most: int, *, in_array: bool) -> Iterator[bytes]:
    if indent > most:
        raise FormatError("JSON nests too deep")
    if not isinstance(value, dict | list) or _on_one_line(value, in_array=in_array):
        yield write(value)
        return
    pad = b"\n" + b" " * (indent + 1)
    rows = _rows(value, pad) if isinstance(value, list) else None
    if rows is not None:
        yield b"[" + pad
        yield rows
    else:
        opening, pairs = (b"{", [*value.items()]) if isinstance(value, dict) else (b"[", [(None, item) for item in value])
        for number, (key, item) in enumerate(pairs):
            yield (b"," if number else opening) + pad + (b"" if key is None else write(key) + b": ")
            yield from _lines(item, indent + 1, most, in_array=key is None)
    yield b"\n" + b" " * indent + (b"}" if isinstance(value, dict) else b"]")


def _on_one_line(value: dict[str, Json] | list[Json], *, in_array: bool) -> bool:
    # An element of an array that is shallow is a row (a pump event, a header line) however wide; all else must be short.
    if not in_array and len(value) > WIDTH // 2:
        return False
    parts = value.values() if isinstance(value, dict) else value
    if any(len(part) > _ROW_WIDTH // 2 for part in parts if isinstance(part, dict | list)):
        return False  # as would be found below, after everything inside has been looked at
    if in_array and not nests_deeper(value, _ROW_DEPTH if type(value) is dict else 1):
        return len(write(value)) <= _ROW_WIDTH
    if len(value) > WIDTH // 2 or nests_deeper(value, _ROW_DEPTH):
        return False
    rows = type(value) is list and any(type(item) is dict for item in value)
    return not rows and len(write(value)) <= WIDTH


def _rows(items: list[Json], pad: bytes) -> bytes | None:
    """The inside of a long array whose every element is a row, written in one go and cut between the rows; None for any other."""
    # A value that is no row itself, such as an exchange, is recognised before everything is written.
    if len(items) < _MANY or nests_deeper(items[0], _ROW_DEPTH):
        return None
    try:
        text = orjson.dumps(items)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return None
    cut = _cut(items, text)
    pieces = text[1:-1].split(cut) if cut else []
    # The cut stands between any two rows, so if it stands anywhere else as well there are more pieces than rows.
    if len(pieces) != len(items) or len(max(pieces, key=len)) + len(cut) > _ROW_WIDTH:
        return None
    return (cut[:2] + pad + cut[2:]).join(pieces)


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
    return b"},{" + write(name) + b":" if alike and not nests_deeper(items, _ROW_DEPTH + 1, text) else b""
