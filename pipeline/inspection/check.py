"""`tfx pipeline check`: compare what was received with what each table holds. Reads only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.inspection.clock_breaks import ClockBreak, clock_breaks
from pipeline.inspection.comparison import altered_views, differences, records_only
from pipeline.inspection.instant_checks import Doubt, collisions, doubts
from pipeline.inspection.insulin_checks import insulin
from pipeline.inspection.missing_numbers import Missing, missing
from pipeline.inspection.places import COUNTED, Place, where_events_went
from pipeline.models import IDENTITY, MODELS
from pipeline.receive.framing import A_HANDFUL
from pipeline.store.engine import driver
from pipeline.store.profiles import altered_profiles
from pipeline.store.quarantine import altered
from pipeline.store.ranges import CUT_SHORT, UNSETTLED, is_waiting
from pipeline.store.unread_days import unread_days

_KEY: Final = ", ".join(IDENTITY)

# Seconds stand in a record's third to sixth byte. A run accepts so few that they need no review, unless it keeps any number.
_CHANGED: Final = f"""
SELECT device_id, count(*), count(*) FILTER (TRY_CAST('0x' || substr(hex(q.raw), 5, 8) AS BIGINT) > r.pump_seconds)
FROM quarantine q JOIN raw_events r USING ({_KEY}) WHERE reason = 'changed record' GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # our own names


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
        places = tuple(where_events_went(connection))
        is_whole, is_settled = not is_waiting(connection), not is_waiting(connection, UNSETTLED)
        findings = (
            *broken,
            *_counts(connection, places),
            *(() if is_whole else (_not_compared(is_settled=is_settled),)),
            *_unread(connection),
            *_changed(connection),
            *_references(connection),
            *insulin(connection),
            *(collisions(connection) if is_settled else ()),
            *altered(connection),
            *altered_profiles(connection),
            *altered_views(connection),
            *differences(connection, is_whole=is_whole, is_settled=is_settled),
        )
        aside = _rows(connection, "SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY reason")
        set_aside = {str(reason): int(cast("int", count)) for reason, count in aside}
        mended = tuple(one for one in clock_breaks(connection) if one.setting is not None)
        doubtful = doubts(connection)
        return Checked(places=places, set_aside=set_aside, missing=missing(connection), doubts=doubtful, breaks=mended, findings=findings)


def _counts(connection: Connection, places: tuple[Place, ...]) -> Iterator[str]:
    for place in places:
        if place.received != place.events:
            yield f"event {place.code}: {place.received:,} in raw_events and {place.events:,} in events"
        if place.rows is not None and place.rows + place.set_aside + place.silent != place.events:
            yield (
                f"event {place.code}: {place.events:,} events and {place.rows:,} rows in {place.table}, {place.set_aside:,} set aside, "
                f"{place.silent:,} silent"
            )
    for table in COUNTED:
        of_table = [place for place in places if (place.table == "bolus_messages" if table == "boluses" else place.table == table)]
        told = sum((place.rows or 0) if table == "boluses" else place.events - place.set_aside for place in of_table)
        ((joined,),) = _rows(connection, f"SELECT coalesce(sum(messages), 0)::BIGINT FROM {table}")  # noqa: S608  # our own names
        if joined != told:
            yield f"{table}: rows are joined from {joined:,} events, and {told:,} were told"


def _not_compared(*, is_settled: bool) -> str:
    """A run was cut short, and what of the tables is passed over until it is completed."""
    what = "derived tables" if is_settled else "instants and derived tables"
    return f"{CUT_SHORT}; {what} are not compared before that, so check again then"


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


def _rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return driver(connection).execute(query).fetchall()
