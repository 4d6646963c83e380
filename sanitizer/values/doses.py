"""Synthetic boluses as doses: insulin on board at any moment, and what was given up to it. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sanitizer.values.boluses import Boluses
from sanitizer.values.numbers import Whole

_DURATION: Final = 5 * 3600
_MOST_TOGETHER: Final = 400
"""Doses in five hours that are summed up; a log with more is no person's, and must not take for ever."""
_MOST: Final = 250_000
"""Milliunits on board; the policy bounds what a cassette may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """When insulin of boluses was in, sorted, and how many milliunits."""

    at: Whole
    units: Whole

    @classmethod
    def of(cls, given: Boluses) -> "Doses":
        """Both parts of every bolus."""
        at = np.concatenate((given.now_done, given.over[given.later > 0]))
        units = np.concatenate((given.delivered_now, given.delivered_later[given.later > 0]))
        order = np.argsort(at, kind="stable")
        return cls(at=at[order], units=units[order])

    def on_board(self, moments: Whole) -> Whole:
        """Milliunits still working: a parabola down to nothing in five hours, the dose of the moment itself included."""
        out = np.zeros(moments.shape, np.int64)
        if not len(self.at):
            return out
        behind = np.searchsorted(self.at, moments, side="right")
        for back in range(1, _MOST_TOGETHER + 1):
            which = behind - back
            left = np.where(which >= 0, _DURATION - (moments - self.at[np.maximum(which, 0)]), 0)
            if not (left > 0).any():
                break
            out += np.where(left > 0, self.units[np.maximum(which, 0)] * left * left // (_DURATION * _DURATION), 0)
        return np.minimum(out, _MOST)

    def sum_until(self, moments: Whole) -> Whole:
        """Milliunits given up to these moments."""
        return np.concatenate(([0], np.cumsum(self.units)))[np.searchsorted(self.at, moments, side="right")]
