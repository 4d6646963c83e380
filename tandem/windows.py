"""Windows of whole days, as the service accepts them. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from tfx.errors import UsageError

LONGEST_DAYS = 28
"""The longest window clients ask for; an answer holds about four weeks at most. Source: tconnectsync 3.0.3, `PUMP_LOGS_WINDOW_DAYS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole days of the pump's wall clock, both ends included."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise UsageError(f"a window cannot end ({self.until}) before it begins ({self.since}); swap the two dates")

    @property
    def days(self) -> int:
        """How many days it holds, at least one."""
        return (self.until - self.since).days + 1

    def __str__(self) -> str:
        return f"{self.since} to {self.until}"


def windows(since: date, until: date, days: int = LONGEST_DAYS) -> tuple[Window, ...]:
    """The span cut into windows of at most `days` days, oldest first: no gap, no overlap, only the last may be shorter.

    Raises:
        UsageError: the span ends before it begins, or a window would hold no day.
    """
    if days < 1:
        raise UsageError(f"a window holds at least one day, not {days}")
    span = Window(since=since, until=until)
    starts = (since + timedelta(days=offset) for offset in range(0, span.days, days))
    return tuple(Window(since=start, until=min(start + timedelta(days=days - 1), until)) for start in starts)
