"""The tables of ranges that wait: `unsettled_ranges` for other instants, `stale_ranges` for the tables derived from their events."""

from typing import Final, cast

from sqlalchemy import Connection

from pipeline.store.engine import driver
from pipeline.store.load import run

UNSETTLED: Final = "unsettled_ranges"
STALE: Final = "stale_ranges"

CUT_SHORT: Final = "a run was cut short: instants and derived tables lag behind the events; tfx pipeline run, or upgrade, completes them"
"""What is said where something waits."""

Stretch = tuple[int, int, int, int]
"""Device, sequence group, first and last sequence number."""

_OURS: Final = "WHERE device_id = $1 AND sequence_group = $2"
_BEGINS: Final = f"SELECT min(sequence_number) FROM source {_OURS} AND sequence_number BETWEEN $3 AND $4"  # noqa: S608  # our own words

# Looked up and then written: DuckDB takes five times as long to plan one statement with ON CONFLICT, and every window has one.
_MARKED: Final = f"SELECT first, last FROM waiting {_OURS}"  # noqa: S608  # our own words
_WIDEN: Final = f"UPDATE waiting SET first = least(first, $3), last = greatest(last, $4) {_OURS}"  # noqa: S608  # our own words
_OVER: Final = f"DELETE FROM waiting {_OURS} AND last <= $4"  # noqa: S608  # our own words
_SHORTEN: Final = f"UPDATE waiting SET first = $4 + 1 {_OURS}"  # noqa: S608  # our own words


def mark(connection: Connection, waiting: str, stretch: Stretch) -> None:
    """Say in that table that events of this stretch wait."""
    *_, first, last = stretch
    known = cast("list[tuple[int, int]]", run(connection, _MARKED.replace("waiting", waiting), stretch).fetchall())
    if not known:
        run(connection, f"INSERT INTO {waiting} VALUES ($1, $2, $3, $4)", stretch)  # noqa: S608  # our own names
    elif first < known[0][0] or last > known[0][1]:
        run(connection, _WIDEN.replace("waiting", waiting), stretch)


def done(connection: Connection, waiting: str, piece: Stretch) -> None:
    """Say that the beginning of a stretch, up to the end of this piece, waits no longer."""
    for statement in (_OVER, _SHORTEN):
        run(connection, statement.replace("waiting", waiting), piece)


def first_of(connection: Connection, waiting: str) -> Stretch | None:
    """The first stretch that waits, from its first event on; None where none does."""
    for stretch in cast("list[Stretch]", driver(connection).execute(f"FROM {waiting} ORDER BY ALL").fetchall()):
        if found := from_its_first(connection, "events", stretch):
            return found
        done(connection, waiting, stretch)
    return None


def from_its_first(connection: Connection, table: str, stretch: Stretch) -> Stretch | None:
    """The stretch without what comes before the first row of a table in it; None where it has none."""
    device_id, group, _, last = stretch
    ((start,),) = cast("list[tuple[int | None]]", run(connection, _BEGINS.replace("source", table), stretch).fetchall())
    return None if start is None else (device_id, group, start, last)


def is_waiting(connection: Connection, *tables: str) -> bool:
    """Whether anything waits in these tables, or in any: then a run was cut short."""
    return any(driver(connection).execute(f"SELECT 1 FROM {waiting} LIMIT 1").fetchall() for waiting in tables or (UNSETTLED, STALE))  # noqa: S608  # our own names
