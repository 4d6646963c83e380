"""What a sensor's message says: a value, "low", "high", or nothing. Pure.

Source: tconnectsync 3.0.3, process_cgm_reading.py, after `CgmBuilder.determineGlucoseValue` of the service's web app.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tandem.records import Column

SENSORS: Final[Mapping[int, str]] = {256: "G6", 372: "Libre 2", 399: "G7", 480: "Libre 3"}
"""The codes of readings, and whose they are."""

LOW, HIGH = 39, 401
"""What stands for "low" and "high", mg/dL: what the service's own pages show."""

VALUE, SPECIAL_HIGH, SPECIAL_LOW, HIDDEN = 0, 1, 2, 3
"""Kinds of a message. The first three are stored so; others are stored too (6 is "do not show")."""

_STORED: Final = (VALUE, SPECIAL_HIGH, SPECIAL_LOW)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """A column of messages: `kind` of each, and `glucose` in mg/dL, which means nothing where the kind is HIDDEN."""

    kind: npt.NDArray[np.int64]
    glucose: npt.NDArray[np.int64]


def shown(status: Column, value: Column) -> Shown:
    """What messages with these `glucoseValueStatus` and `currentGlucoseDisplayValue` show."""
    told, number = status.astype(np.int64), value.astype(np.int64)
    nothing = ~np.isin(told, _STORED) | ((told == VALUE) & (number <= 0))  # a message without a reading
    low = ~nothing & ((told == SPECIAL_LOW) | ((told == VALUE) & (number <= LOW)))
    high = ~nothing & ((told == SPECIAL_HIGH) | ((told == VALUE) & (number >= HIGH)))
    kind = np.select([nothing, low, high], [HIDDEN, SPECIAL_LOW, SPECIAL_HIGH], VALUE)
    return Shown(kind=kind, glucose=np.select([low, high], [LOW, HIGH], number))
