"""Convert a pump's wall time to an instant, in the account's time zone. Pure.

A pump's clock runs on by itself and moves only when somebody sets it. Between two settings its offset from UTC is that of
`tandem.clocklife`. Before the first that is known and after the last, and where none is known, the zone itself says: the hour that
repeats in autumn and the hour that is skipped in spring are marked then, unless the pump's own records prove that nobody had set it
(`unset`). Then the old offset runs on until the zone comes back to it. After a break, where the clock lost its time, nothing is sure before
the next setting. Why: docs/decisions/instants.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tandem.clock import MS_OF_DAY, UNIX_OF_PUMP_EPOCH, is_date
from tandem.clocklife import ClockChange, Life, Part, parts
from tandem.records import Records
from tandem.zones import Offsets, Transition, new_year, offset_at, transitions, year_of

SURE: Final = 0
AMBIGUOUS: Final = 1
MISSING: Final = 2
NOT_A_TIME: Final = 3
BY_CLOCK_CHANGE: Final = 4
ASSUMED: Final = 5

_DAY: Final = 86_400
_MINUTES: Final = 900  # s; offsets no further apart are one and the same, not quite right

Seconds = npt.NDArray[np.int64]
Status = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instants:
    """`utc`: datetime64[ms], NaT where there is no time. `status`: one of SURE, AMBIGUOUS (the first of the two hours is taken),
    MISSING (the offset before the gap is taken), NOT_A_TIME, BY_CLOCK_CHANGE (a clock change decided it), ASSUMED (the clock was not
    right in the zone, or nobody set it when summer or winter time began: time went on from where it was; or it had lost its time).
    """  # noqa: D205  # two members, a sentence each

    utc: npt.NDArray[np.datetime64]
    status: Status


def clock_changes(records: Records) -> tuple[ClockChange, ...]:
    """The clock changes among these records (events 13 and 14), in order of sequence. Their header time is the time after."""
    found = []
    for code, name, unit in ((13, "time", 1000), (14, "date", 1)):
        chosen = records.select(code)
        columns = chosen.columns(code)
        before, after = (columns[f"{name}{end}"].astype(np.int64) for end in ("Prior", "After"))
        moved = (after // unit - before // unit) * (1 if code == 13 else _DAY)  # noqa: PLR2004  # the time of day, in milliseconds
        sound = is_date(chosen.seconds) & ((before < MS_OF_DAY) & (after < MS_OF_DAY))
        rows = zip(chosen.sequence.tolist(), moved.tolist(), chosen.seconds.tolist(), sound.tolist(), strict=True)
        found += [ClockChange(sequence=sequence, shift=shift, seconds=seconds) for sequence, shift, seconds, good in rows if good and shift]
    return tuple(sorted(found))


def instants(
    seconds: npt.ArrayLike,
    zone: ZoneInfo,
    *,
    sequence: npt.ArrayLike | None = None,
    changes: Iterable[ClockChange] = (),
    unset: Iterable[int] = (),
    breaks: Iterable[int] = (),
) -> Instants:
    """The instants of pump seconds under a zone.

    `changes` and `breaks` (the first sequence numbers after the clock lost its time) count only with `sequence`, the records' sequence
    numbers, of one pump and one sequence group. `unset`: moments of the zone's transitions (Unix seconds) at which the pump is known to
    have gone on with the old offset.
    """
    stored = np.asarray(seconds, np.int64)
    dated = is_date(stored)
    status = np.where(dated, SURE, NOT_A_TIME).astype(np.uint8)
    if not dated.any():
        return Instants(utc=np.full(stored.shape, np.datetime64("NaT", "ms")), status=status)
    walls = stored + UNIX_OF_PUMP_EPOCH
    years = (year_of(int(walls[dated].min())) - 1, year_of(int(walls[dated].max())) + 1)
    offset, odd = _stamped(walls, _by_itself(zone, *years))
    milliseconds, found = offset * 1000, odd
    known, broken, missed = (*((tuple(changes), tuple(breaks)) if sequence is not None else ((), ())), frozenset(unset))
    if known or broken or missed:
        told = _Told.nothing(walls)
        told.fill(zone, parts(zone, known, broken), np.asarray(sequence if sequence is not None else stored, np.int64), years, missed)
        milliseconds, found = told.milliseconds, told.marks(milliseconds, odd)
    return Instants(
        utc=np.where(dated, (walls * 1000 - milliseconds).astype("datetime64[ms]"), np.datetime64("NaT", "ms")),
        status=np.where(dated, found, NOT_A_TIME).astype(np.uint8),
    )


# --- what the zone says


@lru_cache(maxsize=64)
def _by_itself(zone: ZoneInfo, first: int, last: int) -> Offsets:
    found = transitions(zone, first, last)
    # A zone without transitions in these years may have had others before them: Kathmandu was 15 minutes behind today's until 1986.
    return Offsets.of(found[0].before if found else offset_at(zone, new_year(first)), found)


def _stamped(walls: Seconds, table: Offsets) -> tuple[Seconds, Status]:
    """The offsets of wall times, and SURE, AMBIGUOUS or MISSING. One search among the beginnings and ends of all doubtful hours."""
    ends = table.moments + np.maximum(table.before, table.after)
    begins = table.moments + np.minimum(table.before, table.after)
    bounds = np.sort(np.concatenate([ends, begins]))
    low = np.append(np.iinfo(np.int64).min, bounds)  # where each stretch between two bounds begins
    first, second = (np.searchsorted(some, low, side="right") for some in (ends, begins))
    back = np.append(table.after < table.before, False)  # one more, for times after the last transition
    status = np.where(first == second, SURE, np.where(back[first], AMBIGUOUS, MISSING)).astype(np.uint8)
    place = np.searchsorted(bounds, walls, side="right")
    return table.offsets[first][place], status[place]


# --- what the clock's own life says


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Told:
    """Offsets in milliseconds and what is known of them, filled in stay by stay."""

    walls: Seconds
    milliseconds: Seconds
    odd: Status
    assumed: npt.NDArray[np.bool_]
    lost: npt.NDArray[np.bool_]

    @classmethod
    def nothing(cls, walls: Seconds) -> "_Told":
        return cls(
            walls=walls, milliseconds=np.zeros(walls.shape, np.int64), odd=np.full(walls.shape, SURE, np.uint8),
            assumed=np.zeros(walls.shape, np.bool_), lost=np.zeros(walls.shape, np.bool_),
        )  # fmt: skip

    def fill(self, zone: ZoneInfo, lives: Sequence[Part], sequence: Seconds, years: tuple[int, int], unset: frozenset[int]) -> None:
        """Each part's records by its own life. After a break nothing is sure before the next setting."""
        part_of = np.searchsorted([part.first for part in lives[1:]], sequence, side="right")
        for place in np.unique(part_of).tolist():
            within, lived = np.flatnonzero(part_of == place), lives[place].life
            if lived is None:
                # That a transition went unheeded was seen before the break.
                self._meet(within, *_after(zone, None, years, frozenset() if place else unset))
                self.lost[within] = lives[place].unknown > 0
                continue
            stay_of = np.searchsorted([change.sequence for change in lived.changes], sequence[within], side="right")
            self._fill_stays(zone, lived, (within, stay_of), years, unset)
            self.lost[within] = stay_of < lives[place].unknown

    def _fill_stays(self, zone: ZoneInfo, lived: Life, stays: tuple[Places, Places], years: tuple[int, int], unset: frozenset[int]) -> None:
        """Each stay's records by its offset; where no setting bounds it, the zone's transitions are met."""
        within, stay_of = stays
        for place in np.unique(stay_of).tolist():
            here, stay = within[stay_of == place], lived.stays[place]
            if stay.is_home and place == 0:
                moment = lived.changes[0].before - stay.end
                self._meet(here, _before(zone, moment, stay.end, min(years[0], year_of(moment)), unset), None)
            elif stay.is_home and place == len(lived.changes):
                moment = lived.changes[-1].after - stay.start
                span = (year_of(moment), max(years[1], year_of(moment)))
                self._meet(here, *_after(zone, (moment, stay.start), span, unset))
            else:
                self._run_on(here, lived, place)

    def _meet(self, here: Places, table: Offsets, ran_on: int | None) -> None:
        offset, self.odd[here] = _stamped(self.walls[here], table)
        self.milliseconds[here] = offset * 1000
        if ran_on is not None:
            self.assumed[here] = self.walls[here] - offset >= ran_on

    def _run_on(self, here: Places, lived: Life, place: int) -> None:
        stay = lived.stays[place]
        self.milliseconds[here] = stay.start * 1000
        if place == 0:
            # What shows more than the clock did when it was first set was written on the new clock, whatever its number.
            later = self.walls[here] > lived.changes[0].before
            self.milliseconds[here] = np.where(later, lived.stays[1].start, stay.start) * 1000
        self.assumed[here] = not stay.is_home
        if stay.start != stay.end:
            begin, end = lived.changes[place - 1].after, lived.changes[place].before
            share = ((self.walls[here] - begin) / max(end - begin, 1)).clip(0, 1)
            self.milliseconds[here] += np.rint(share * (stay.end - stay.start) * 1000).astype(np.int64)

    def marks(self, plain: Seconds, odd: Status) -> Status:
        """How each was found; SURE wherever the zone by itself says the same, has no doubt, and the clock had its time."""
        same = (self.milliseconds == plain) & (odd == SURE) & (self.odd == SURE) & ~self.lost
        told = np.where(self.assumed | self.lost, ASSUMED, np.where(self.odd == SURE, BY_CLOCK_CHANGE, self.odd))
        return np.where(same, SURE, told).astype(np.uint8)


@lru_cache(maxsize=256)
def _after(zone: ZoneInfo, since: tuple[int, int] | None, years: tuple[int, int], unset: frozenset[int]) -> tuple[Offsets, int | None]:
    """The transitions a clock meets from a moment and offset on, and the first moment from which it runs on with an old offset."""
    found = transitions(zone, *years)
    start = current = since[1] if since else _by_itself(zone, *years).offsets[0].item()
    met: list[Transition] = []
    ran_on = None
    for one in found:
        if since and one.moment <= since[0]:
            continue
        if one.moment in unset:
            ran_on = one.moment if ran_on is None and current != one.after else ran_on
        elif current != one.after:
            met.append(Transition(moment=one.moment, before=current, after=one.after))
            current = one.after
    return Offsets.of(start, tuple(met)), ran_on


@lru_cache(maxsize=256)
def _before(zone: ZoneInfo, moment: int, offset: int, first_year: int, unset: frozenset[int]) -> Offsets:
    """The transitions a clock met that had this offset at that moment, backwards."""
    current, met = offset, list[Transition]()
    for one in reversed(transitions(zone, first_year, year_of(moment))):
        if one.moment < moment and one.moment not in unset and abs(current - one.before) > _MINUTES:
            met.append(Transition(moment=one.moment, before=one.before, after=current))
            current = one.before
    return Offsets.of(current, tuple(reversed(met)))
