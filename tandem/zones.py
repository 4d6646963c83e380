"""Zones: when a time zone's offset from UTC changes, and what it is at a moment. Pure.

zoneinfo does not list transitions, so days are compared and the second found by halving.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

_DAY: Final = 86_400
_YEARS: Final = (1971, 2200)  # what a pump's wall clock can reach, and some more


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The offset from UTC changes at `moment` (Unix seconds), from `before` to `after` (seconds)."""

    moment: int
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offsets:
    """Transitions by the column, and the offset before the first and after each."""

    moments: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, start: int, transitions: tuple[Transition, ...]) -> "Offsets":
        """These transitions, in order of time, and the offset before all of them."""
        rows = [(one.moment, one.before, one.after) for one in transitions]
        moments, before, after = np.array(rows, np.int64).reshape(-1, 3).T
        return cls(moments=moments, before=before, after=after, offsets=np.append(np.int64(start), after))


def year_of(unix: int) -> int:
    """The UTC year of a moment, within what a pump can mean."""
    return datetime.fromtimestamp(min(max(unix, new_year(_YEARS[0])), new_year(_YEARS[1])), UTC).year


@lru_cache(maxsize=64)
def transitions(zone: ZoneInfo, first: int, last: int) -> tuple[Transition, ...]:
    """The transitions of these UTC years, both included."""
    return tuple(one for year in range(first, last + 1) for one in _of_year(zone, year))


@lru_cache(maxsize=4096)
def offset_at(zone: ZoneInfo, unix: int) -> int:
    """The zone's offset from UTC in seconds at a moment; beyond a pump's years, that of the nearest."""
    unix = min(max(unix, new_year(_YEARS[0])), new_year(_YEARS[1]))
    offset = datetime.fromtimestamp(unix, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@lru_cache(maxsize=4096)
def _of_year(zone: ZoneInfo, year: int) -> tuple[Transition, ...]:
    ticks = range(new_year(year), new_year(year + 1) + 1, _DAY)
    offsets = [offset_at.__wrapped__(zone, tick) for tick in ticks]
    found = []
    for (low, before), (high, after) in pairwise(zip(ticks, offsets, strict=True)):
        if before != after:
            found.append(Transition(moment=_halve(zone, low, high, before), before=before, after=after))
    return tuple(found)


def _halve(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at.__wrapped__(zone, middle) == before else (low, middle)
    return high


def new_year(year: int) -> int:
    """The first moment of a UTC year, in Unix seconds."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
