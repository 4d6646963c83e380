"""Where pumps' clocks lost their time (docs/decisions/instants.md), and which events nobody can date because of it. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.store.engine import driver
from tandem.clocklife import NO_PUMP_YET

# A break lasts until the next setting that may be right, or the next break.
_BREAKS: Final = f"""
WITH facts AS (
    SELECT device_id, sequence_group, kind, sequence_number, lead(sequence_number) OVER known AS beyond, lead(kind) OVER known AS next_kind
    FROM clock_facts WHERE kind = 'broke' OR (kind IN ('set', 'jumped') AND pump_seconds >= {NO_PUMP_YET})
    WINDOW known AS (PARTITION BY device_id, sequence_group ORDER BY sequence_number, kind)
)
SELECT f.device_id, f.sequence_group, f.sequence_number, CASE WHEN next_kind <> 'broke' THEN beyond END, count(*),
    min_by(e.pump_time, e.sequence_number), max_by(e.pump_time, e.sequence_number)
FROM facts f JOIN events e ON e.device_id = f.device_id AND e.sequence_group = f.sequence_group
    AND e.sequence_number >= f.sequence_number AND (beyond IS NULL OR e.sequence_number < beyond)
WHERE f.kind = 'broke' GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBreak:
    """A clock that lost its time, from this event on: how many events until it was set or broke again, and from when to when it showed.

    `setting`: the event that set it; None where none is known, so that nobody knows when these events were.
    """

    device: int
    group: int
    sequence: int
    setting: int | None
    events: int
    first: datetime | None
    last: datetime | None

    def __str__(self) -> str:
        """One sentence, with what to do."""
        told = (
            f"device {self.device}: its clock lost its time before event {self.sequence}, and no setting says so: {self.events:,} events, "
            f"{self.first} to {self.last} on its clock"
        )
        if self.setting is not None:
            return f"{told}, are counted back from the setting at event {self.setting} and marked assumed"
        return (
            f"{told}, are marked assumed and may be wrong by years; where days around them were never fetched, run the pipeline over them "
            "(a setting may be there), else leave out the rows whose clock is assumed"
        )


def clock_breaks(connection: Connection) -> Iterator[ClockBreak]:
    """Every break that leaves events uncertain; where it begins with a setting, none are."""
    rows = driver(connection).execute(_BREAKS).fetchall()
    for device, group, sequence, setting, events, first, last in cast(
        "list[tuple[int, int, int, int | None, int, datetime | None, datetime | None]]", rows
    ):
        yield ClockBreak(device=device, group=group, sequence=sequence, setting=setting, events=events, first=first, last=last)
