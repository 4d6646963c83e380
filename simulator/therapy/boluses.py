"""Boluses and the messages a pump logs for each: 48, 16, 64, 65, 66, 55, 280, 20 and, extended, 59, 280s and 21.

Amounts are in whole milliunits throughout, so that requested and delivered add up exactly. Chain and fields as in public records:
`remoteId` is the low byte of the bolus id, the later part starts when the first is in.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.settings import Settings
from simulator.therapy.body import Floats, Meals, on_board, slot_of
from simulator.therapy.log import Log
from simulator.therapy.timeline import SLOT, Seconds, Timeline, inside

Whole = npt.NDArray[np.int64]

TARGET: Final = 110
_SETTLE: Final = 15
_PER_UNIT: Final = 30
"""Seconds from request to start, and per unit delivered."""

_COMPLETED: Final = 3
_USER_ABORTED: Final = 0
_PUMP, _CLOSED_LOOP, _PHONE = 1, 7, 8
_OVERRIDDEN, _EXTENDED, _STOPPED, _AT_THE_PUMP = 0.12, 0.15, 0.04, 0.5
"""How many of the boluses somebody asks for."""

_WORTH_SPLITTING: Final = 2000
_CORRECTED_ABOVE, _AUTOMATIC_ABOVE = 150, 180
"""mg/dL from which the calculator, or the closed loop, adds insulin."""

_NOW, _LATER, _OVERRIDE, _CORRECTION, _CARB = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Boluses:
    """Columns, one row a bolus: times in elapsed seconds, insulin in milliunits.

    `minutes` is the duration of the later part (0 unless extended), `source` where it was asked for (1 pump, 7 closed loop, 8 phone).
    """

    at: Seconds
    carbs: Whole
    bg: Whole
    ratio: Whole
    isf: Whole
    food: Whole
    correction: Whole
    now: Whole
    later: Whole
    minutes: Whole
    delivered_now: Whole
    override: Whole
    source: Whole

    @property
    def done(self) -> Seconds:
        """When the first part is in."""
        return self.at + _SETTLE + 10 + self.delivered_now * _PER_UNIT // 1000

    def units(self) -> tuple[Seconds, Floats]:
        """When insulin arrives and how many units: the first parts, then the later parts at half of their duration."""
        half = self.done + self.minutes * 30
        return np.concatenate((self.at, half)), np.concatenate((self.delivered_now, self.later)) / 1000

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Boluses":
        """These rows."""
        return Boluses(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def join(*parts: Boluses) -> Boluses:
    """All rows in the order of time."""
    names = [field.name for field in fields(Boluses)]
    whole = Boluses(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
    return whole.take(np.argsort(whole.at, kind="stable"))


def for_meals(eaten: Meals, glucose: Whole, slots: Seconds, settings: Settings, *, timeline: Timeline, rng: np.random.Generator) -> Boluses:
    """A bolus a meal, sometimes overridden, extended or stopped half-way."""
    count, end = len(eaten.at), int(slots[-1]) + SLOT
    bg = glucose[slot_of(slots, eaten.at)]
    table = settings.at(timeline.of_day(eaten.at))
    food = eaten.carbs * 1_000_000 // table["carb_ratio"] // 10 * 10
    correction = np.where(bg > _CORRECTED_ABOVE, (bg - TARGET) * 1000 // table["isf"] // 10 * 10, 0)
    override = (rng.random(count) < _OVERRIDDEN).astype(np.int64)
    total = np.minimum((food + correction) * (100 - 20 * override) // 100 // 10 * 10, settings.max_bolus)
    total = np.maximum(total, 50)
    minutes = rng.integers(2, 5, count) * 30
    extended = (rng.random(count) < _EXTENDED) & (total >= _WORTH_SPLITTING) & (eaten.at + minutes * 60 + 1800 < end)
    now = np.where(extended, total * 6 // 10, total)
    stopped = (rng.random(count) < _STOPPED) & ~extended & (total >= _WORTH_SPLITTING)
    return Boluses(
        at=eaten.at,
        carbs=eaten.carbs,
        bg=bg,
        ratio=table["carb_ratio"],
        isf=table["isf"],
        food=food,
        correction=correction,
        now=now,
        later=total - now,
        minutes=np.where(extended, minutes, 0),
        delivered_now=np.where(stopped, now * rng.integers(20, 80, count) // 100, now),
        override=override,
        source=np.where(rng.random(count) < _AT_THE_PUMP, _PUMP, _PHONE),
    )


def automatic(
    taken: Boluses, glucose: Whole, slots: Seconds, settings: Settings, *, timeline: Timeline, usable: npt.NDArray[np.bool_]
) -> Boluses:
    """What the closed loop adds: at most one correction an hour above 180 mg/dL, none within an hour after a bolus."""
    hourly = (np.arange(len(slots)) - 7) % 12 == 0
    busy = inside(slots, taken.at, taken.at + 3600)
    which = np.flatnonzero(hourly & usable & ~busy & (glucose > _AUTOMATIC_ABOVE))
    isf = settings.at(timeline.of_day(slots[which]))["isf"]
    units = np.clip((glucose[which] - TARGET) * 600 // isf, 100, 6000)
    nothing = np.zeros(len(which), np.int64)
    return Boluses(
        at=slots[which] + 40,
        carbs=nothing,
        bg=nothing,
        ratio=nothing,
        isf=isf,
        food=nothing,
        correction=units,
        now=units,
        later=nothing,
        minutes=nothing,
        delivered_now=units,
        override=nothing,
        source=nothing + _CLOSED_LOOP,
    )


def log_boluses(log: Log, boluses: Boluses, slots: Seconds, *, first_id: int) -> None:
    """The chains of all boluses, with ids that rise in the order of time."""
    ids = (first_id + np.arange(len(boluses.at))) % 0x1_0000  # sixteen bits: after many years it wraps
    units = on_board(slots, *boluses.units())[slot_of(slots, boluses.at)]
    asked = boluses.source != _CLOSED_LOOP
    extended = boluses.minutes > 0
    _log_request(log, boluses, ids, units, asked)
    log.add(55, boluses.at + _SETTLE, bolusId=ids, selectedIob=1, iob=units, bolusSize=boluses.now / 1000)
    _log_delivery(log, boluses, ids, boluses.at + _SETTLE, np.zeros(len(ids), np.int64), started=1)
    log.add(
        20, boluses.done, bolusId=ids, iob=units + boluses.delivered_now / 1000,
        completionStatus=np.where(boluses.delivered_now < boluses.now, _USER_ABORTED, _COMPLETED),
        insulinDelivered=boluses.delivered_now / 1000, insulinRequested=boluses.now / 1000,
    )  # fmt: skip
    once = boluses.take(~extended)
    _log_delivery(log, once, ids[~extended], once.done, once.delivered_now, started=0)
    _log_later_parts(log, boluses.take(extended), ids[extended], units[extended])


def _log_request(log: Log, boluses: Boluses, ids: Whole, units: Floats, asked: npt.NDArray[np.bool_]) -> None:
    meal, read = boluses.carbs > 0, boluses.bg > 0
    at, total = boluses.at, boluses.now + boluses.later
    log.add(48, at[meal], carbs=boluses.carbs[meal])
    log.add(
        16, at[read], bg=boluses.bg[read], bgEntryType=1, iob=units[read], isf=boluses.isf[read], targetBg=TARGET, selectedIob=1
    )  # fmt: skip
    log.add(
        64, at, bolusId=ids, bolusType=np.where(meal, 1, np.where(asked, 0, 2)),
        correctionBolusIncluded=(boluses.correction > 0).astype(np.int64), carbAmount=boluses.carbs, bg=boluses.bg, iob=units,
        carbRatio=boluses.ratio,
    )  # fmt: skip
    log.add(
        65, at, bolusId=ids, options=_options(boluses, asked), standardPercent=boluses.now * 100 // np.maximum(total, 1),
        duration=boluses.minutes, isf=boluses.isf, targetBg=TARGET, selectedIob=1, userOverride=boluses.override,
    )  # fmt: skip
    log.add(
        66, at, bolusId=ids, foodBolusSize=boluses.food / 1000, correctionBolusSize=boluses.correction / 1000, totalBolusSize=total / 1000
    )  # fmt: skip


def _options(boluses: Boluses, asked: npt.NDArray[np.bool_]) -> Whole:
    by_phone = np.where(boluses.source == _PHONE, 4, 0)  # from the phone: 4 standard, 5 extended
    return np.where(asked, by_phone + (boluses.minutes > 0), 3)


def _log_delivery(log: Log, boluses: Boluses, ids: Whole, at: Seconds, delivered: Whole, *, started: int) -> None:
    log.add(
        280, at, bolusId=ids, bolusDeliveryStatus=started, bolusSource=boluses.source, remoteId=ids & 0xFF,
        bolusType=_NOW | (boluses.later > 0) * _LATER | boluses.override * _OVERRIDE | (boluses.correction > 0) * _CORRECTION
        | (boluses.carbs > 0) * _CARB,
        requestedNow=boluses.now, requestedLater=boluses.later, correction=boluses.correction,
        extendedDurationRequested=boluses.minutes, deliveredTotal=delivered,
    )  # fmt: skip


def _log_later_parts(log: Log, boluses: Boluses, ids: Whole, units: Floats) -> None:
    log.add(59, boluses.done, bolusId=ids, selectedIob=1, iob=units + boluses.delivered_now / 1000, bolexSize=boluses.later / 1000)
    for quarters in range(4):
        at = boluses.done + boluses.minutes * 15 * quarters
        _log_delivery(log, boluses, ids, at, boluses.delivered_now + boluses.later * quarters // 4, started=1)
    over = boluses.done + boluses.minutes * 60
    log.add(
        21, over, bolusId=ids, completionStatus=_COMPLETED, iob=units + boluses.later / 2000,
        insulinDelivered=boluses.later / 1000, insulinRequested=boluses.later / 1000,
    )  # fmt: skip
    _log_delivery(log, boluses, ids, over, boluses.delivered_now + boluses.later, started=0)
