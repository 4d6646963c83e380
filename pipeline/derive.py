"""Derived tables brought up to date: set-based, from what is stored, for the stretches of events that have changed."""

from collections import Counter
from typing import Final, cast

from sqlalchemy import Connection, Engine

from pipeline.decode import Batch, Reject
from pipeline.extracts.derived import GATHERED, Derived, gathered, statements, troubles
from pipeline.extracts.tables import DERIVED
from pipeline.load import number, run
from pipeline.quarantine import quarantine
from pipeline.warehouse import driver

_CODES: Final = """
SELECT DISTINCT code FROM events WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4
"""

# Looked up and then written: DuckDB takes five times as long to plan one statement with ON CONFLICT, and every window has one.
_MARKED: Final = "SELECT first, last FROM stale_ranges WHERE device_id = $1 AND sequence_group = $2"
_WIDEN: Final = """
UPDATE stale_ranges SET first = least(first, $3), last = greatest(last, $4) WHERE device_id = $1 AND sequence_group = $2
"""
_LOWEST: Final = "SELECT min(lower) FROM reach"
_SELDOM: Final = tuple(code for derived in DERIVED if derived.source is None for code in derived.codes)

Stretch = tuple[int, int, int, int]
"""Device, sequence group, first and last sequence number."""


def mark_batch(connection: Connection, device_id: int, news: Batch) -> None:
    """Say that these events are new, in the transaction that stores them."""
    for group in news.group_numbers:
        sequence = news.records.sequence[news.groups == group]
        mark(connection, (device_id, group, int(sequence.min()), int(sequence.max())))


def mark(connection: Connection, stretch: Stretch) -> None:
    """Say that events of this stretch came, or got other times."""
    *_, first, last = stretch
    known = cast("list[tuple[int, int]]", run(connection, _MARKED, stretch).fetchall())
    if not known:
        run(connection, "INSERT INTO stale_ranges VALUES ($1, $2, $3, $4)", stretch)
    elif first < known[0][0] or last > known[0][1]:
        run(connection, _WIDEN, stretch)


def derive(engine: Engine) -> Counter[str]:
    """Work out what is stale, of every device, in a transaction of its own. How many rows more each table has than before."""
    with engine.begin() as connection:
        return derive_all(connection)


def derive_all(connection: Connection) -> Counter[str]:
    """The same in the caller's transaction."""
    rows: Counter[str] = Counter()
    for stretch in cast("list[Stretch]", driver(connection).execute("FROM stale_ranges ORDER BY ALL").fetchall()):
        present = {code for (code,) in run(connection, _CODES, stretch).fetchall()}
        ready = Ready(connection, stretch)
        for derived in DERIVED:
            if present.intersection(derived.codes):
                rows[derived.table] += _table(ready, derived)
                rows["quarantine"] += _set_aside(connection, derived, stretch)
        run(connection, f"DROP TABLE {GATHERED}")
    driver(connection).execute("DELETE FROM stale_ranges")
    return rows


class Ready:
    """The seldom events of a stretch and after it, gathered once for all tables; a chain that began before has earlier ones added."""

    def __init__(self, connection: Connection, stretch: Stretch) -> None:
        self.connection, self.stretch = connection, stretch
        self.first = stretch[2]
        self._gather()

    def reach_back_to(self, first: int) -> None:
        """See that events from this sequence number on are there."""
        if first < self.first:
            self.first = first
            self._gather()

    def _gather(self) -> None:
        device_id, group, *_ = self.stretch
        run(self.connection, gathered(_SELDOM), (device_id, group, self.first))


def _table(ready: Ready, derived: Derived) -> int:
    more = 0
    for statement in statements(derived):
        word = statement.split(maxsplit=1)[0]
        if word in ("DELETE", "INSERT"):
            more += number(ready.connection, statement, ready.stretch) * (1 if word == "INSERT" else -1)
        else:
            run(ready.connection, statement, ready.stretch)
        if word == "CREATE" and derived.source is None:
            ((lowest,),) = cast("list[tuple[int | None]]", run(ready.connection, _LOWEST).fetchall())
            ready.reach_back_to(ready.first if lowest is None else lowest)
    return more


def _set_aside(connection: Connection, derived: Derived, stretch: Stretch) -> int:
    """Places of impossible values; met again they are the same rows."""
    query = troubles(derived)
    if query is None:
        return 0
    device_id, group, *_ = stretch
    found = cast("list[tuple[int, int, str]]", run(connection, query, stretch).fetchall())
    rejects = [
        Reject(reason="impossible value", detail=detail, raw=None, group=group, sequence=sequence, code=code)
        for sequence, code, detail in found
    ]
    return quarantine(connection, device_id, rejects, ())
