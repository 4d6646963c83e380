"""bolus_messages: one row per message of a bolus. Pure."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.extracts.columns import Extract, impossible, labels, nullable
from tandem.records import Columns, Records

Floats = dict[str, npt.NDArray[np.float64]]

_SEVEN_DIGITS: Final = 10_000
BOLUS_CODES: Final = (20, 21, 55, 59, 64, 65, 66, 280)
_TYPES: Final = {0: "insulin", 1: "carbohydrate", 2: "automatic correction", 3: "remote"}
_DELIVERIES: Final = {
    0: "standard", 1: "extended", 2: "quick", 3: "automatic", 4: "standard", 5: "extended", 6: "automatic", 7: "late",
}  # fmt: skip
_COMPLETIONS: Final = {
    0: "user aborted", 1: "terminated by alarm", 2: "terminated by malfunction", 3: "completed", 5: "rejected", 6: "aborted by suspend",
}  # fmt: skip
_UNITS: Final[Mapping[int, Mapping[str, str]]] = {
    20: {"requested_units": "insulinRequested", "delivered_units": "insulinDelivered"},
    21: {"requested_units": "insulinRequested", "delivered_units": "insulinDelivered"},
    55: {"requested_units": "bolusSize"},
    59: {"requested_units": "bolexSize"},
    66: {"requested_units": "totalBolusSize", "food_units": "foodBolusSize", "correction_units": "correctionBolusSize"},
}
_WHOLE: Final[Mapping[int, Mapping[str, str]]] = {
    64: {"carbs_grams": "carbAmount", "glucose_mg_dl": "bg"},
    65: {"extended_minutes": "duration"},
    280: {"extended_minutes": "extendedDurationRequested"},
}
_WORDS: Final[Mapping[int, tuple[str, str, Mapping[int, str]]]] = {
    20: ("completion", "completionStatus", _COMPLETIONS),
    21: ("completion", "completionStatus", _COMPLETIONS),
    64: ("bolus_type", "bolusType", _TYPES),
    65: ("delivery", "options", _DELIVERIES),
}


def bolus_messages(code: int, records: Records) -> Extract:
    """64, 65, 66, 55, 59, 280, 20, 21. Units are the shortest numbers that name the 32-bit floats, as the JSON eras write them."""
    found = records.columns(code)
    units: Floats = {name: _shortest(found[field]) for name, field in _UNITS.get(code, {}).items()}
    if code == 280:  # noqa: PLR2004  # the one message that counts in milliunits
        units = _of_delivery(found)
    whole = {name: found[field].astype(np.int32) for name, field in _WHOLE.get(code, {}).items()}
    columns = {
        "code": pa.array(np.full(len(records), code, np.int16)),
        "bolus_id": pa.array(found["bolusId"].astype(np.int32)),
        **{name: pa.array(values) for name, values in units.items()},
        # 0 mg/dL and 0 minutes are "none given"; 0 g is an answer.
        **{name: nullable(values, (values == 0) & (name != "carbs_grams")) for name, values in whole.items()},
    }
    if code in _WORDS:
        name, field, words = _WORDS[code]
        columns[name] = labels(found[field], words)
    return Extract(columns=columns, seconds=records.seconds, trouble=impossible(code, found))


def _shortest(column: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore", over="ignore"):  # a payload may hold a signalling NaN; `trouble` has it below
        single = np.asarray(column, np.float32)
        found: npt.NDArray[np.float64] = single.astype(np.float64).round(3)
        longer = found.astype(np.float32) != single  # pumps deliver thousandths; text takes a hundred times as long
    # Seven digits are a float's own; a number below ten thousand with three places has no more.
    longer |= np.abs(found) >= _SEVEN_DIGITS
    found[longer] = single[longer].astype(np.str_).astype(np.float64)
    return found


def _of_delivery(found: Columns) -> Floats:
    now, later = found["requestedNow"].astype(np.float64), found["requestedLater"].astype(np.float64)
    return {
        "requested_units": (now + later) / 1000,
        "delivered_units": found["deliveredTotal"].astype(np.float64) / 1000,
    }
