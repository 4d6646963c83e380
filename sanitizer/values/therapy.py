"""Synthetic amounts of every event of one pump, from its structure: a table from event code to its amounts. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np

from sanitizer.values import basal as rates
from sanitizer.values.amounts import BASAL, CARB_RATIO, CARTRIDGE, DAILY, FACTOR, MOST_BASAL, TARGET, WEIGHT
from sanitizer.values.basal import Basal, basal
from sanitizer.values.boluses import Boluses, boluses, grams
from sanitizer.values.chains import DELIVERY, DONE, LATER_DONE, LATER_STARTED, Log
from sanitizer.values.doses import Doses
from sanitizer.values.glucose import HIGHEST, LOWEST, Curve
from sanitizer.values.numbers import Mask, Whole, noise
from sanitizer.values.structure import Amounts, Rows

READINGS: Final = (256, 372, 399, 480)
_HIGH, _LOW = 1, 2
_NOTHING_TO_SHOW: Final = 0b1_0000
"""The bit for "no reading", both of the data type and of the info mask."""

_NEAR: Final = 120
"""Seconds between a bolus and the finger-stick or the carbohydrate entered for it."""


@dataclass(frozen=True, kw_only=True)
class Therapy:
    """One pump's invented therapy; each part is worked out when it is first asked for."""

    log: Log

    @cached_property
    def curve(self) -> Curve:
        """Glucose."""
        flagged = [(_taken(self.log[code]), self.log[code].facts["glucoseValueStatus"]) for code in READINGS if code in self.log]
        at = np.concatenate([moments for moments, _ in flagged]) if flagged else np.empty(0, np.int64)
        status = np.concatenate([status for _, status in flagged]) if flagged else np.empty(0, np.int64)
        return Curve(high=np.sort(at[status == _HIGH]), low=np.sort(at[status == _LOW]))

    @cached_property
    def boluses(self) -> Boluses:
        """Boluses."""
        return boluses(self.log, self.curve)

    @cached_property
    def doses(self) -> Doses:
        """What the boluses gave."""
        return Doses.of(self.boluses)

    @cached_property
    def basal(self) -> Basal:
        """Basal insulin."""
        return basal(self.log, self.curve)

    def on_board(self, rows: Rows) -> Whole:
        """Milliunits on board."""
        return self.doses.on_board(rows.seconds)


def amounts(log: Log) -> dict[int, Amounts]:
    """Every amount of every event, by code, field and column, in the unit and number format of the wire."""
    therapy = Therapy(log=log)
    return {code: _MAKERS[code](therapy, code, rows) for code, rows in log.items()}


Maker = Callable[[Therapy, int, Rows], Amounts]


def _taken(rows: Rows) -> Whole:
    stamp = rows.facts["egvTimeStamp"]
    return np.where(stamp > 0, stamp, rows.seconds)


def _units(milliunits: Whole) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return (milliunits / 1000).astype(np.float32)


def _same(rows: Rows, **amounts: float) -> Amounts:
    return {name: np.full(len(rows), amount) for name, amount in amounts.items()}


def _constants(**every: float) -> Maker:
    return lambda _therapy, _code, rows: _same(rows, **every)


def _reading(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    taken, status = _taken(rows), rows.facts["glucoseValueStatus"]
    no_reading = (rows.facts["cgmDataType"] | rows.facts["egvInfoBitmask"]) & _NOTHING_TO_SHOW != 0
    shown = np.select([status == _HIGH, status == _LOW, no_reading | (status > _LOW)], [HIGHEST, LOWEST, 0], therapy.curve.at(taken))
    return {
        "currentGlucoseDisplayValue": shown,
        "rate": np.where(shown == 0, 0, therapy.curve.rate(taken)),
        "rssi": -60 - noise(taken // 300, 6) % 30,
    }


def _predicted(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    at = np.where(rows.facts["timestamp"] > 0, rows.facts["timestamp"], rows.seconds)
    return {"fmr": therapy.curve.at(at), "pgv": therapy.curve.at(at + 1800)}


def _finger_stick(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    which, is_near = _nearest(rows, therapy.boluses.start)
    own = therapy.curve.measured(rows.seconds)
    return {
        "bg": np.where(is_near, therapy.boluses.bg[which], own) if len(therapy.boluses.start) else own,
        "iob": _units(therapy.on_board(rows)),
        **_same(rows, targetBg=TARGET, isf=FACTOR),
    }


def _carbohydrate(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    meals = np.flatnonzero(therapy.boluses.has_carbs)
    which, is_near = _nearest(rows, therapy.boluses.start[meals])
    own = grams(rows.seconds)
    return {"carbs": np.where(is_near, therapy.boluses.carbs[meals][which], own) if len(meals) else own}


def _nearest(rows: Rows, starts: Whole) -> tuple[Whole, Mask]:
    """For each event the bolus nearest in time, and whether it is near enough to belong to it."""
    if not len(starts):
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
    order = np.argsort(starts, kind="stable")
    sorted_starts = starts[order]
    after = np.clip(np.searchsorted(sorted_starts, rows.seconds), 0, len(starts) - 1)
    before = np.maximum(after - 1, 0)
    is_before = np.abs(sorted_starts[before] - rows.seconds) < np.abs(sorted_starts[after] - rows.seconds)
    chosen = np.where(is_before, before, after)
    return order[chosen], np.abs(sorted_starts[chosen] - rows.seconds) <= _NEAR


def _request(therapy: Therapy, code: int, rows: Rows) -> Amounts:
    of, every = therapy.boluses.of[code], therapy.boluses
    return {
        "carbAmount": every.carbs[of],
        "bg": np.where(every.is_automatic, 0, every.bg)[of],
        "iob": _units(therapy.on_board(rows)),
        "carbRatio": np.where(every.has_carbs, CARB_RATIO, 0)[of],
    }


def _details(therapy: Therapy, code: int, rows: Rows) -> Amounts:
    every = therapy.boluses
    percent = every.now * 100 // np.maximum(every.total, 1)
    return {"standardPercent": percent[every.of[code]], **_same(rows, isf=FACTOR, targetBg=TARGET)}


def _sizes(therapy: Therapy, code: int, _rows: Rows) -> Amounts:
    of, every = therapy.boluses.of[code], therapy.boluses
    return {
        "foodBolusSize": _units(every.food[of]),
        "correctionBolusSize": _units(every.correction[of]),
        "totalBolusSize": _units(every.total[of]),
    }


def _started(therapy: Therapy, code: int, rows: Rows) -> Amounts:
    name, part = ("bolexSize", therapy.boluses.later) if code == LATER_STARTED else ("bolusSize", therapy.boluses.now)
    return {"iob": _units(therapy.on_board(rows)), name: _units(part[therapy.boluses.of[code]])}


def _ended(therapy: Therapy, code: int, rows: Rows) -> Amounts:
    every = therapy.boluses
    asked, given = (every.later, every.delivered_later) if code == LATER_DONE else (every.now, every.delivered_now)
    return {
        "iob": _units(therapy.on_board(rows)),
        "insulinDelivered": _units(given[every.of[code]]),
        "insulinRequested": _units(asked[every.of[code]]),
    }


def _delivery(therapy: Therapy, code: int, rows: Rows) -> Amounts:
    every, of = therapy.boluses, therapy.boluses.of[code]
    lasts = np.maximum(every.over - every.now_done, 1)[of]
    into = np.clip(rows.seconds - every.now_done[of], 0, lasts)
    is_under_way = every.is_extended[of] & (rows.seconds >= every.now_done[of])
    so_far = np.where(is_under_way, every.delivered_now[of] + every.delivered_later[of] * into // lasts, 0)
    return {
        "requestedNow": every.now[of],
        "requestedLater": every.later[of],
        "correction": every.correction[of],
        "deliveredTotal": np.where(rows.facts["bolusDeliveryStatus"] == 0, (every.delivered_now + every.delivered_later)[of], so_far),
    }


def _told_rates(therapy: Therapy, _code: int, _rows: Rows) -> Amounts:
    return rates.told_rates(therapy.log, therapy.curve)


def _changed_rate(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    changed = _units(rates.changed_rates(therapy.log, therapy.curve))
    return {"commandedBasalRate": changed, **_same(rows, baseBasalRate=BASAL / 1000, maxBasalRate=MOST_BASAL / 1000)}


def _midnight(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    return {"commandedBasalRate": _units(therapy.basal.rate(rows.seconds))}


def _so_far_today(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    percent = 100 - rows.seconds // 3600 % 72
    return {
        "dailyTotalBasal": _units(therapy.basal.today(rows.seconds)),
        "lastBasalRate": _units(therapy.basal.rate(rows.seconds)),
        "iob": _units(therapy.on_board(rows)),
        "batteryChargePercent": percent,
        "batteryLipoMilliVolts": 3600 + percent * 5,
    }


def _cartridge(therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    return {"insulinAmount": therapy.basal.left(rows.seconds, therapy.doses)}


def _day(_therapy: Therapy, _code: int, rows: Rows) -> Amounts:
    return {"weight": np.where(rows.facts["weightUnit"] == 0, WEIGHT[0], WEIGHT[1]), **_same(rows, currentTdIpop=DAILY)}


_MAKERS: Final[Mapping[int, Maker]] = MappingProxyType(
    {
        **dict.fromkeys(READINGS, _reading),
        3: _changed_rate,
        11: _cartridge,
        12: _cartridge,
        16: _finger_stick,
        DONE: _ended,
        LATER_DONE: _ended,
        33: _constants(insulinVolume=CARTRIDGE, v2Volume=CARTRIDGE),
        36: _constants(negotiatedCurrent=500),
        37: _constants(negotiatedCurrent=500),
        48: _carbohydrate,
        53: _constants(liPoCurrent=-12, liPoAbc=57, liPoIbc=58, liPoRemCap=141, liPoMV=3905),
        55: _started,
        LATER_STARTED: _started,
        61: _constants(primeSize=0.3),
        63: _constants(primeSize=14.5, position=50_000),
        64: _request,
        65: _details,
        66: _sizes,
        81: _so_far_today,
        90: _midnight,
        140: _predicted,
        279: _told_rates,
        DELIVERY: _delivery,
        313: _day,
    }
)
"""Event code -> what makes its amounts; every field that `amounts.AMOUNTS` names, and no other."""
