"""Find sequence numbers between the first and the last stored that were never received. Reads only.

A pump numbers its records without gaps. A missing number was not requested (a filter by event code), was overwritten in the pump before the
upload, or was lost on the way. Nobody can tell which, so gaps are reported but are no error.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.store.engine import driver

_ROUND: Final = 1 << 32
# What the quarantine alone has was received all the same.
_KNOWN: Final = """
known AS (
    SELECT device_id, sequence_group, sequence_number FROM raw_events
    UNION SELECT device_id, sequence_group, sequence_number FROM quarantine WHERE sequence_number IS NOT NULL AND sequence_group IS NOT NULL
)
"""
# After 2^32 - 1 comes 0: numbers on both sides of it are near each other, those of the lower half the later ones. The service hands out
# clock changes since the pump left the factory: numbers before the first other event are not missing.
_GAPS: Final = f"""
WITH {_KNOWN},
halves AS (
    SELECT device_id, sequence_group, max(sequence_number) - min(sequence_number) > 2147483648 AS wraps
    FROM raw_events WHERE code NOT IN (13, 14) GROUP BY ALL
),
placed AS (
    SELECT k.*, k.sequence_number + CASE WHEN wraps AND k.sequence_number < 2147483648 THEN {_ROUND} ELSE 0 END AS place, c.code
    FROM known k JOIN halves USING (device_id, sequence_group)
    LEFT JOIN raw_events c ON c.device_id = k.device_id AND c.sequence_group = k.sequence_group AND c.sequence_number = k.sequence_number
),
begun AS (SELECT device_id, sequence_group, min(place) AS first FROM placed WHERE code NOT IN (13, 14) GROUP BY ALL),
stepped AS (
    SELECT *, lag(place) OVER (PARTITION BY device_id, sequence_group ORDER BY place) AS before
    FROM placed JOIN begun USING (device_id, sequence_group) WHERE place >= first
)
SELECT device_id, sequence_group, max(place) - min(place) + 1, count(*),
    count(*) FILTER (place > before + 1), max(place - before - 1),
    arg_max(before, place - before) % {_ROUND}, arg_max(place, place - before) % {_ROUND}
FROM stepped GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # our own words
_TIME: Final = "SELECT pump_time FROM events WHERE device_id = $1 AND sequence_group = $2 AND sequence_number = $3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What was not received of one device and sequence group: `numbers` of a `span` of sequence numbers, in so many `gaps`.

    The largest gap lies between the two numbers of `around`, and their times on the pump's clock where they are known.
    """

    device: int
    sequence_group: int
    span: int
    numbers: int
    gaps: int
    around: tuple[int, int]
    times: tuple[datetime | None, datetime | None]


def missing(connection: Connection) -> tuple[Missing, ...]:
    """Per device and sequence group where any number is missing."""
    found = []
    for device, group, span, known, gaps, _, before, after in cast("list[tuple[int, ...]]", driver(connection).execute(_GAPS).fetchall()):
        if gaps:
            edges = (before, after)
            first, last = (_time_of(connection, device, group, number) for number in edges)
            one = Missing(
                device=device, sequence_group=group, span=span, numbers=span - known, gaps=gaps, around=edges, times=(first, last)
            )
            found.append(one)
    return tuple(found)


def neighbours(connection: Connection, device: int, group: int, number: int) -> tuple[int | None, int | None]:
    """The nearest numbers received before and after one that was not."""
    query = f"""
        WITH {_KNOWN} SELECT max(sequence_number) FILTER (sequence_number < $3), min(sequence_number) FILTER (sequence_number > $3)
        FROM known WHERE device_id = $1 AND sequence_group = $2
    """  # noqa: S608  # our own words
    ((before, after),) = cast("list[tuple[int | None, int | None]]", driver(connection).execute(query, [device, group, number]).fetchall())
    return before, after


def _time_of(connection: Connection, device: int, group: int, number: int) -> datetime | None:
    found = driver(connection).execute(_TIME, [device, group, number]).fetchall()
    return cast("datetime | None", found[0][0]) if found else None
