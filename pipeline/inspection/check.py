"""`tfx pipeline check`: compare what was received with what each table holds. Reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.extracts.tables import CLAIMS, DERIVED, EVENTS_ONLY
from pipeline.extracts.wire import stored
from pipeline.inspection.clock_breaks import ClockBreak, clock_breaks
from pipeline.inspection.comparison import altered_views, differences, records_only
from pipeline.inspection.instant_checks import Doubt, collisions, doubts
from pipeline.inspection.missing_numbers import Missing, missing
from pipeline.models import IDENTITY, MODELS
from pipeline.receive.framing import A_HANDFUL
from pipeline.store.engine import driver
from pipeline.store.profiles import altered_profiles
from pipeline.store.quarantine import altered
from pipeline.store.ranges import CUT_SHORT, is_waiting
from pipeline.store.unread_days import unread_days
from tandem.clock import NOT_A_DATE
from tandem.glucose import SENSORS

_KEY: Final = ", ".join(IDENTITY)
_COUNTED: Final = tuple(derived.table for derived in DERIVED if derived.row and "messages" in derived.row)
"""Tables with several events a row, which say how many."""

# A sensor that warms up tells messages without a time; no row comes of them and nothing is wrong.
_SILENT: Final = " OR ".join(f"(code = {code} AND {stored(code, 'egvTimeStamp')} IN {NOT_A_DATE})" for code in SENSORS)

# What no table takes, but for its time or its code: an event may be there for two reasons.
_ASIDE: Final = f"SELECT code, count(DISTINCT ({_KEY})) FROM quarantine WHERE raw IS NULL GROUP BY code"  # noqa: S608  # our own names

# The pump's own count of a day's basal insulin (81) against rates by time, each cut to the day as far as it was counted. Asked of days that
# have their midnight (90), no setting of the clock (13, 14) and no rate that nobody knows the end of: docs/decisions/basal-by-time.md.
_BASAL: Final = """
WITH midnights AS (
    SELECT device_id, pump_time::DATE AS day, max(instant) AS midnight FROM events WHERE code = 90 AND hour(pump_time) = 0 GROUP BY ALL
),
settings AS (SELECT device_id, instant FROM events WHERE code IN (13, 14)),
days AS (
    SELECT t.device_id, t.day, t.basal_units, t.told_instant, m.midnight FROM daily_totals t JOIN midnights m USING (device_id, day)
    WHERE NOT EXISTS (FROM settings s WHERE s.device_id = t.device_id AND s.instant BETWEEN m.midnight - INTERVAL 1 DAY AND t.told_instant)
),
spans AS (
    SELECT device_id, instant, instant + to_seconds(seconds) AS ended, seconds, commanded_milliunits_per_hour AS rate FROM basal_spans
),
pieces AS (
    SELECT s.*, day FROM spans s ASOF JOIN days d ON s.device_id = d.device_id AND s.instant >= d.midnight
    UNION
    SELECT s.*, day FROM spans s ASOF JOIN days d ON s.device_id = d.device_id AND s.ended >= d.midnight
),
cut AS (
    SELECT d.*, p.* EXCLUDE (device_id, day), epoch(least(told_instant, ended)) - epoch(greatest(midnight, instant)) AS inside
    FROM pieces p JOIN days d USING (device_id, day)
)
SELECT device_id, day::VARCHAR, basal_units, round(sum(rate / 3600000 * greatest(0, inside)), 3) AS counted
FROM cut GROUP BY device_id, day, basal_units
HAVING bool_or(instant <= midnight) AND NOT bool_or(seconds >= 3600 AND inside > 0)
    AND abs(counted - basal_units) > greatest(0.3, 0.05 * basal_units)
ORDER BY ALL
"""
# Seconds stand in a record's third to sixth byte. A run accepts so few that they need no review, unless it keeps any number.
_CHANGED: Final = f"""
SELECT device_id, count(*), count(*) FILTER (TRY_CAST('0x' || substr(hex(q.raw), 5, 8) AS BIGINT) > r.pump_seconds)
FROM quarantine q JOIN raw_events r USING ({_KEY}) WHERE reason = 'changed record' GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # our own names
# A bolus delivered what its completions say; an extended one that still runs (no 21 yet), up to what its deliveries (280) count.
_BOLUSES: Final = """
SELECT round(sum(delivered_units), 3), (SELECT round(sum(delivered_units), 3) FROM bolus_messages WHERE code IN (20, 21)), (
    SELECT sum(delivered_units) FROM bolus_messages m WHERE code = 280 AND NOT EXISTS (
        FROM bolus_messages o WHERE o.code = 21 AND o.device_id = m.device_id AND o.bolus_id = m.bolus_id
    )
)
FROM boluses WHERE completion IS NOT NULL
"""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Every code's place, and what does not add up: a sentence each, without a value of anybody's.

    `set_aside` counts the rows of the quarantine by reason, as a run tells them; what could not be read at all has no place. `missing`
    are sequence numbers nothing was received of, which is no fault (pipeline/inspection/missing_numbers.py). `doubts` are
    events whose instants are not certain (docs/decisions/instants.md), `breaks` where a clock lost its time and was set again.
    """

    places: tuple[Place, ...]
    set_aside: Mapping[str, int]
    missing: tuple[Missing, ...]
    doubts: tuple[Doubt, ...]
    breaks: tuple[ClockBreak, ...]
    findings: tuple[str, ...]


def check(connection: Connection) -> Checked:
    """Compare counts and sums between the stages, and every row with what raw_events gives."""
    with records_only(connection) as broken:
        places = tuple(_places(connection))
        is_whole = not is_waiting(connection)
        findings = (
            *broken,
            *_counts(connection, places, is_whole=is_whole),
            *_unread(connection),
            *_changed(connection),
            *_references(connection),
            *_insulin(connection),
            *(collisions(connection) if is_whole else ()),
            *altered(connection),
            *altered_profiles(connection),
            *altered_views(connection),
            *differences(connection, is_whole=is_whole),
        )
        aside = _rows(connection, "SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY reason")
        set_aside = {str(reason): int(cast("int", count)) for reason, count in aside}
        mended = tuple(one for one in clock_breaks(connection) if one.setting is not None)
        doubtful = doubts(connection)
        return Checked(places=places, set_aside=set_aside, missing=missing(connection), doubts=doubtful, breaks=mended, findings=findings)


# --- what went where


def _places(connection: Connection) -> Iterator[Place]:
    received = _by_code(connection, "SELECT code, count(*) FROM raw_events GROUP BY code")
    events = _by_code(connection, "SELECT code, count(*) FROM events GROUP BY code")
    names = {code: str(name) for code, name in _rows(connection, "SELECT DISTINCT code, name FROM events")}
    tables = dict.fromkeys(CLAIMS.values())
    went = {code: counts for table in tables for code, *counts in cast("list[tuple[int, ...]]", _rows(connection, _went(table)))}
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
            rows=None if table in _COUNTED or code not in CLAIMS else rows,
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


# --- what does not add up


def _counts(connection: Connection, places: tuple[Place, ...], *, is_whole: bool) -> Iterator[str]:
    for place in places:
        if place.received != place.events:
            yield f"event {place.code}: {place.received:,} in raw_events and {place.events:,} in events"
        if place.rows is not None and place.rows + place.set_aside + place.silent != place.events:
            yield (
                f"event {place.code}: {place.events:,} events and {place.rows:,} rows in {place.table}, {place.set_aside:,} set aside, "
                f"{place.silent:,} silent"
            )
    for table in _COUNTED:
        of_table = [place for place in places if (place.table == "bolus_messages" if table == "boluses" else place.table == table)]
        told = sum((place.rows or 0) if table == "boluses" else place.events - place.set_aside for place in of_table)
        ((joined,),) = _rows(connection, f"SELECT coalesce(sum(messages), 0)::BIGINT FROM {table}")  # noqa: S608  # our own names
        if joined != told:
            yield f"{table}: rows are joined from {joined:,} events, and {told:,} were told"
    if not is_whole:
        yield CUT_SHORT


def _unread(connection: Connection) -> Iterator[str]:
    for window in unread_days(connection):
        yield f"the answer for {window} could not be read to its end, so events are missing; the next tfx pipeline run asks for it again"


def _changed(connection: Connection) -> Iterator[str]:
    for device, count, later in cast("list[tuple[int, int, int]]", _rows(connection, _CHANGED)):
        if count > A_HANDFUL:
            why = (
                "all of them later than those: the pump was reset and counts from the beginning again, or they are another recording's"
                if later == count
                else "another pump's, or another recording's"
            )
            yield f"device {device}: {count:,} events of numbers that other events have are in the quarantine alone; {why}"


def _references(connection: Connection) -> Iterator[str]:
    """Rows that refer to nothing, and keys that come twice: no index keeps the larger tables from either."""
    for table in (str(model.__tablename__) for model in MODELS if set(IDENTITY) <= set(model.__table__.columns.keys())):
        if table not in ("raw_events", "quarantine"):
            ((lost, twice),) = _rows(connection, f"""
                SELECT count(*) FILTER (r.device_id IS NULL), count(*) - count(DISTINCT ({", ".join(f"t.{name}" for name in IDENTITY)}))
                FROM {table} t LEFT JOIN raw_events r USING ({_KEY})
            """)  # fmt: skip  # noqa: S608  # our own names
            if lost:
                yield f"{table}: {lost:,} rows of events that raw_events does not have"
            if twice:
                yield f"{table}: {twice:,} rows too many: their key is taken"
    ((homeless,),) = _rows(connection, "SELECT count(*) FROM raw_events WHERE device_id NOT IN (SELECT id FROM devices)")
    if homeless:
        yield f"raw_events: {homeless:,} rows of no device"
    ((placeless,),) = _rows(connection, f"""
        SELECT count(*) FROM quarantine q LEFT JOIN raw_events r USING ({_KEY}) WHERE q.raw IS NULL AND r.device_id IS NULL
    """)  # fmt: skip  # noqa: S608  # our own names
    if placeless:
        yield f"quarantine: {placeless:,} rows point to events that raw_events does not have"


def _insulin(connection: Connection) -> Iterator[str]:
    for device, day, told, counted in _rows(connection, _BASAL):
        yield f"device {device}, {day}: the pump counted {told} units of basal insulin, the deliveries make {counted}"
    ((joined, completed, running),) = _rows(connection, _BOLUSES)
    least, most = _number(completed), _number(completed) + _number(running)
    if not least - 0.001 <= _number(joined) <= most + 0.001:  # a thousandth of a unit is what pumps deliver in
        yield f"boluses: {_number(joined)} units in boluses that are over, {_number(completed)} in their completions"


def _by_code(connection: Connection, query: str) -> Mapping[int, int]:
    return {int(cast("int", code)): int(cast("int", count)) for code, count in _rows(connection, query) if code is not None}


def _rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return driver(connection).execute(query).fetchall()


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
