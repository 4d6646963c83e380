"""Unread days: days whose response could not be read. They are stored and requested again until a response can be read."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.store.engine import driver
from tandem.windows import Window

_MARK: Final = """
INSERT INTO unread_days SELECT $1, unnest(generate_series($2::DATE, $3::DATE, INTERVAL 1 DAY))::DATE ON CONFLICT DO NOTHING
"""
_MEND: Final = "DELETE FROM unread_days WHERE device_id = $1 AND day BETWEEN $2 AND $3"
_OF_ALL: Final = "SELECT DISTINCT day FROM unread_days ORDER BY day"
_OF_ONE: Final = """
SELECT DISTINCT day FROM unread_days JOIN devices ON devices.id = device_id WHERE serial_number = $1 ORDER BY day
"""


def remember(connection: Connection, device_id: int, window: Window, *, is_read: bool) -> None:
    """Mark the days of a window as a hole, or take the mark off once they were read."""
    driver(connection).execute(_MEND if is_read else _MARK, [device_id, window.since, window.until])


def unread_days(connection: Connection, serial_number: str | None = None) -> tuple[Window, ...]:
    """The days nobody has read yet, of one pump or of all, oldest first; days in a row are one window, of whatever length."""
    found = driver(connection).execute(_OF_ALL if serial_number is None else _OF_ONE, None if serial_number is None else [serial_number])
    days = [cast("date", day) for (day,) in found.fetchall()]
    breaks = [place for place, (one, other) in enumerate(pairwise(days), 1) if other - one > timedelta(days=1)]
    starts = [0, *breaks] if days else []
    return tuple(Window(since=days[first], until=days[last - 1]) for first, last in zip(starts, [*breaks, len(days)], strict=bool(days)))
