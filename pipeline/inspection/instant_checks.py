"""Check stored instants: which are uncertain, and whether time ever goes backwards. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.inspection.clock_breaks import clock_breaks
from pipeline.store.engine import driver
from tandem.windows import Window

_DOUBTS: Final = """
SELECT device_id, clock, count(*), min(pump_time), max(pump_time), min(sequence_number), max(sequence_number)
FROM events WHERE clock IN ('assumed', 'ambiguous', 'missing') GROUP BY ALL ORDER BY ALL
"""
# A pump writes in the order of time; two records of one second may change places. Nobody knows what a pump showed before its first setting.
_BACKWARDS: Final = """
WITH stepped AS (
    SELECT device_id, sequence_group, sequence_number, pump_time, instant, lag(instant) OVER written AS before,
        lag(pump_time) OVER written AS shown_before,
        min(sequence_number) FILTER (code IN (13, 14)) OVER (PARTITION BY device_id, sequence_group) AS first_setting
    FROM events WHERE instant IS NOT NULL WINDOW written AS (PARTITION BY device_id, sequence_group ORDER BY sequence_number)
)
SELECT device_id, count(*), min(sequence_number), min_by(pump_time, sequence_number) FROM stepped
WHERE instant < before - INTERVAL 1 MINUTE AND sequence_number IS DISTINCT FROM first_setting
    AND (device_id, sequence_group, sequence_number) NOT IN (BROKEN)
    AND (pump_time BETWEEN $since AND $until OR shown_before BETWEEN $since AND $until)
GROUP BY device_id ORDER BY device_id
"""
# A reading that is sent again, back-filled, has the same time; another one is another reading.
_SHARED: Final = """
SELECT device_id, sum(extra)::BIGINT, min(pump_time) FROM (
    SELECT device_id, min(pump_time) AS pump_time,
        greatest(count(DISTINCT pump_time), count(*) FILTER (NOT backfilled)) - 1 AS extra
    FROM cgm_readings WHERE glucose_mg_dl IS NOT NULL GROUP BY device_id, instant
    HAVING bool_or(pump_time BETWEEN $since AND $until)
) WHERE extra > 0 GROUP BY device_id ORDER BY device_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Events whose instants are not certain, by their mark: how many, and from where to where on the pump's clock."""

    device: int
    clock: str
    events: int
    first: datetime
    last: datetime
    sequence: tuple[int, int]


def doubts(connection: Connection) -> tuple[Doubt, ...]:
    """Per device and mark; none where every instant is certain."""
    rows = cast("list[tuple[int, str, int, datetime, datetime, int, int]]", driver(connection).execute(_DOUBTS).fetchall())
    return tuple(
        Doubt(device=device, clock=clock, events=events, first=first, last=last, sequence=(low, high))
        for device, clock, events, first, last, low, high in rows
    )


def collisions(connection: Connection, since: date = date.min, until: date = date.max) -> Iterator[str]:
    """Where instants are unknown or go backwards, and readings that share one: a sentence each. Only of these days, both included."""
    days = {"since": datetime.combine(since, time.min), "until": datetime.combine(until, time.max)}
    unknown = [one for one in clock_breaks(connection) if one.setting is None]
    yield from (
        str(one) for one in unknown if one.first is None or (one.first <= days["until"] and days["since"] <= (one.last or one.first))
    )
    broken = ", ".join(str((one.device, one.group, one.sequence)) for one in unknown) or "(0, 0, -1)"
    for device, count, sequence, shown in driver(connection).execute(_BACKWARDS.replace("BROKEN", broken), days).fetchall():
        yield (
            f"device {device}: time goes back {count:,} times, first at event {sequence} ({shown} on the pump's clock): a setting of its "
            "clock is missing, or events come of two clocks; run the pipeline over the days around it"
        )
    for device, count, shown in driver(connection).execute(_SHARED, days).fetchall():
        yield f"device {device}: {count:,} glucose readings share an instant with another, first at {shown} on the pump's clock"


def collisions_within(connection: Connection, windows: Sequence[Window]) -> Iterator[str]:
    """The same of the days from the first of these windows to the last; nothing without windows."""
    if windows:
        yield from collisions(connection, min(one.since for one in windows), max(one.until for one in windows))
