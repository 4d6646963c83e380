"""Read a cassette file as `lay_out` writes it, its long lists of rows some rows at a time. Pure.

Such a list is nearly all there is of a file. Some hundred rows are read, taken apart and compared with their text while the processor has
them at hand; when a whole list was read first, each of these steps would have to fetch all of it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import orjson

from tfx.jsonbody import Json, nests_deeper, write
from tfx.layout import ROW_DEPTH, has_short_lines
from tfx.tables import Row, Table

_OPENING: Final = b'": [\n       {"'
_FIRST: Final = b"[\n       "
_BETWEEN: Final = b",\n       "
_CLOSING: Final = b"\n      ]"
"""What stands before, between and behind the rows of a member of an answer's JSON; `_OPENING` shows where such a list begins."""
_MARK: Final = "\0"
_WRITTEN_MARK: Final = b'"\\u0000"'
_SHORTEST: Final = 1 << 15
_PIECE: Final = 1 << 16
"""Bytes of a list that are read at once: what is made of them is ten times as much, and has to fit into the processor's own memory."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Rows:
    """A list of rows, taken apart, and its text, which is what `lay_out` gives for it."""

    table: Table
    text: bytes

    def __repr__(self) -> str:
        return f"Rows({len(self.table.rows)})"


def read(data: bytes) -> tuple[Json, list[Rows]] | None:
    """What the quick reader reads in a file, and its long lists in answers; None where one of these is not as `lay_out` writes it.

    Whether all else is, and holds no more than the quick reader notices, is not known yet.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is no JSON, or none of a cassette.
    """
    if b"\\u0000" in data:  # what stands for a list
        return None
    rest, texts = _taken_out(data)
    lists: list[Rows] = []
    for text in texts:
        table = _table(text)
        if table is None:
            return None
        lists.append(Rows(table=table, text=text))
    value: Json = orjson.loads(rest)
    left = iter(lists)
    for members in _answers(value) if lists else ():
        for name in [name for name, item in members.items() if item == _MARK]:
            members[name] = next(left).table.rows
    return value, lists


def _taken_out(data: bytes) -> tuple[bytes, list[bytes]]:
    """The file with a mark for each of its long lists, and those."""
    rest: list[bytes] = []
    texts: list[bytes] = []
    at = 0
    while (found := data.find(_OPENING, at)) >= 0:
        start = found + len(b'": ')
        end = data.find(_CLOSING, found)
        if end < 0:
            break
        end += len(_CLOSING)
        if end - start >= _SHORTEST:
            rest += (data[at:start], _WRITTEN_MARK)
            texts.append(data[start:end])
        else:
            rest.append(data[at:end])
        at = end
    return b"".join((*rest, data[at:])), texts


def _answers(value: Json) -> Iterator[dict[str, Json]]:
    """The JSON objects that are the bodies of answers."""
    head = cast("dict[str, list[dict[str, dict[str, dict[str, Json]]]]]", value)
    for exchange in head["exchanges"]:
        members = exchange["response"]["body"].get("json")
        if isinstance(members, dict):
            yield members


def _table(text: bytes) -> Table | None:
    """A list taken apart; None if it is not as `lay_out` writes it."""
    start, end = len(_FIRST), len(text) - len(_CLOSING)
    rows: list[Json] = []
    shapes: set[tuple[str, ...]] = set()
    columns: list[list[Json]] = []
    while start < end:
        cut = text.find(_BETWEEN, min(start + _PIECE, end), end)
        stop = end if cut < 0 else cut
        found = _rows(text[start:stop], shapes)
        if not found:
            return None
        rows += found
        if len(shapes) == 1:
            columns = columns or [[] for _ in found[0]]
            for column, part in zip(columns, zip(*map(dict.values, found), strict=True), strict=True):
                column.extend(part)
        start = stop + len(_BETWEEN)
    names = shapes.pop()
    return Table(rows=rows, names=None if shapes else names, columns={} if shapes else dict(zip(names, columns, strict=True)))


def _rows(text: bytes, shapes: set[tuple[str, ...]]) -> list[Row]:
    """The rows in a piece of a list, one a line; none if `lay_out` would write them otherwise. What members they have goes to `shapes`."""
    rows: list[Row] = orjson.loads(b"[%b]" % text)
    if set(map(type, rows)) != {dict}:
        return []
    shapes.update(map(tuple, rows))
    written = orjson.dumps(rows)
    cut = b"},{%b:" % write(next(iter(rows[0]), ""))
    closed_up, breaks = text.replace(cut.replace(b",", _BETWEEN, 1), cut), len(rows) - 1
    # If every row begins with that name, all the cuts there are stand between two rows; and so do all the line breaks.
    is_laid_out = (
        len({names[:1] for names in shapes}) == 1
        and written.count(cut) == breaks
        and len(text) - len(closed_up) == breaks * (len(_BETWEEN) - 1)
        and written.startswith(closed_up, 1)
        and has_short_lines(text)
        and not nests_deeper(cast("Json", rows), ROW_DEPTH + 1, written)
    )
    return rows if is_laid_out else []
