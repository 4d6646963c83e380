"""Instants: which moment in the world a pump's wall time was, under the account's time zone.

A pump keeps the offset it was last set to; nothing in a record says which. Stamping the zone on the wall time is what every client does
and is right but for three cases, all marked: the hour that repeats in autumn, the hour that is skipped in spring, and the hours between a
DST change and the moment somebody set the pump's clock (or the other way round). The account's clock changes (events 13; the bff hands
out all of them, whatever the window) decide these: a change of the size and direction of the DST change, within a week of it, says with
its sequence number from when on the pump kept the new offset. Travel to another zone is not undone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tandem.clock import MS_OF_DAY, UNIX_OF_PUMP_EPOCH, is_date
from tandem.records import Records

SURE: Final = 0
AMBIGUOUS: Final = 1
MISSING: Final = 2
NOT_A_TIME: Final = 3
BY_CLOCK_CHANGE: Final = 4

_NEAR: Final = 7 * 86_400  # a pump set later than this after a DST change is taken for something else
_TOLERANCE: Final = 30 * 60  # people set the minutes right on the same occasion
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange:
    """One setting of the pump's clock: from this sequence number on, by so many seconds, to this wall time (pump seconds)."""

    sequence: int
    shift: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instants:
    """`utc`: datetime64[s], NaT where there is no time. `status`: one of SURE, AMBIGUOUS (the first of the two hours is taken),
    MISSING (the offset before the gap is taken), NOT_A_TIME, BY_CLOCK_CHANGE (a clock change decided it).
    """  # noqa: D205  # two members, one sentence each

    utc: npt.NDArray[np.datetime64]
    status: npt.NDArray[np.uint8]


def clock_changes(records: Records) -> tuple[ClockChange, ...]:
    """The clock changes among these records (event 13), in order of sequence. The header time of a 13 is the time after."""
    chosen = records.select(13)
    columns = chosen.columns(13)
    moved = columns["timeAfter"].astype(np.int64) - columns["timePrior"].astype(np.int64)
    nearest = (moved + MS_OF_DAY // 2) % MS_OF_DAY - MS_OF_DAY // 2  # 00:30 set back to 23:30 is an hour, not a day
    rows = zip(chosen.sequence.tolist(), (nearest // 1000).tolist(), chosen.seconds.tolist(), strict=True)
    return tuple(ClockChange(sequence=sequence, shift=shift, seconds=seconds) for sequence, shift, seconds in sorted(rows))


def instants(
    seconds: npt.ArrayLike,
    zone: ZoneInfo,
    *,
    sequence: npt.ArrayLike | None = None,
    changes: Iterable[ClockChange] = (),
) -> Instants:
    """The instants of pump seconds under a zone.

    `changes` count only with `sequence`, the records' sequence numbers, of one pump and one sequence group.
    """
    stored = np.asarray(seconds, np.int64)
    dated = is_date(stored)
    status = np.where(dated, SURE, NOT_A_TIME).astype(np.uint8)
    if not dated.any():
        return Instants(utc=np.full(stored.shape, np.datetime64("NaT", "s")), status=status)
    walls = stored + UNIX_OF_PUMP_EPOCH
    table = _table(zone, int(walls[dated].min()), int(walls[dated].max()))
    offset, found = _looked_up(walls, table)
    if found.any():
        status = np.where(dated, found, status)
    if sequence is not None:
        _settle(walls, np.asarray(sequence, np.int64), table=table, changes=tuple(changes), offset=offset, status=status)
    utc = (walls - offset).view("datetime64[s]")
    return Instants(utc=utc if dated.all() else np.where(dated, utc, np.datetime64("NaT", "s")), status=status)


def _looked_up(walls: npt.NDArray[np.int64], table: "_Table") -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """The offset of each wall time, and SURE, AMBIGUOUS or MISSING. One search among the beginnings and ends of all doubtful hours."""
    ends = table.at + np.maximum(table.before, table.after)
    begins = table.at + np.minimum(table.before, table.after)
    bounds = np.sort(np.concatenate([ends, begins]))
    low = np.append(np.iinfo(np.int64).min, bounds)  # where each stretch between two bounds begins
    first, second = (np.searchsorted(some, low, side="right") for some in (ends, begins))
    back = np.append(table.after < table.before, False)  # one more, for times after the last transition
    status = np.where(first == second, SURE, np.where(back[first], AMBIGUOUS, MISSING)).astype(np.uint8)
    place = np.searchsorted(bounds, walls, side="right")
    return table.offsets[first][place], status[place]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """The transitions of a zone: when (Unix seconds), and the offsets from UTC before and after, in seconds."""

    at: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]


def _settle(
    walls: npt.NDArray[np.int64],
    sequence: npt.NDArray[np.int64],
    *,
    table: _Table,
    changes: tuple[ClockChange, ...],
    offset: npt.NDArray[np.int64],
    status: npt.NDArray[np.uint8],
) -> None:
    """Put offsets and statuses right, in place, around each transition that a clock change followed or preceded."""
    for at, before, after in zip(table.at.tolist(), table.before.tolist(), table.after.tolist(), strict=True):
        fitting = [
            change.sequence
            for change in changes
            if abs(change.seconds + UNIX_OF_PUMP_EPOCH - (at + after)) <= _NEAR and abs(change.shift - (after - before)) <= _TOLERANCE
        ]
        if not fitting:
            continue
        near = (status != NOT_A_TIME) & (np.abs(walls - (at + after)) <= _NEAR)
        kept = np.where(sequence < min(fitting), before, after)
        decided = near & ((kept != offset) | (status != SURE))
        offset[decided] = kept[decided]
        status[decided] = BY_CLOCK_CHANGE


def _table(zone: ZoneInfo, low: int, high: int) -> _Table:
    years = range(_year(low) - 1, _year(high) + 2)
    rows = [row for year in years for row in _transitions(zone, year)]
    at, before, after = np.array(rows, np.int64).reshape(-1, 3).T
    start = _offset(zone, _new_year(years[0]))
    return _Table(at=at, before=before, after=after, offsets=np.append(np.int64(start), after))


@lru_cache(maxsize=4096)
def _transitions(zone: ZoneInfo, year: int) -> tuple[tuple[int, int, int], ...]:
    """The transitions of one UTC year; zoneinfo does not list them, so days are compared and the hour found by halving."""
    ticks = range(_new_year(year), _new_year(year + 1) + 1, _DAY)
    offsets = [_offset(zone, tick) for tick in ticks]
    found = []
    for (low, before), (high, after) in pairwise(zip(ticks, offsets, strict=True)):
        if before != after:
            found.append((_halve(zone, low, high, before), before, after))
    return tuple(found)


def _halve(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: ZoneInfo, unix: int) -> int:
    offset = datetime.fromtimestamp(unix, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _year(unix: int) -> int:
    return datetime.fromtimestamp(unix, UTC).year


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
