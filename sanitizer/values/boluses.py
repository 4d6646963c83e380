"""Synthetic boluses in whole milliunits: all messages of a bolus agree on requested, delivered, total and ratio. Pure.

The bolus id says which messages belong together, their flags what kind of bolus it was, their status how it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sanitizer.values.amounts import CARB_RATIO, FACTOR, MOST_BOLUS, TARGET
from sanitizer.values.chains import CHAINED, DELIVERY, DETAILS, DONE, LATER_DONE, LATER_STARTED, REQUEST, Chains, Log
from sanitizer.values.glucose import Curve
from sanitizer.values.numbers import DAY, Mask, Whole, noise

_CARB_BOLUS, _AUTOMATIC_BOLUS, _REMOTE_BOLUS = 1, 2, 3
_ALGORITHM: Final = 7
_AUTOMATIC_OPTIONS: Final = (3, 6)
_EXTENDED_OPTIONS: Final = (1, 5)
_LATER, _OVERRIDE, _CORRECTION, _CARB = 2, 4, 8, 16
_GRAMS: Final = (15, 10, 10, 10, 15, 25, 40, 45, 40, 25, 20, 40, 55, 50, 30, 20, 20, 30, 55, 60, 45, 25, 15, 15)
"""Usual carbohydrate by the hour of the day."""

_SMALLEST: Final = 50
_UNASKED: Final = 1_000
"""Milliunits of a bolus that neither carbohydrate nor glucose explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boluses:
    """A row a bolus, in the order of ids and time: seconds, flags, milliunits, grams, mg/dL.

    `of`: event code -> which bolus each of its rows belongs to. `now` and `later` are the parts requested; `now_done` and `over` when
    each of them is in.
    """

    of: Mapping[int, Whole]
    start: Whole
    now_done: Whole
    over: Whole
    is_automatic: Mask
    is_extended: Mask
    has_carbs: Mask
    carbs: Whole
    bg: Whole
    food: Whole
    correction: Whole
    now: Whole
    later: Whole
    delivered_now: Whole
    delivered_later: Whole

    @property
    def total(self) -> Whole:
        """Both parts."""
        return self.now + self.later


def boluses(log: Log, curve: Curve) -> Boluses:
    """The boluses of one pump."""
    chains = Chains(log)
    start = chains.earliest(CHAINED)
    is_automatic = chains.any(DELIVERY, "bolusSource", _ALGORITHM) | chains.any(REQUEST, "bolusType", _AUTOMATIC_BOLUS)
    for option in _AUTOMATIC_OPTIONS:
        is_automatic |= chains.any(DETAILS, "options", option)
    is_extended = chains.bit(_LATER) | chains.has(LATER_DONE) | chains.has(LATER_STARTED)
    for option in _EXTENDED_OPTIONS:
        is_extended |= chains.any(DETAILS, "options", option)
    is_override = chains.bit(_OVERRIDE) | chains.any(DETAILS, "userOverride", 1)
    # A remote request says neither way; its delivery does, and without one an override was hardly for a meal.
    is_remote = chains.any(REQUEST, "bolusType", _REMOTE_BOLUS) & ~chains.has(DELIVERY) & ~is_override
    has_carbs = (chains.bit(_CARB) | chains.any(REQUEST, "bolusType", _CARB_BOLUS) | is_remote) & ~is_automatic
    is_correction = chains.bit(_CORRECTION) | chains.any(REQUEST, "correctionBolusIncluded", 1) | is_automatic
    bg = curve.measured(start)
    carbs = np.where(has_carbs, grams(start), 0)
    food = carbs * 1_000_000 // CARB_RATIO
    correction = np.where(is_correction, np.maximum((bg - TARGET) * 1000 // FACTOR // 10 * 10, _SMALLEST), 0)
    total = np.where(has_carbs | is_correction, food + correction, _UNASKED)
    total = np.where(is_override & ~is_automatic, np.maximum(total * 8 // 100 * 10, _SMALLEST), total)
    total = np.minimum(total, MOST_BOLUS)
    later = np.where(is_extended, total // 20 * 10, 0)
    now = total - later
    now_done = chains.ends((DONE,), np.where(is_extended, start + 60, chains.latest((DELIVERY,), start + 60)))
    over = np.maximum(chains.ends((LATER_DONE,), chains.latest((DELIVERY, LATER_STARTED), now_done)), now_done)
    return Boluses(
        of=chains.of,
        start=start,
        now_done=now_done,
        over=np.where(is_extended, over, now_done),
        is_automatic=is_automatic,
        is_extended=is_extended,
        has_carbs=has_carbs,
        carbs=carbs,
        bg=bg,
        food=food,
        correction=correction,
        now=now,
        later=later,
        delivered_now=np.where(chains.is_cut_short(DONE), now * 4 // 10, now),
        delivered_later=np.where(chains.is_cut_short(LATER_DONE), later * 4 // 10, later),
    )


def grams(moments: Whole) -> Whole:
    """Carbohydrate of a meal at this time of day."""
    usual = np.array(_GRAMS, np.int64)[moments % DAY // 3600]
    eaten: Whole = np.maximum(usual * (75 + noise(moments // 3600, 5) % 51) // 100, 5)
    return eaten
