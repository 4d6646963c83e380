"""Sensors: readings of each family, losses of signal with later back-fill, and glucose alerts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.settings import Settings
from simulator.therapy.body import HIGHEST, LOWEST
from simulator.therapy.log import Log
from simulator.therapy.timeline import DAY, SLOT, Seconds, Timeline, inside

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One sensor family: its reading's event code, what good live and back-filled readings carry, its number in alerts (0: none)."""

    code: int
    live: tuple[int, int]
    filled: tuple[int, int]
    state: int
    kind: int


G6: Final = Family(code=256, live=(1, 0x09E1), filled=(2, 0x01E2), state=6, kind=1)
LIBRE2: Final = Family(code=372, live=(32, 0x03E0), filled=(2, 0x01E2), state=100, kind=2)
G7: Final = Family(code=399, live=(1, 0x19E1), filled=(2, 0x19E2), state=32, kind=3)
LIBRE3: Final = Family(code=480, live=(32, 0x23E0), filled=(2, 0x21E2), state=100, kind=0)
"""(data type, info bit mask) of each as in public records."""

_HIGH, _LOW, _OUT_OF_RANGE = 2, 3, 14
_CONTROL_IQ_LOW: Final = 51
_BLIND_AFTER: Final = 20 * 60
"""The closed loop gives up when the last reading is older than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Stretches without signal, in order and apart; both ends on slots."""

    starts: Seconds
    stops: Seconds

    def missing(self, slots: Seconds) -> npt.NDArray[np.bool_]:
        """Slots whose reading comes later, as back-fill."""
        return inside(slots, self.starts, self.stops)

    def blind(self, slots: Seconds) -> npt.NDArray[np.bool_]:
        """Slots at which the closed loop has no reading fresh enough."""
        return inside(slots, self.starts + _BLIND_AFTER, self.stops)


def losses(slots: Seconds, rng: np.random.Generator) -> Losses:
    """About three losses of 35 to 65 minutes in five days, at least one."""
    count = max(1, round(len(slots) * SLOT / DAY * 0.6))
    share = len(slots) // count
    lengths = np.minimum(rng.integers(7, 14, count), max(share // 4, 1))
    first = np.arange(count) * share + (share * (0.3 + 0.3 * rng.random(count))).astype(np.int64)
    return Losses(starts=slots[first], stops=slots[first] + lengths * SLOT)


def log_readings(
    log: Log, family: Family, slots: Seconds, glucose: Whole, *, timeline: Timeline, rng: np.random.Generator, lost: Losses | None = None
) -> None:
    """A reading a slot; those of a loss arrive in a burst after it, newest pair first, with their own earlier time stamps."""
    rate = np.clip(np.diff(glucose, prepend=glucose[:1]) * 2, -80, 80)
    rssi = rng.integers(-90, -58, len(slots))
    status = np.where(glucose >= HIGHEST, 1, np.where(glucose <= LOWEST, 2, 0))
    stamps = timeline.wall(slots + 2)
    late = lost.missing(slots) if lost else np.zeros(len(slots), np.bool_)

    def write(which: Whole, at: Seconds, flags: tuple[int, int]) -> None:
        log.add(
            family.code, at, glucoseValueStatus=status[which], cgmDataType=flags[0], rate=rate[which], algorithmState=family.state,
            rssi=rssi[which], currentGlucoseDisplayValue=glucose[which], egvTimeStamp=stamps[which], egvInfoBitmask=flags[1], interval=0,
        )  # fmt: skip

    live = np.flatnonzero(~late)
    write(live, slots[live] + 5, family.live)
    if lost and len(lost.starts):
        filled = np.flatnonzero(late)
        burst = np.searchsorted(lost.starts, slots[filled], side="right") - 1
        age = (lost.stops[burst] - slots[filled]) // SLOT
        # Newest pair first, older reading of a pair first: neither rising nor falling, as pumps do write it.
        order = np.lexsort((-(age % 2), age // 2, burst))
        write(filled[order], (lost.stops[burst] + 7)[order], family.filled)


def log_losses(log: Log, lost: Losses, family: Family) -> None:
    """The alert a loss raises after twenty minutes, and the closed loop that stops and starts with it (230)."""
    told = lost.stops - lost.starts > _BLIND_AFTER
    off, on = lost.starts[told] + _BLIND_AFTER, lost.stops[told]
    log.add(369, off, sensorType=family.kind, dalertId=_OUT_OF_RANGE, faultLocatorData=8462, param1=20, param2=881)
    log.add(230, off + 3, currentPcm=1, previousPcm=3, calculationAvailable=1, closedLoopPreferred=1, sufficientClosedLoopParams=1)
    log.add(371, off + 41, sensorType=family.kind, dalertId=_OUT_OF_RANGE, ackSource=0)
    log.add(370, on + 12, sensorType=family.kind, dalertId=_OUT_OF_RANGE)
    log.add(
        230, on + 13, currentPcm=3, previousPcm=1, cgmAvailable=1, calculationAvailable=1, closedLoopPreferred=1,
        sufficientClosedLoopParams=1,
    )  # fmt: skip


def log_excursions(log: Log, family: Family, slots: Seconds, glucose: Whole, settings: Settings, *, lost: Losses) -> None:
    """High and low alerts: raised, seen by somebody a minute later, cleared when glucose is back or the signal is lost."""
    seen = ~lost.missing(slots)
    for alert, beyond, limit, locator in (
        (_HIGH, glucose > settings.high_alert, settings.high_alert, 8468),
        (_LOW, glucose < settings.low_alert, settings.low_alert, 8467),
    ):
        begins, ends = _stretches(beyond & seen)
        at, back = slots[begins] + 6, slots[ends] + 6
        log.add(369, at, sensorType=family.kind, dalertId=alert, faultLocatorData=locator, param1=glucose[begins], param2=limit)
        log.add(371, at + 61, sensorType=family.kind, dalertId=alert, ackSource=0)
        log.add(370, back, sensorType=family.kind, dalertId=alert)
        if alert == _LOW and settings.closed_loop:
            log.add(4, at + 2, alertId=_CONTROL_IQ_LOW, faultLocatorData=0, param1=0, param2=877)
            log.add(26, back + 2, alertId=_CONTROL_IQ_LOW, faultLocatorData=0)


def _stretches(mask: npt.NDArray[np.bool_]) -> tuple[Whole, Whole]:
    """First slot of each stretch of at least three, and the first slot after it; stretches that do not end are left out."""
    edges = np.diff(np.concatenate(([False], mask)).astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    begins = begins[: len(ends)]
    long = ends - begins >= 3  # noqa: PLR2004  # a quarter of an hour
    return begins[long], ends[long]
