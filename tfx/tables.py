"""A list of pump events as columns, read once for survey and rules. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from tfx.jsonbody import Json

Row = dict[str, Json]

_CHUNK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Table:
    """Rows, and where all have the same members in the same order (`names`) their columns; of a mixed list neither."""

    rows: list[Json]
    names: tuple[str, ...] | None
    columns: dict[str, list[Json]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: list[Json]) -> "Table":
        """The rows taken apart."""
        names = one_shape(rows)
        columns = dict(zip(names, columns_of(cast("list[Row]", rows)), strict=True)) if names else {}
        return cls(rows=rows, names=names, columns=columns)

    def __repr__(self) -> str:
        return f"Table({len(self.rows)} rows)"


def one_shape(rows: Sequence[Json]) -> tuple[str, ...] | None:
    """The member names of every row, where all have the same ones in the same order."""
    if set(map(type, rows)) != {dict}:
        return None
    names = list(map(tuple, cast("Sequence[Row]", rows)))
    return names[0] if names.count(names[0]) == len(names) else None


def columns_of(rows: Sequence[Row]) -> list[list[Json]]:
    """The members of rows of one shape, by the column; some hundred rows at a time, for what was just touched is at hand."""
    columns: list[list[Json]] = [[] for _ in rows[0]]
    for start in range(0, len(rows), _CHUNK):
        for column, part in zip(columns, zip(*(row.values() for row in rows[start : start + _CHUNK]), strict=True), strict=True):
            column.extend(part)
    return columns


def with_columns(rows: list[Row], before: Mapping[str, list[Json]], after: Mapping[str, list[Json]]) -> list[Row]:
    """Rows of one shape, whose columns are `before`, with other columns: of those members that they keep, in that order."""
    if not after:
        return [{} for _ in rows]
    if len(after) < len(before):
        return [dict(zip(after, row, strict=True)) for row in zip(*after.values(), strict=True)]
    out = list(map(dict.copy, rows))
    for name, column in after.items():
        if column is not before[name]:
            put(out, name, column)
    return out


def put(rows: list[Row], name: str, column: list[Json]) -> None:
    """Give every row its value of a column."""
    for row, value in zip(rows, column, strict=True):
        row[name] = value


def whole(values: Sequence[Json], most: int) -> list[int] | None:
    """The values, if every one is a whole number from 0 to `most`."""
    if set(map(type, values)) != {int}:
        return None
    found = cast("list[int]", values if isinstance(values, list) else list(values))
    return found if min(found) >= 0 and max(found) <= most else None
