"""Noise and slopes in whole numbers only, so that every machine computes the same amounts to the last digit. Pure.

Floats would do so nearly always: an exponential may differ in its last bit between two processors, and a check that makes the amounts
again and compares would then call a clean cassette dirty.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DAY: Final = 86_400
_MOST: Final = 0xFFFF
_ADD, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def noise(places: Whole, salt: int) -> Whole:
    """A number from 0 to 65,535 for each place, by SplitMix64 (Steele, Lea, Flood 2014); `salt` tells one series from another."""
    mixed = (places.astype(np.uint64) + np.full(1, salt << 40, np.uint64)) * _ADD
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(48)).astype(np.int64)


def around(places: Whole, size: int, salt: int) -> Whole:
    """A number from -size to size for each place."""
    apart: Whole = noise(places, salt) % (2 * size + 1) - size
    return apart


def drift(seconds: Whole, period: int, size: int, salt: int) -> Whole:
    """Straight lines between a random level every `period` seconds, from -size to size."""
    place, into = np.divmod(seconds, period)
    level = noise(place, salt) * (period - into) + noise(place + 1, salt) * into
    drifted: Whole = level * (2 * size) // (period * _MOST) - size
    return drifted


def rhythm(seconds: Whole, size: int) -> Whole:
    """A daily wave of two parabolas, from -size at half past four in the morning to size at half past four in the afternoon."""
    into = (seconds - 10 * 3600 - 1800) % DAY
    half = DAY // 2
    bow = into % half * (half - into % half) * 4 * size // (half * half)
    return np.where(into < half, bow, -bow)


def between(values: Whole, points: tuple[tuple[int, int], ...]) -> Whole:
    """The value of a line through these points, level outside them; at least two points, rising."""
    places = np.array([x for x, _ in points], np.int64)
    levels = np.array([y for _, y in points], np.int64)
    inside = np.clip(values, places[0], places[-1])
    after = np.clip(np.searchsorted(places, inside, side="right"), 1, len(places) - 1)
    low, high = places[after - 1], places[after]
    level: Whole = levels[after - 1] + (levels[after] - levels[after - 1]) * (inside - low) // (high - low)
    return level


def nearest(moments: Whole, anchors: Whole) -> Whole:
    """Seconds from each moment to the nearest anchor (sorted, at least one)."""
    after = np.clip(np.searchsorted(anchors, moments), 1, len(anchors)) if len(anchors) > 1 else np.ones(moments.shape, np.int64)
    before = anchors[after - 1]
    following = anchors[np.minimum(after, len(anchors) - 1)]
    apart: Whole = np.minimum(np.abs(moments - before), np.abs(moments - following))
    return apart
