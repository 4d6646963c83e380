"""Update the derived tables in SQL from stored events, for the ranges of events that have changed."""

from collections import Counter
from typing import Final, cast

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine

from pipeline.extracts.derived import READ, Derived, fields, gathered, statements, troubles
from pipeline.extracts.tables import DERIVED
from pipeline.extracts.wire import cut
from pipeline.receive.batch import Batch, Reject
from pipeline.store.engine import driver
from pipeline.store.load import number, payloads, run
from pipeline.store.quarantine import quarantine
from pipeline.store.reasons import Reason

_ANY: Final = """
SELECT count(*) FROM (SELECT 1 FROM source WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4 LIMIT 1)
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
        sequence = news.sequence if len(news.group_numbers) == 1 else news.sequence[news.groups == group]
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
        ready = Ready(connection, stretch)
        for derived in DERIVED:
            if ready.has(derived):
                rows[derived.table] += _table(ready, derived)
                rows["quarantine"] += _set_aside(connection, derived, stretch)
        ready.clear()
    driver(connection).execute("DELETE FROM stale_ranges")
    return rows


class Ready:
    """The seldom events of a stretch and after it, fetched once for all tables; a chain that began before has earlier ones added.

    What a table's statements read, `READ`, is this: its events, and of their payloads the fields it names.
    """

    def __init__(self, connection: Connection, stretch: Stretch) -> None:
        self.connection, self.stretch = connection, stretch
        self.first = stretch[2]
        self._fetch()

    def has(self, derived: Derived) -> bool:
        """Whether the stretch itself has an event for that table; then it is laid ready."""
        if derived.source is not None:
            return bool(number(self.connection, _ANY.replace("source", derived.source), self.stretch))
        mine = np.isin(self.codes, derived.codes)
        if not (mine & (self.sequence >= self.stretch[2]) & (self.sequence <= self.stretch[3])).any():
            return False
        self._lay_ready(derived)
        return True

    def reach_back_to(self, first: int, derived: Derived) -> None:
        """See that the table's events from this sequence number on are there."""
        if first < self.first:
            self.first = first
            self._fetch()
            self._lay_ready(derived)

    def clear(self) -> None:
        """Forget what was laid ready."""
        driver(self.connection).unregister(READ)

    def _fetch(self) -> None:
        device_id, group, *_ = self.stretch
        self.events = run(self.connection, gathered(_SELDOM), (device_id, group, self.first)).to_arrow_table().combine_chunks()
        self.codes = self.events["code"].to_numpy()
        self.sequence = self.events["sequence_number"].to_numpy()

    def _lay_ready(self, derived: Derived) -> None:
        chosen = self.events.take(pa.array(np.flatnonzero(np.isin(self.codes, derived.codes))))
        rows = chosen.drop_columns(["payload"])
        for column, values in cut(payloads(chosen["payload"]), fields(derived)).items():
            rows = rows.append_column(column, values)
        driver(self.connection).register(READ, rows)


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
            ready.reach_back_to(ready.first if lowest is None else lowest, derived)
    return more


def _set_aside(connection: Connection, derived: Derived, stretch: Stretch) -> int:
    """Places of impossible values; met again they are the same rows."""
    query = troubles(derived)
    if query is None:
        return 0
    device_id, group, *_ = stretch
    found = cast("list[tuple[int, int, str]]", run(connection, query, stretch).fetchall())
    rejects = [
        Reject(reason=Reason.IMPOSSIBLE_VALUE, detail=detail, raw=None, group=group, sequence=sequence, code=code)
        for sequence, code, detail in found
    ]
    return quarantine(connection, device_id, rejects, ())
