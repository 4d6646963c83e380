"""Derived tables brought up to date: set-based, from what is stored, for the stretches of events that have changed."""

from collections import Counter
from typing import Final, cast

from sqlalchemy import Connection, Engine

from pipeline.decode import Batch, Reject
from pipeline.extracts.derived import Derived, statements, troubles
from pipeline.extracts.tables import DERIVED
from pipeline.load import number, run
from pipeline.quarantine import quarantine
from pipeline.warehouse import driver

_MARK: Final = """
INSERT INTO stale_ranges VALUES ($1, $2, $3, $4)
ON CONFLICT DO UPDATE SET first = least(first, excluded.first), last = greatest(last, excluded.last)
"""

_CODES: Final = """
SELECT DISTINCT code FROM events WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4
"""

Stretch = tuple[int, int, int, int]
"""Device, sequence group, first and last sequence number."""


def mark_batch(connection: Connection, device_id: int, news: Batch) -> None:
    """Say that these events are new, in the transaction that stores them."""
    for group in news.group_numbers:
        sequence = news.records.sequence[news.groups == group]
        mark(connection, (device_id, group, int(sequence.min()), int(sequence.max())))


def mark(connection: Connection, stretch: Stretch) -> None:
    """Say that events of this stretch came, or got other times."""
    run(connection, _MARK, stretch)


def derive(engine: Engine) -> Counter[str]:
    """Work out what is stale, of every device, in a transaction of its own. How many rows more each table has than before."""
    with engine.begin() as connection:
        return derive_all(connection)


def derive_all(connection: Connection) -> Counter[str]:
    """The same in the caller's transaction."""
    rows: Counter[str] = Counter()
    for stretch in cast("list[Stretch]", driver(connection).execute("FROM stale_ranges ORDER BY ALL").fetchall()):
        present = {code for (code,) in run(connection, _CODES, stretch).fetchall()}
        for derived in DERIVED:
            if present.intersection(derived.codes):
                rows[derived.table] += _table(connection, derived, stretch)
                rows["quarantine"] += _set_aside(connection, derived, stretch)
    driver(connection).execute("DELETE FROM stale_ranges")
    return rows


def _table(connection: Connection, derived: Derived, stretch: Stretch) -> int:
    more = 0
    for statement in statements(derived):
        word = statement.split(maxsplit=1)[0]
        if word in ("DELETE", "INSERT"):
            more += number(connection, statement, stretch) * (1 if word == "INSERT" else -1)
        else:
            run(connection, statement, stretch)
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
