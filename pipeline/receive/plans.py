"""Which windows a run requests. Pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from pipeline.receive.pumps import Pump
from tandem.windows import Window, windows

_EAST = timedelta(hours=14)  # no zone is further ahead, so no pump's date is later than this

Plan = tuple[Window, ...]


def latest_wall(now: datetime) -> datetime:
    """The latest wall time that a pump's clock can show at that moment: in the zone furthest ahead, and set wrong by up to a day."""
    return (now + _EAST + timedelta(days=1)).replace(microsecond=0, tzinfo=None)


def full(pump: Pump, now: datetime) -> Plan:
    """Everything the service says it has; nothing after today, because listed ends have been years ahead."""
    today = _today(now)
    since, until = _day(pump.first, today - timedelta(days=27)), min(_day(pump.last, today), today)
    return windows(min(since, until), until)


def incremental(pump: Pump, now: datetime, stored: date | None, holes: Iterable[Window] = ()) -> Plan:
    """From the last stored day on, that day again; everything where nothing is stored.

    Before it come the holes: days whose answer could not be read, as far as what follows does not ask for them anyway.
    """
    rest = full(pump, now) if stored is None else windows(min(stored, _today(now)), _today(now))
    return (*_before(rest[0].since, holes), *rest)


def _before(day: date, holes: Iterable[Window]) -> Plan:
    """The windows that hold the days of these holes up to a day, itself left out."""
    cut = clipped(holes, None, day - timedelta(days=1))
    return tuple(window for hole in cut for window in windows(hole.since, hole.until))


def backfill(since: date, until: date) -> Plan:
    """These days, both included."""
    return windows(since, until)


def clipped(recorded: Iterable[Window], since: date | None, until: date | None) -> Plan:
    """What a cassette has of these days."""
    cut = ((max(window.since, since or window.since), min(window.until, until or window.until)) for window in recorded)
    return tuple(Window(since=first, until=last) for first, last in cut if first <= last)


def _today(now: datetime) -> date:
    return (now + _EAST).date()


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return otherwise
