"""Plausible ranges of pump event fields: values that no pump, sensor, meter or person exceeds. Pure.

They are wide on purpose: what lies outside is a fault of the record, what lies inside may still be odd. Known limits of the pumps
(user guides; tandem-source facts of the fields themselves): 15 units/h of basal insulin; 25 units a bolus, extended by as much again over
eight hours at most; 300 units a cartridge; 999 g of carbohydrates; ratios to 300 g/unit, correction factors to 600 mg/dL/unit, targets to
250 mg/dL. Sensors end at 400 to 500 mg/dL, meters at 600. Values are as stored, before `Field.scale`. Every public record keeps to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tandem.clock import MS_OF_DAY
from tandem.events import EVENTS

MOST_GLUCOSE: Final = 1000
"""mg/dL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least and the most a field can mean, as stored; `also` are numbers outside that stand for "none". A float is finite."""

    least: float
    most: float
    also: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.least:.12g} to {self.most:.12g}"


_RATE: Final = Bounds(least=0, most=50)  # units/h
_DOSE: Final = Bounds(least=0, most=100)  # units
_EITHER_WAY: Final = Bounds(least=-100, most=100)  # units: insulin on board and corrections can be less than nothing
_VOLUME: Final = Bounds(least=0, most=1000)  # units
_PRIMED: Final = Bounds(least=-1, most=1000)  # units; -1 where nothing was measured: public records of 63
_GLUCOSE: Final = Bounds(least=0, most=MOST_GLUCOSE)  # mg/dL; 0: none given
_FACTOR: Final = Bounds(least=0, most=1000)  # mg/dL/unit
_MEAL: Final = Bounds(least=0, most=2000)  # g
_DAY: Final = Bounds(least=0, most=1440)  # min
_SHARE: Final = Bounds(least=0, most=100)  # %
_COMMANDED: Final = Bounds(least=0, most=50_000)  # milliunits/h
_OTHER_RATE: Final = Bounds(least=0, most=50_000, also=(0xFFFF,))  # milliunits/h; all ones where no such rate applies: records of 279
_TREND: Final = Bounds(least=-1000, most=1000, also=(32_767,))  # tenths of mg/dL/min; all ones where there was none

_OF_FIELDS: Final[tuple[tuple[Bounds, tuple[tuple[int, str], ...]], ...]] = (
    (_RATE, (
        (3, "commandedBasalRate"), (3, "baseBasalRate"), (3, "maxBasalRate"), (81, "lastBasalRate"), (90, "commandedBasalRate"),
    )),
    (_DOSE, (
        *((code, name) for code in (20, 21) for name in ("insulinDelivered", "insulinRequested")),
        (55, "bolusSize"), (59, "bolexSize"), (66, "foodBolusSize"), (66, "totalBolusSize"),
    )),
    (_EITHER_WAY, (*((code, "iob") for code in (16, 20, 21, 55, 59, 64, 81)), (66, "correctionBolusSize"))),
    (_VOLUME, ((11, "insulinAmount"), (12, "insulinAmount"), (33, "insulinVolume"), (33, "v2Volume"), (81, "dailyTotalBasal"))),
    (_PRIMED, ((61, "primeSize"), (63, "primeSize"))),
    (_GLUCOSE, ((16, "targetBg"), (64, "bg"), (65, "targetBg"))),
    (Bounds(least=1, most=MOST_GLUCOSE), ((16, "bg"),)),
    (_FACTOR, ((16, "isf"), (65, "isf"))),
    (_MEAL, ((48, "carbs"), (64, "carbAmount"))),
    (Bounds(least=0, most=1_000_000), ((64, "carbRatio"),)),  # thousandths of g/unit
    (_DAY, ((65, "duration"), (280, "extendedDurationRequested"))),
    (_SHARE, ((65, "standardPercent"), (81, "batteryChargePercent"))),
    (Bounds(least=0, most=6000), ((81, "batteryLipoMilliVolts"),)),  # mV; a lithium cell has 3000 to 4200
    (Bounds(least=0, most=5000), ((36, "negotiatedCurrent"), (37, "negotiatedCurrent"))),  # mA; USB: 500
    (_COMMANDED, ((279, "commandedRate"),)),
    (_OTHER_RATE, ((279, "profileBasalRate"), (279, "algorithmRate"), (279, "tempRate"))),
    (_TREND, ((372, "rate"), (480, "rate"))),
    (Bounds(least=0, most=MS_OF_DAY), ((13, "timePrior"), (13, "timeAfter"))),  # ms since midnight
    (Bounds(least=0, most=0xFFFF), ((14, "datePrior"), (14, "dateAfter"))),  # days since 2008: to the year 2187
)  # fmt: skip

BOUNDS: Final[Mapping[int, Mapping[str, Bounds]]] = {
    code: found
    for code in EVENTS
    if (found := {name: bounds for bounds, fields in _OF_FIELDS for of_code, name in fields if of_code == code})
}
"""Code -> field -> its bounds. `pipeline/extracts/cgm_readings.py` has those that depend on other fields of the record."""


def outside(values: npt.NDArray[np.generic], bounds: Bounds) -> npt.NDArray[np.bool_]:
    """Where stored numbers cannot be meant. What is not a number is outside of everything."""
    with np.errstate(invalid="ignore"):  # a payload may hold a signalling NaN
        wide: npt.NDArray[np.float64] = np.asarray(values, np.float64)
        beyond: npt.NDArray[np.bool_] = ~((wide >= bounds.least) & (wide <= bounds.most))
    for word in bounds.also:
        beyond &= wide != word
    return beyond
