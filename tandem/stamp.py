"""Dates and times as Tandem Source writes them in JSON, read and written without changing a character."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tfx.errors import FormatError

_WRITTEN: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A date, or a date and time, with the digits and the zone it was written with.

    The service writes fractions of 2, 3 and 7 digits, `Z`, `+00:00` and no zone at all, and a `Z` on pump wall times that are not
    UTC (`estimatedDateTime`); so `moment` is what the digits say, whatever the zone claims. Its `repr` hides the moment.
    """

    moment: datetime
    fraction: str = ""
    zone: str = ""
    has_time: bool = True

    @classmethod
    def parse(cls, text: str) -> "Stamp":
        """Read `2026-04-30`, `2026-04-30T00:00:06` and its forms with fraction and zone. Raises FormatError for anything else."""
        found = _WRITTEN.fullmatch(text)
        day_time = f"{found['day']}T{found['time'] or '00:00:00'}" if found else ""
        try:
            moment = datetime.strptime(day_time, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007  # the digits, not the instant
        except ValueError:  # its text quotes what was written
            raise FormatError(f"not a date or time as Tandem Source writes it ({len(text)} characters)") from None
        assert found is not None
        return cls(moment=moment, fraction=found["fraction"] or "", zone=found["zone"] or "", has_time=found["time"] is not None)

    def shifted(self, by: timedelta) -> "Stamp":
        """The same writing, moved. Raises FormatError if it would leave the years 1 to 9999, or be a date moved by part of a day."""
        if not self.has_time and by % timedelta(days=1):
            raise FormatError("a date without a time can be moved by whole days only")
        try:
            return replace(self, moment=self.moment + by)
        except OverflowError as e:
            raise FormatError("a date cannot be moved out of the years 1 to 9999") from e

    def __str__(self) -> str:
        if not self.has_time:
            return self.moment.date().isoformat()
        fraction = f".{self.fraction}" if self.fraction else ""
        return f"{self.moment.isoformat(timespec='seconds')}{fraction}{self.zone}"

    def __repr__(self) -> str:
        return "Stamp(date and time)" if self.has_time else "Stamp(date)"
