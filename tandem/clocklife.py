"""Which UTC offset a pump's clock had between one change of the clock and the next. Pure.

The clock runs on by itself and moves only when somebody sets it (13, 14), and the event says by how much. So all its offsets depend on one
unknown: the offset at one moment. It is chosen so that the clock is right in the account's zone after as many settings as possible; in a
tie, so that it was right before the first. A new pump's first setting, by years, says nothing about the time before. A clock that lost its
time (a break) begins anew: nothing known of it before says anything about it after, or the other way round. Reasons and limits:
docs/decisions/instants.md.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from tandem.clock import UNIX_OF_PUMP_EPOCH
from tandem.zones import offset_at, transitions, year_of

_SAME_SETTING: Final = 60  # s; a time and a date set together are two events, a moment apart on the new clock
_DAY: Final = 86_400
_OCCASION: Final = 3600  # s; settings within an hour are one occasion: the last of them counts, those before were on the way to it
_NO_JOURNEY: Final = 26 * 3600  # s; from the westernmost zone to the easternmost. By more a clock was not set right before
_WEEK: Final = 7 * 86_400  # people set the clock some days early; late, they may be by any time
_BY_HAND: Final = 240  # s; how far off a clock set by hand may be
_DRIFT: Final = 1e-4  # a bad quartz; a good one loses a tenth of it
_MOST_DRIFT: Final = 900  # s
NO_PUMP_YET: Final = (
    4 * 365 * _DAY
)  # pump seconds: the end of 2011; the first of these pumps was sold in 2012, and a reset clock shows 2008


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ClockChange:
    """One setting of the pump's clock: from this sequence number on, by so many seconds, to this wall time (pump seconds)."""

    sequence: int
    shift: int
    seconds: int

    @property
    def after(self) -> int:
        """The wall time after it, in Unix seconds as if it were UTC."""
        return self.seconds + UNIX_OF_PUMP_EPOCH

    @property
    def before(self) -> int:
        """The wall time before it."""
        return self.after - self.shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The clock between two settings: its offset in seconds after the first and before the second (a drift, where they differ).

    `is_home`: whether it was right in the account's zone, for its season or the one before.
    """

    start: int
    end: int
    is_home: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The settings, those of one moment as one, and the stays before, between and after them: one more than settings."""

    changes: tuple[ClockChange, ...]
    stays: tuple[Stay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A clock from one break to the next: from this sequence number on, with this life; None where it was not set.

    `unknown`: in how many of its stays, from the first on, nobody knows the time: after a break up to a setting that may be right.
    """

    first: int
    life: Life | None
    unknown: int


def parts(zone: ZoneInfo, changes: Sequence[ClockChange], breaks: Sequence[int]) -> tuple[Part, ...]:
    """The parts of a clock's life, one more than breaks; these are the first sequence numbers after each."""
    ordered = sorted(changes)
    firsts = (0, *sorted({_first_of_setting(ordered, one) for one in breaks}))
    edges = [0, *(bisect_left(ordered, first, key=lambda one: one.sequence) for first in firsts[1:]), len(ordered)]
    settings = [tuple(ordered[low:high]) for low, high in pairwise(edges)]
    return tuple(_part(zone, first, some) for first, some in zip(firsts, settings, strict=True))


def _first_of_setting(ordered: Sequence[ClockChange], sequence: int) -> int:
    """A break that a setting shows is before the whole setting, which may be two events."""
    place = bisect_left(ordered, sequence, key=lambda one: one.sequence)
    while 0 < place < len(ordered) and ordered[place].sequence == sequence and _are_one(ordered[place - 1], ordered[place]):
        place -= 1
        sequence = ordered[place].sequence
    return sequence


def _part(zone: ZoneInfo, first: int, changes: tuple[ClockChange, ...]) -> Part:
    if not changes:
        return Part(first=first, life=None, unknown=1 if first else 0)
    lived = life(zone, changes, is_reset=first > 0)
    right = [place for place, one in enumerate(lived.changes) if one.seconds >= NO_PUMP_YET]
    return Part(first=first, life=lived, unknown=(right[0] if right else len(lived.changes)) + 1 if first else 0)


@lru_cache(maxsize=256)
def life(zone: ZoneInfo, changes: tuple[ClockChange, ...], *, is_reset: bool = False) -> Life:
    """The life of a clock with these settings, at least one, in order of sequence; `is_reset`: it had lost its time before the first."""
    settings = _together(changes)
    anchors = _anchors(zone, settings)
    if is_reset:  # what shows a year without pumps is not the time
        anchors = [one for one in anchors if settings[max(one[0] - 1, 0)].seconds >= NO_PUMP_YET] or anchors
    lives = [_lived(zone, settings, anchor, offset) for anchor, offset in anchors]
    best = max(range(len(lives)), key=lambda place: (sum(stay.is_home for stay in lives[place]), -place))
    return Life(changes=settings, stays=lives[best])


def _together(changes: Sequence[ClockChange]) -> tuple[ClockChange, ...]:
    """Settings of one moment as one, from the sequence number of the first."""
    found: list[ClockChange] = []
    for change in sorted(changes):
        if found and _are_one(found[-1], change):
            found[-1] = ClockChange(sequence=found[-1].sequence, shift=found[-1].shift + change.shift, seconds=found[-1].seconds)
        else:
            found.append(change)
    return tuple(found)


def _are_one(time: ClockChange, date: ClockChange) -> bool:
    """Whether one of them moved the date, and both are dated by the clock before the change."""
    moves_the_date = any(one.shift and one.shift % _DAY == 0 for one in (time, date))
    return moves_the_date and abs(date.seconds - time.seconds) <= _SAME_SETTING and date.sequence - time.sequence <= _SAME_SETTING


def _is_last_of_occasion(settings: Sequence[ClockChange], place: int) -> bool:
    return place == len(settings) - 1 or settings[place + 1].before - settings[place].after > _OCCASION


def _anchors(zone: ZoneInfo, settings: Sequence[ClockChange]) -> list[tuple[int, int]]:
    """Which stay may have been right, and its offset then; the earliest first."""
    ends = [place for place in range(len(settings)) if _is_last_of_occasion(settings, place)]
    first = [] if abs(sum(one.shift for one in settings[: ends[0] + 1])) > _NO_JOURNEY else [(0, _home_of(zone, settings[0].before))]
    return first + [(place + 1, _home_of(zone, settings[place].after)) for place in ends]


def _home_of(zone: ZoneInfo, wall: int) -> int:
    """The zone's offset when a clock at home shows this."""
    return offset_at(zone, wall - offset_at(zone, wall - offset_at(zone, wall)))


def _lived(zone: ZoneInfo, settings: Sequence[ClockChange], anchor: int, offset: int) -> tuple[Stay, ...]:
    """The stays, if that one began at this offset."""
    starts: dict[int, int] = {anchor: offset}
    home: dict[int, bool] = {anchor: True}
    for place in range(anchor, len(settings)):  # forwards: setting `place` lies between the stays `place` and `place + 1`
        told = starts[place] + settings[place].shift
        found = _landed(zone, settings, place, told, _tolerance(settings, place))
        if found is None and home[place] and abs(settings[place].shift) <= _tolerance(settings, place):
            found = starts[place]
        starts[place + 1], home[place + 1] = (told, False) if found is None else (found, True)
    for place in range(anchor, 0, -1):  # and backwards
        told = starts[place] - settings[place - 1].shift
        found = _landed(zone, settings, place - 2, told, _tolerance(settings, place - 1)) if place > 1 else _left(zone, settings[0], told)
        starts[place - 1], home[place - 1] = (told, False) if found is None else (found, True)
    ends = [starts[place + 1] - one.shift for place, one in enumerate(settings)]
    starts[0] = ends[0]  # nobody knows when it was set before
    return tuple(Stay(start=starts[place], end=end, is_home=home[place]) for place, end in enumerate([*ends, starts[len(settings)]]))


def _landed(zone: ZoneInfo, settings: Sequence[ClockChange], place: int, told: int, tolerance: float) -> int | None:
    """The zone's own offset, if a clock with this offset after that setting is right but for minutes."""
    if not _is_last_of_occasion(settings, place):
        return None
    moment = settings[place].after - told
    near = (offset_at(zone, moment), offset_at(zone, moment - _WEEK), offset_at(zone, moment + _WEEK))
    return next((one for one in near if abs(told - one) <= tolerance), None)


def _left(zone: ZoneInfo, first: ClockChange, told: int) -> int | None:
    """The same before the first setting, which may be a late one; how much later than right nobody knows."""
    moment = first.before - told
    season = [one.before for one in transitions(zone, year_of(moment) - 1, year_of(moment)) if one.moment <= moment][-1:]
    near = (offset_at(zone, moment), offset_at(zone, moment + _WEEK), *season)
    return told if any(abs(told - one) <= _MOST_DRIFT for one in near) else None


def _tolerance(settings: Sequence[ClockChange], place: int) -> float:
    """By how much a setting may put right what the clock has drifted since the one before."""
    if place == 0:
        return _MOST_DRIFT
    elapsed = settings[place].before - settings[place - 1].after
    return max(0.0, min(_MOST_DRIFT, _BY_HAND + _DRIFT * elapsed, elapsed / 2))
