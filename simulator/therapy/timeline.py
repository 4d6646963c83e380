"""Time on an invented pump: steadily elapsing seconds, and a wall clock that its owner sets back once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

DAY: Final = 86_400
SLOT: Final = 300
"""Seconds between two sensor readings, and between two decisions of the closed loop."""

Seconds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Elapsed seconds to pump seconds: `start` is the wall clock at 0; from `change_at` on it is `change_by` seconds later."""

    start: int
    change_at: int
    change_by: int

    def wall(self, elapsed: npt.ArrayLike) -> Seconds:
        """Pump seconds (wall clock since 2008) at these elapsed seconds."""
        column = np.asarray(elapsed, np.int64)
        return self.start + column + np.where(column >= self.change_at, self.change_by, 0)

    def of_day(self, elapsed: npt.ArrayLike) -> Seconds:
        """Seconds since midnight on the wall clock."""
        return self.wall(elapsed) % DAY

    def moments(self, of_day: int, begin: int, end: int) -> Seconds:
        """Elapsed seconds in [begin, end) at which the wall clock shows this time of day, in order.

        Around the clock change a time can come twice, or never.
        """
        pieces = (
            (self.start, begin, min(end, self.change_at)),
            (self.start + self.change_by, max(begin, self.change_at), end),
        )
        found = [np.arange(low + (of_day - zero - low) % DAY, high, DAY, dtype=np.int64) for zero, low, high in pieces if low < high]
        return np.concatenate(found) if found else np.empty(0, np.int64)


def inside(moments: Seconds, starts: Seconds, stops: Seconds) -> npt.NDArray[np.bool_]:
    """Which moments lie in one of the stretches [start, stop); the stretches are in order and apart."""
    if not len(starts):
        return np.zeros(moments.shape, np.bool_)
    which = np.searchsorted(starts, moments, side="right") - 1
    return (which >= 0) & (moments < stops[which])
