"""Dates stored as numbers (pump seconds, pump days, Unix seconds of the wall clock), shifted as `Epoch` shifts dates. Pure.

A pump's clock shows a factory date until it is set (2020-01-12 on current ones). This date is public, so shifting it would reveal the
shift. Whatever a device dates before its clock was set therefore becomes the first day of the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sanitizer.replacements.epoch import FIRST, LAST, NEVER

PUMP_DAY_ZERO: Final = date(2008, 1, 1)
UNIX_OF_PUMP_EPOCH: Final = 1_199_145_600
NOT_A_DATE: Final = frozenset({0, 0xFFFFFFFF})
DAY: Final = 86_400

FIRST_DAY: Final = (FIRST - PUMP_DAY_ZERO).days
LAST_DAY: Final = (LAST - PUMP_DAY_ZERO).days
NEVER_DAY: Final = (NEVER - PUMP_DAY_ZERO).days

FACTORY_DAYS: Final = 31
"""How long a clock may have run from its factory date before it was set; a date change by more is taken for the first setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """How one device's stored dates move: by `shift` days, and days up to `unset_until` were dated by a clock nobody had set."""

    shift: int
    unset_until: int = -1

    def day(self, number: int) -> int:
        """A day number since 2008, inside the window."""
        moved = number + self.shift
        if number <= self.unset_until or moved < FIRST_DAY:
            return FIRST_DAY
        return moved if moved <= LAST_DAY else NEVER_DAY

    def days(self, values: Sequence[int]) -> list[int]:
        """Day numbers (event 14)."""
        return [value if value in NOT_A_DATE else self.day(value) for value in values]

    def seconds(self, values: list[int], since: int = 0) -> list[int]:
        """Seconds since 2008 plus `since`; the time of day stays. The list itself where none changes."""
        if not values:
            return []
        least = max(FIRST_DAY - self.shift, self.unset_until + 1) * DAY + since
        most = (LAST_DAY + 1 - self.shift) * DAY + since
        if least <= min(values) and max(values) < most:
            by = self.shift * DAY
            return [value + by for value in values] if by else values
        return [value if value in NOT_A_DATE else self._second(value, since) for value in values]

    def unix(self, values: list[int]) -> list[int]:
        """Unix seconds that carry the wall clock (404 to 406, 477, 486)."""
        return self.seconds(values, UNIX_OF_PUMP_EPOCH)

    def is_unset(self, value: str) -> bool:
        """Whether an ISO text was dated by a clock nobody had set; its day is then the first of the window."""
        if self.unset_until < 0:
            return False
        try:
            day = (date.fromisoformat(value[:10]) - PUMP_DAY_ZERO).days
        except ValueError:
            return False
        return 0 < day <= self.unset_until

    def _second(self, value: int, since: int) -> int:
        day, second = divmod(value - since, DAY)
        return self.day(day) * DAY + second + since


def unset_until(changes: Sequence[tuple[int, int]]) -> int:
    """The last day a device's factory clock can have shown, from its date changes (day before, day after); -1 if it was always set."""
    first_settings = [before for before, after in changes if before not in NOT_A_DATE and after - before > FACTORY_DAYS]
    # On a cassette the factory date is the first day of the window already; the days behind it are real ones.
    return max((before if before == FIRST_DAY else before + FACTORY_DAYS for before in first_settings), default=-1)
