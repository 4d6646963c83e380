"""Complete the tables: instants settled, then the derived tables worked out in SQL for the ranges of events that have changed."""

from collections import Counter
from functools import partial
from typing import Final, cast

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine

from pipeline.derive.pieces import beginning
from pipeline.derive.settle import settle_piece
from pipeline.extracts.derived import READ, Derived, fields, gathered, statements, troubles
from pipeline.extracts.tables import DERIVED
from pipeline.extracts.wire import cut
from pipeline.receive.batch import Batch, Reject
from pipeline.store.engine import driver, written_out
from pipeline.store.load import number, payloads, run
from pipeline.store.quarantine import quarantine
from pipeline.store.ranges import STALE, Stretch, done, first_of, mark
from pipeline.store.reasons import Reason

_ANY: Final = """
SELECT count(*) FROM (SELECT 1 FROM source WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4 LIMIT 1)
"""

_LOWEST: Final = "SELECT min(lower) FROM reach"
_SELDOM: Final = tuple(code for derived in DERIVED if derived.source is None for code in derived.codes)

WHOLE: Final = 2_000_000
"""Sequence numbers worked out at once: what that takes in memory is bounded by it, not by the history. Half as many take no less of it."""

_NO_END: Final = 1 << 62
_LAST: Final = "SELECT max(sequence_number) FROM events WHERE device_id = $1 AND sequence_group = $2"


def mark_batch(connection: Connection, device_id: int, news: Batch) -> None:
    """Say that these events are new, in the transaction that stores them."""
    for group in news.group_numbers:
        sequence = news.sequence if len(news.group_numbers) == 1 else news.sequence[news.groups == group]
        mark(connection, STALE, (device_id, group, int(sequence.min()), int(sequence.max())))


def derive(engine: Engine) -> Counter[str]:
    """Settle what is unsettled and work out what is stale, of every device, each piece in a transaction of its own.

    How many rows more each table has than before.
    """
    rows: Counter[str] = Counter()
    for a_piece in (settle_piece, partial(_derive_piece, rows=rows)):
        is_done = False
        while not is_done:
            with engine.begin() as connection:
                is_done = not a_piece(connection)
    written_out(engine)
    return rows


def derive_all(connection: Connection) -> Counter[str]:
    """The same in the caller's transaction."""
    rows: Counter[str] = Counter()
    while settle_piece(connection) or _derive_piece(connection, rows):
        pass
    return rows


def _derive_piece(connection: Connection, rows: Counter[str]) -> bool:
    """Work out the first piece that is stale, and count what comes of it. Whether there was one."""
    stretch = first_of(connection, STALE)
    if stretch is None:
        return False
    piece, until = beginning(stretch, WHOLE), _NO_END
    if piece != stretch:
        # What follows may belong to what is in the piece; it is worked out with the rest, which therefore reaches to the last event.
        mark(connection, STALE, (*piece[:3], number(connection, _LAST, piece[:2])))
        until = piece[3]
    ready = Ready(connection, piece, until)
    for derived in DERIVED:
        if ready.has(derived):
            rows[derived.table] += _table(ready, derived)
            rows["quarantine"] += _set_aside(connection, derived, piece)
    ready.clear()
    done(connection, STALE, piece)
    return True


class Ready:
    """The seldom events from a stretch up to `until`, fetched once for all tables; a chain that began before has earlier ones added.

    What a table's statements read, `READ`, is this: its events, and of their payloads the fields it names.
    """

    def __init__(self, connection: Connection, stretch: Stretch, until: int) -> None:
        self.connection, self.stretch, self.until = connection, stretch, until
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
        self.events = run(self.connection, gathered(_SELDOM), (device_id, group, self.first, self.until)).to_arrow_table().combine_chunks()
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
