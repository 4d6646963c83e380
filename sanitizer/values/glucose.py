"""A synthetic glucose curve: a function of the pump's clock, adjusted only at readings flagged high or low. Pure.

Meals, boluses and alerts do not affect it: otherwise a person's excursions would show in it (docs/decisions/synthetic-values.md).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sanitizer.values.numbers import Whole, around, drift, nearest, rhythm

LOWEST, HIGHEST = 40, 400
"""mg/dL: the ends of what sensors show, and what stands beside the flags for low and high."""

_MEAN: Final = 14_500
_STEEPEST: Final = 5
"""Hundredths of mg/dL a second on the way to a flagged reading: 3 mg/dL a minute."""
_RATE_WINDOW: Final = 300
_MOST_RATE: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Glucose at any moment; `high` and `low` are the moments of flagged readings, sorted."""

    high: Whole
    low: Whole

    def at(self, moments: Whole) -> Whole:
        """mg/dL at these pump seconds, strictly between the sensor's ends."""
        level = _MEAN + rhythm(moments, 1_500) + drift(moments, 4 * 3600, 4_000, 1) + drift(moments, 3600, 1_200, 2)
        level += around(moments // 300, 100, 3)
        if len(self.high):
            level = np.maximum(level, HIGHEST * 100 - _STEEPEST * nearest(moments, self.high))
        if len(self.low):
            level = np.minimum(level, LOWEST * 100 + _STEEPEST * nearest(moments, self.low))
        shown: Whole = np.clip((level + 50) // 100, LOWEST + 1, HIGHEST - 1)
        return shown

    def rate(self, moments: Whole) -> Whole:
        """The change over the last five minutes in tenths of mg/dL a minute, as sensors tell it."""
        change: Whole = np.clip((self.at(moments) - self.at(moments - _RATE_WINDOW)) * 2, -_MOST_RATE, _MOST_RATE)
        return change

    def measured(self, moments: Whole) -> Whole:
        """What a finger-stick shows: within 5 mg/dL of the curve."""
        stick: Whole = np.clip(self.at(moments) + around(moments // 60, 5, 4), LOWEST + 1, HIGHEST - 1)
        return stick
