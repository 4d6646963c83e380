"""Basal insulin: the profile, the closed loop's changes, and the records of both (3, 11, 12, 81, 90, 279, 313)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.settings import Settings
from simulator.therapy.body import Floats
from simulator.therapy.log import Log
from simulator.therapy.timeline import DAY, SLOT, Seconds, Timeline, inside

Whole = npt.NDArray[np.int64]

NONE: Final = 65_535
"""Stored where there is no rate."""

SUSPENDED, PROFILE, ALGORITHM = 0, 1, 3
SUSPENSION: Final = 18 * 60
"""Seconds a cartridge change takes."""

_EVERY: Final = 3 * DAY
_SEGMENT, _STOP, _RESUME = 1, 16, 32
_FEATURES: Final = 0x0220_DD9A


@dataclass(frozen=True, slots=True, kw_only=True)
class Basal:
    """Basal delivery slot by slot: rates in milliunits/h, NONE where there is none, and where the commanded one came from."""

    slots: Seconds
    profile: Whole
    algorithm: Whole
    commanded: Whole
    source: Whole
    stride: int


def suspensions(begin: int, end: int) -> Seconds:
    """When insulin stops for a new cartridge: every third day, towards its end."""
    return np.arange(begin + _EVERY * 5 // 6, end - 3600, _EVERY, dtype=np.int64)


def deliver(
    slots: Seconds, glucose: Whole, settings: Settings, timeline: Timeline, *, blind: npt.NDArray[np.bool_], halts: Seconds, density: float
) -> Basal:
    """The rates: the closed loop decides every slot (at lower density more seldom); the profile runs where it is blind."""
    stride = max(1, round(1 / density))
    held = np.arange(len(slots)) // stride * stride
    profile = settings.at(timeline.of_day(slots))["basal_rate"]
    ahead = glucose + 4 * np.diff(glucose, prepend=glucose[:1])
    share = np.interp(ahead, [70, 90, 112, 150, 180, 250], [0.0, 0.5, 1.0, 1.0, 1.4, 2.2])
    limited = np.minimum(np.rint(profile * share).astype(np.int64), settings.basal_limit)
    closed = ~blind[held] if settings.closed_loop else np.zeros(len(slots), np.bool_)
    algorithm = np.where(closed, limited[held], NONE)
    halted = inside(slots, halts, halts + SUSPENSION)
    return Basal(
        slots=slots,
        profile=profile,
        algorithm=np.where(halted, NONE, algorithm),
        commanded=np.where(halted, 0, np.where(closed, limited[held], profile)),
        source=np.where(halted, SUSPENDED, np.where(closed, ALGORITHM, PROFILE)),
        stride=stride,
    )


def log_basal(log: Log, basal: Basal, settings: Settings, timeline: Timeline, iob: Floats, *, halts: Seconds) -> None:
    """The delivery records, the rate changes they bring, and battery with daily total twice an hour."""
    told = np.arange(0, len(basal.slots), basal.stride)
    at = basal.slots[told] + 7
    log.add(
        279, at, commandedRateSource=basal.source[told], reservedA2=np.where(basal.source[told] == SUSPENDED, 3, 0),
        profileBasalRate=basal.profile[told], commandedRate=basal.commanded[told], tempRate=NONE, algorithmRate=basal.algorithm[told],
    )  # fmt: skip
    resumes = inside(basal.slots[told], halts, halts + SUSPENSION + SLOT * (basal.stride + 1))
    changes = told[(np.diff(basal.commanded[told], prepend=-1) != 0) & ~resumes]
    log_rates(log, basal.slots[changes] + 7, basal.commanded[changes], basal.profile[changes], settings, why=_SEGMENT)
    log_battery(log, basal, timeline, iob)


def log_rates(log: Log, at: Seconds, commanded: npt.ArrayLike, profile: npt.ArrayLike, settings: Settings, *, why: int) -> None:
    """Rate changes (3), from milliunits/h."""
    log.add(
        3, at, commandedBasalRate=np.asarray(commanded) / 1000, baseBasalRate=np.asarray(profile) / 1000,
        maxBasalRate=settings.basal_limit / 1000, idp=0, changeType=why,
    )  # fmt: skip


def log_battery(log: Log, basal: Basal, timeline: Timeline, iob: Floats) -> None:
    """Basal insulin since midnight, insulin on board and the battery (81), every half hour or as often as the pump tells rates."""
    told = np.arange(0, len(basal.slots), max(6, basal.stride * 2))
    so_far = np.concatenate(([0], np.cumsum(basal.commanded)))[:-1]
    day = timeline.wall(basal.slots) // DAY
    begins = np.maximum.accumulate(np.where(np.diff(day, prepend=day[:1] - 1) != 0, np.arange(len(day)), 0))
    since = (so_far - so_far[begins])[told] * SLOT / 3_600_000
    percent = 100 - (basal.slots[told] // 3600) % 72
    log.add(
        81, basal.slots[told] + 9, dailyTotalBasal=since, lastBasalRate=basal.commanded[told] / 1000, iob=iob[told],
        batteryLipoMilliVolts=3600 + percent * 5, batteryChargePercent=percent, batteryStatus=0,
    )  # fmt: skip


def log_suspensions(log: Log, basal: Basal, settings: Settings, halts: Seconds) -> None:
    """A cartridge change each: suspended, tubing and cartridge filled, resumed, cannula filled, with the alarm that reminds of it."""
    which = np.clip((halts - basal.slots[0]) // SLOT, 0, len(basal.slots) - 1)
    rates, back = basal.profile[which], halts + SUSPENSION
    log_rates(log, halts, np.zeros(len(halts)), rates, settings, why=_STOP)
    log.add(11, halts, preSuspendState=106, insulinAmount=12, suspendReason=0, rpaTimeout=15)
    log.add(33, halts + 420, insulinVolume=200, v2Volume=204.25)
    log.add(63, halts + 600, primeSize=14.5, completionStatus=3, position=547_509)
    log.add(5, halts + 900, alarmId=18, faultLocatorData=8311, param1=900, param2=0)
    log.add(28, back - 5, alarmId=18)
    log.add(12, back, preResumeState=100, insulinAmount=200)
    log_rates(log, back, rates, rates, settings, why=_RESUME)
    log.add(61, back + 150, primeSize=0.3, completionStatus=3, infusionSetType=0)


def log_days(log: Log, basal: Basal, settings: Settings, timeline: Timeline, *, sensor: int) -> None:
    """What the pump writes at midnight (90, 313) and when its owner sleeps from half past ten to half past six (229)."""
    begin, end = int(basal.slots[0]), int(basal.slots[-1]) + SLOT
    midnights = timeline.moments(0, begin, end)
    rates = basal.commanded[np.clip((midnights - begin) // SLOT, 0, len(basal.slots) - 1)]
    log.add(90, midnights, commandedBasalRate=rates / 1000, featuresBitmask=_FEATURES, featureBitmaskIndex=0)
    log.add(
        313, midnights + 6, pumpControlState=3 if settings.closed_loop else 1, usermode=1 if settings.closed_loop else 0, sensorType=sensor,
        weightUnit=1, weight=settings.weight, currentTdIpop=settings.total_daily_insulin,
    )  # fmt: skip
    if settings.closed_loop:
        asleep, awake = timeline.moments(81_000, begin, end), timeline.moments(23_400, begin, end)
        log.add(229, asleep, currentUserMode=1, previousUserMode=0, requestedAction=0, activeSleepSchedule=1)
        log.add(229, awake, currentUserMode=0, previousUserMode=1, requestedAction=0, activeSleepSchedule=0)
