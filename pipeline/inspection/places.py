"""Where the events of each code went. Reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.extracts.tables import CLAIMS, DERIVED, EVENTS_ONLY
from pipeline.extracts.wire import stored
from pipeline.models import IDENTITY
from pipeline.store.engine import driver
from tandem.clock import NOT_A_DATE
from tandem.glucose import SENSORS

_KEY: Final = ", ".join(IDENTITY)
COUNTED: Final = tuple(derived.table for derived in DERIVED if derived.row and "messages" in derived.row)
"""Tables with several events a row, which say how many."""

# A sensor that warms up tells messages without a time; no row comes of them and nothing is wrong.
_SILENT: Final = " OR ".join(f"(code = {code} AND {stored(code, 'egvTimeStamp')} IN {NOT_A_DATE})" for code in SENSORS)

# What no table takes, but for its time or its code: an event may be there for two reasons.
_ASIDE: Final = f"SELECT code, count(DISTINCT ({_KEY})) FROM quarantine WHERE raw IS NULL GROUP BY code"  # noqa: S608  # our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the events of one code went.

    `rows` of `table` (null where a row has several events), `set_aside` in the quarantine, `silent` because they make no row yet.
    """

    code: int
    name: str
    received: int
    events: int
    table: str
    rows: int | None
    set_aside: int
    silent: int


def where_events_went(connection: Connection) -> Iterator[Place]:
    """One a code that was received, in order."""
    received = _by_code(connection, "SELECT code, count(*) FROM raw_events GROUP BY code")
    events = _by_code(connection, "SELECT code, count(*) FROM events GROUP BY code")
    names = {code: str(name) for code, name in driver(connection).execute("SELECT DISTINCT code, name FROM events").fetchall()}
    tables = dict.fromkeys(CLAIMS.values())
    went = {
        code: counts
        for table in tables
        for code, *counts in cast("list[tuple[int, ...]]", driver(connection).execute(_went(table)).fetchall())
    }
    aside = _by_code(connection, _ASIDE)
    for code in sorted({*received, *events}):
        rows, set_aside, silent = went.get(code, (0, 0 if code in CLAIMS else aside.get(code, 0), 0))
        table = CLAIMS.get(code, "events only" if code in EVENTS_ONLY else "unknown")
        yield Place(
            code=code,
            name=names.get(code, "unknown"),
            received=received.get(code, 0),
            events=events.get(code, 0),
            table=table,
            rows=None if table in COUNTED or code not in CLAIMS else rows,
            set_aside=set_aside,
            silent=silent,
        )


def _went(table: str) -> str:
    """Per code that a table takes: events with a row of their own, without one but in the quarantine, and silent ones."""
    codes = tuple(code for code, claimed in CLAIMS.items() if claimed == table)
    return f"""
        WITH aside AS (
            SELECT DISTINCT {_KEY} FROM quarantine WHERE raw IS NULL AND reason IN ('impossible value', 'impossible time')
        ),
        silent AS (SELECT {_KEY} FROM raw_events WHERE {_SILENT})
        SELECT e.code, count(t.device_id), count(*) FILTER (t.device_id IS NULL AND a.device_id IS NOT NULL),
            count(*) FILTER (t.device_id IS NULL AND a.device_id IS NULL AND s.device_id IS NOT NULL)
        FROM events e LEFT JOIN {table} t USING ({_KEY}) LEFT JOIN aside a USING ({_KEY}) LEFT JOIN silent s USING ({_KEY})
        WHERE e.code IN ({", ".join(map(str, codes))})
        GROUP BY e.code
    """  # noqa: S608  # our own names


def _by_code(connection: Connection, query: str) -> Mapping[int, int]:
    return {
        int(cast("int", code)): int(cast("int", count)) for code, count in driver(connection).execute(query).fetchall() if code is not None
    }
