"""Instants, looked at as a whole: which are not certain, and whether time ever goes backwards. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.warehouse import driver

_DOUBTS: Final = """
SELECT device_id, clock, count(*), min(pump_time), max(pump_time), min(sequence_number), max(sequence_number)
FROM events WHERE clock IN ('assumed', 'ambiguous', 'missing') GROUP BY ALL ORDER BY ALL
"""
# A pump writes in the order of time; two records of one second may change places. Nobody knows what a pump showed before its first setting.
_BACKWARDS: Final = """
WITH stepped AS (
    SELECT device_id, sequence_number, pump_time, instant, lag(instant) OVER written AS before,
        min(sequence_number) FILTER (code IN (13, 14)) OVER (PARTITION BY device_id, sequence_group) AS first_setting
    FROM events WHERE instant IS NOT NULL WINDOW written AS (PARTITION BY device_id, sequence_group ORDER BY sequence_number)
)
SELECT device_id, count(*), min(sequence_number), min_by(pump_time, sequence_number) FROM stepped
WHERE instant < before - INTERVAL 1 MINUTE AND sequence_number IS DISTINCT FROM first_setting GROUP BY device_id ORDER BY device_id
"""
# A reading that is told again, back-filled, has the same time; another one is another reading.
_SHARED: Final = """
SELECT device_id, sum(extra)::BIGINT, min(pump_time) FROM (
    SELECT device_id, min(pump_time) AS pump_time,
        greatest(count(DISTINCT pump_time), count(*) FILTER (NOT backfilled)) - 1 AS extra
    FROM cgm_readings WHERE glucose_mg_dl IS NOT NULL GROUP BY device_id, instant
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


def collisions(connection: Connection) -> Iterator[str]:
    """Where instants go backwards, and readings that share one: a sentence each."""
    for device, count, sequence, time in driver(connection).execute(_BACKWARDS).fetchall():
        yield (
            f"device {device}: time goes back {count:,} times, first at event {sequence} ({time} on the pump's clock): a setting of its "
            "clock is missing, or events come of two clocks; run the pipeline over the days around it"
        )
    for device, count, time in driver(connection).execute(_SHARED).fetchall():
        yield f"device {device}: {count:,} glucose readings share an instant with another, first at {time} on the pump's clock"
