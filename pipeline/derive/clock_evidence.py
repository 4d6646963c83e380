"""What a pump's records prove about its clock where no clock change event is stored. Pure.

If a pump records events without a gap in their numbers across the hour in which a clock change would show, its clock was not set. If its
time falls back by days, or leaps by years in which it wrote next to nothing, its clock lost its time: it was reset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tandem.clock import UNIX_OF_PUMP_EPOCH, is_possible
from tandem.clocklife import ClockChange
from tandem.zones import Transition, transitions, year_of

AROUND: Final = 5400  # s of wall time on either side of a transition that are looked at
_NEAR: Final = 1800  # s between two records, less than any setting moves the clock by
_STEPS: Final = 12  # sequence numbers between them: a pump writes more than that in an hour

BACK: Final = 26 * 3600  # s; by less somebody may have set it who travelled, and the event that says so was not received
AHEAD: Final = 2 * 365 * 86_400  # s
_AN_HOUR: Final = 3600  # s; a pump in use writes more than one record in it

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found out about one transition: it went unheeded, or the clock jumped there."""

    is_unset: bool = False
    jump: ClockChange | None = None


def is_break(elapsed: int, steps: int) -> bool:
    """Whether a clock lost its time between two records: the seconds from one to the next, less what settings say, and their numbers."""
    return elapsed < -BACK or elapsed > max(AHEAD, steps * _AN_HOUR)


def shown(transition: Transition) -> int:
    """What a pump that was at home before shows when the offset changes, in pump seconds."""
    return transition.moment + transition.before - UNIX_OF_PUMP_EPOCH


def near(zone: ZoneInfo, seconds: npt.NDArray[np.uint32]) -> tuple[Transition, ...]:
    """The transitions around which there are records of these times."""
    column = seconds[is_possible(seconds)].astype(np.int64)
    if not len(column):
        return ()
    first, last = (year_of(int(edge) + UNIX_OF_PUMP_EPOCH) for edge in (column.min(), column.max()))
    found = [one for one in transitions(zone, first, last) if int(column.min()) - AROUND <= shown(one) <= int(column.max()) + AROUND]
    return tuple(one for one in found if (np.abs(column - shown(one)) <= AROUND).any())


def at(zone: ZoneInfo, moments: Iterable[int]) -> tuple[Transition, ...]:
    """The transitions at these moments."""
    return tuple(one for moment in moments for one in transitions(zone, year_of(moment), year_of(moment)) if one.moment == moment)


def proof(transition: Transition, sequence: Numbers, seconds: Numbers, changes: Sequence[ClockChange]) -> Proof:
    """What the records around a transition prove, in order of sequence; `changes` are the settings that are known."""
    turn, by = shown(transition), transition.after - transition.before
    steps, gone = np.diff(sequence), np.diff(seconds)
    settings = np.array([change.sequence for change in changes], np.int64)
    quiet = np.searchsorted(settings, sequence[1:], side="right") == np.searchsorted(settings, sequence[:-1], side="right")
    over = quiet & (seconds[:-1] < turn) & (seconds[1:] >= turn) & (gone <= _NEAR) & (steps <= _STEPS)
    if over.any() or (by > 0 and ((seconds >= turn) & (seconds < turn + by)).any()):
        return Proof(is_unset=True)
    jumps = np.flatnonzero(quiet & (by < 0) & (gone <= by + _NEAR) & (gone >= by - _NEAR) & (seconds[1:] < turn))
    if not len(jumps):
        return Proof()
    place = int(jumps[0]) + 1
    return Proof(jump=ClockChange(sequence=int(sequence[place]), shift=by, seconds=int(seconds[place])))
