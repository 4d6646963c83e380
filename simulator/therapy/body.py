"""An invented metabolism: meals, the resulting glucose, insulin on board. Minimal, as columns, without a feedback loop.

Glucose is a baseline with a daily rhythm, a slow random walk and a bump after each meal that its bolus mostly covers. Insulin is
worked out from glucose afterwards, so that a century is as quick as a day.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.therapy.timeline import DAY, SLOT, Seconds, Timeline

Floats = npt.NDArray[np.float64]

LOWEST: Final = 40
HIGHEST: Final = 400
"""What sensors can show, mg/dL."""

_MEALS: Final = ((7, 30, 42.0, 0.95), (12, 30, 58.0, 0.95), (16, 0, 18.0, 0.5), (18, 45, 66.0, 1.0), (21, 15, 14.0, 0.25))
"""Hour, minute, usual grams, and on how many days."""

_APART: Final = 75 * 60
_INSULIN_HALF: Final = 55 * 60
_KERNEL_SLOTS: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Meals:
    """When somebody ate (elapsed seconds) and how much carbohydrate (grams)."""

    at: Seconds
    carbs: npt.NDArray[np.int64]


def meals(timeline: Timeline, begin: int, end: int, rng: np.random.Generator) -> Meals:
    """The meals between these times, at least 75 minutes apart; none in the first or last quarter of an hour."""
    at: list[Seconds] = []
    carbs: list[npt.NDArray[np.int64]] = []
    for hour, minute, grams, share in _MEALS:
        usual = timeline.moments(hour * 3600 + minute * 60, begin, end)
        eaten = usual[rng.random(len(usual)) < share]
        at.append(eaten + rng.normal(0, 1400, len(eaten)).astype(np.int64))
        carbs.append(np.clip(grams * rng.lognormal(0, 0.3, len(eaten)), 5, 150).astype(np.int64))
    moments, amounts = np.concatenate(at), np.concatenate(carbs)
    order = np.argsort(moments, kind="stable")
    moments, amounts = moments[order], amounts[order]
    fits = (moments > begin + 900) & (moments < end - 900) & (np.diff(moments, prepend=begin - _APART) >= _APART)
    return Meals(at=moments[fits], carbs=amounts[fits])


def glucose(timeline: Timeline, slots: Seconds, eaten: Meals, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Glucose in mg/dL at each five-minute slot, from 40 to 400."""
    phase = timeline.of_day(slots) / DAY * 2 * np.pi
    rhythm = 116 + 11 * np.sin(phase - 0.9) + 6 * np.sin(2 * phase + 0.4)
    minutes = np.arange(_KERNEL_SLOTS) * SLOT / 60
    rise = minutes / 50 * np.exp(1 - minutes / 50)
    fall = minutes / 130 * np.exp(1 - minutes / 130)
    load = eaten.carbs * rng.lognormal(0, 0.3, len(eaten.at))
    covered = eaten.carbs * rng.lognormal(0, 0.2, len(eaten.at))
    bumps = _after(slots, eaten.at, load, 1.35 * rise) - _after(slots, eaten.at, covered, 0.35 * fall)
    walk = np.convolve(rng.normal(0, 4.6, len(slots) + 200), 0.975 ** np.arange(200), mode="full")[200 : 200 + len(slots)]
    level: Floats = rhythm + bumps + walk + rng.normal(0, 1.2, len(slots))
    return np.clip(np.rint(level), LOWEST, HIGHEST).astype(np.int64)


def on_board(slots: Seconds, at: Seconds, units: Floats) -> Floats:
    """Insulin on board in units at the start of each slot, from the deliveries before it."""
    seconds = np.arange(1, _KERNEL_SLOTS + 1) * SLOT
    left = (1 + seconds / _INSULIN_HALF) * np.exp(-seconds / _INSULIN_HALF)
    left = np.concatenate(([0.0], np.clip(left - left[-1], 0, None) / (1 - left[-1])))
    return _after(slots, at, units, left)


def slot_of(slots: Seconds, moments: Seconds) -> npt.NDArray[np.int64]:
    """The index of the slot each moment falls in; those outside count to the first or last slot."""
    places: npt.NDArray[np.int64] = (moments - slots[0]) // SLOT
    return np.clip(places, 0, len(slots) - 1)


def _after(slots: Seconds, at: Seconds, amounts: Floats, kernel: Floats) -> Floats:
    doses = np.bincount(slot_of(slots, at), weights=amounts, minlength=len(slots))
    return np.convolve(doses, kernel)[: len(slots)]
