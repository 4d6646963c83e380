"""What each kind of event says, as columns: one row in `EXTRACTS` per table that takes its rows from single events. Pure.

A value or time no pump can mean makes no row; the event is kept and its place goes to the quarantine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tandem.clock import is_date
from tandem.records import Columns, Records

Mask = npt.NDArray[np.bool_]

MOST_GLUCOSE: Final = 1000  # mg/dL; sensors end at 400 to 500, meters at 600
MOST_BASAL: Final = 50_000  # milliunits/h; the pump's own limit is 15 units/h
MOST_BOLUS: Final = 100.0  # units; the pump's own limit is 25, or 2 x 30 where extended
MOST_CARBS: Final = 2_000  # g; the pump takes 999 at most
_AHEAD: Final = 86_400  # s; a sensor's estimate cannot be a day younger than the record that tells it
_NO_RATE: Final = 0xFFFF  # stored where no such rate applies: public records of 279
_NO_TREND: Final = (127, 32_767)  # stored where the sensor gave no trend: public records of 256
_LOWEST_SHOWN: Final = 40
_HIGHEST_SHOWN: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extract:
    """The rows of one code's records: `columns` as long as the records, `seconds` their time, `trouble` what is wrong and where.

    No row comes of a record in trouble, nor of one without a time.
    """

    columns: Mapping[str, pa.Array]
    seconds: npt.NDArray[np.uint32]
    trouble: Mapping[str, Mask]


Floats = dict[str, npt.NDArray[np.float64]]
Reader = Callable[[int, Records], Extract]


def nullable(values: npt.NDArray[np.generic], null: Mask | None = None) -> pa.Array:
    """A column, null where the mask is true."""
    return pa.array(values, mask=null)


def labels(values: npt.NDArray[np.generic], names: Mapping[int, str]) -> pa.Array:
    """Numbers as words; one without a word becomes `other N`."""
    found, places = np.unique(values, return_inverse=True)
    words = [names.get(value, f"other {value}") for value in found.tolist()]
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(words, pa.string()))


def constant(word: str, count: int) -> pa.Array:
    """The same word in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([word]))


# --- sensor readings

SENSORS: Final = {256: "G6", 372: "Libre 2", 399: "G7", 480: "Libre 3"}
_STATUS: Final = {0: "value", 1: "high", 2: "low"}
_BACKFILL: Final = 0b10


def cgm_readings(code: int, records: Records) -> Extract:
    """256, 372, 399, 480. The glucose is what the service's own pages show: 39 for low, 401 for high.

    Source: tconnectsync 3.0.3, process_cgm_reading.py, after `CgmBuilder.determineGlucoseValue` of the web app.
    """
    found = records.columns(code)
    shown = found["currentGlucoseDisplayValue"].astype(np.int32)
    status = found["glucoseValueStatus"].astype(np.int32)
    status = np.where((status == 0) & (shown == 0), 3, status)  # a message without a reading
    low = (status == 2) | ((status == 0) & (shown < _LOWEST_SHOWN))  # noqa: PLR2004  # 2 is special low
    high = (status == 1) | ((status == 0) & (shown > _HIGHEST_SHOWN))
    glucose = np.select([low, high], [_LOWEST_SHOWN - 1, _HIGHEST_SHOWN + 1], shown)
    status = np.select([low, high], [2, 1], status)
    hidden = status > 2  # noqa: PLR2004  # above: 6 is "do not show"
    rate = found["rate"].astype(np.float64)
    taken = found["egvTimeStamp"].astype(np.int64)
    return Extract(
        columns={
            "sensor": constant(SENSORS[code], len(records)),
            "glucose_mg_dl": nullable(glucose.astype(np.int16), hidden),
            "status": labels(status, _STATUS | dict.fromkeys(range(3, 256), "hidden")),
            "rate_mg_dl_per_minute": nullable(np.round(rate / 10, 1), np.isin(rate, _NO_TREND)),
            "backfilled": pa.array((found["cgmDataType"].astype(np.int32) & _BACKFILL) != 0),
        },
        seconds=found["egvTimeStamp"].astype(np.uint32),
        trouble={
            "egvTimeStamp: not a time, or a day after the record": np.where(
                # A sensor that warms up sends messages without a reading and without its time: nothing is wrong, and no row comes of them.
                is_date(taken),
                taken > records.seconds.astype(np.int64) + _AHEAD,
                ~hidden,
            ),
            "currentGlucoseDisplayValue: beyond any sensor": (found["glucoseValueStatus"] == 0) & (shown > MOST_GLUCOSE),
        },
    )


# --- basal deliveries

_SOURCES: Final = {0: "suspended", 1: "profile", 2: "temporary rate", 3: "algorithm", 4: "temporary rate and algorithm"}


def basal_deliveries(code: int, records: Records) -> Extract:
    """279, in milliunits/h as stored."""
    found = records.columns(code)
    rates = {
        f"{kind}_milliunits_per_hour": nullable(found[name].astype(np.int32), found[name] == _NO_RATE)
        for kind, name in (("profile", "profileBasalRate"), ("algorithm", "algorithmRate"), ("temporary", "tempRate"))
    }
    commanded = found["commandedRate"].astype(np.int32)
    return Extract(
        columns={
            "source": labels(found["commandedRateSource"], _SOURCES),
            "commanded_milliunits_per_hour": pa.array(commanded),
            **rates,
        },
        seconds=records.seconds,
        trouble={"commandedRate: beyond any pump": commanded > MOST_BASAL},
    )


# --- the messages of a bolus

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
    """64, 65, 66, 55, 59, 280, 20, 21. Units are rounded to a millionth: 32-bit floats carry no more, pumps deliver thousandths."""
    found = records.columns(code)
    units: Floats = {name: _rounded(found[field]) for name, field in _UNITS.get(code, {}).items()}
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
    with np.errstate(invalid="ignore"):
        odd = {f"{name}: beyond any pump": ~((values >= 0) & (values <= MOST_BOLUS)) for name, values in units.items()}
    if "carbs_grams" in whole:
        odd["carbs_grams: beyond any meal"] = whole["carbs_grams"] > MOST_CARBS
    return Extract(columns=columns, seconds=records.seconds, trouble=odd)


def _rounded(column: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a payload may hold a signalling NaN; `trouble` has it below
        wide: npt.NDArray[np.float64] = np.asarray(column, np.float64)
    return wide.round(6)


def _of_delivery(found: Columns) -> Floats:
    now, later = found["requestedNow"].astype(np.float64), found["requestedLater"].astype(np.float64)
    return {
        "requested_units": (now + later) / 1000,
        "delivered_units": found["deliveredTotal"].astype(np.float64) / 1000,
    }


# --- alarms and alerts

_ALARMS: Final[Mapping[int, tuple[str, str, str]]] = {
    4: ("alert", "activated", "alertId"),
    5: ("alarm", "activated", "alarmId"),
    6: ("malfunction", "activated", "malfId"),
    26: ("alert", "cleared", "alertId"),
    28: ("alarm", "cleared", "alarmId"),
    **dict.fromkeys((171, 369, 460), ("cgm alert", "activated", "dalertId")),
    **dict.fromkeys((172, 370, 461), ("cgm alert", "cleared", "dalertId")),
    371: ("cgm alert", "acknowledged", "dalertId"),
}


def alarms_and_alerts(code: int, records: Records) -> Extract:
    """4, 5, 6, 26, 28 and the sensors' own."""
    kind, action, field = _ALARMS[code]
    number = records.columns(code)[field].astype(np.int64)
    count = len(records)
    columns = {"kind": constant(kind, count), "action": constant(action, count), "number": pa.array(number)}
    return Extract(columns=columns, seconds=records.seconds, trouble={})


EXTRACTS: Final[Mapping[str, tuple[tuple[int, ...], Reader]]] = {
    "cgm_readings": (tuple(SENSORS), cgm_readings),
    "basal_deliveries": ((279,), basal_deliveries),
    "bolus_messages": (BOLUS_CODES, bolus_messages),
    "alarms_and_alerts": (tuple(_ALARMS), alarms_and_alerts),
}
"""Table -> the codes it takes, and how. A new table is a new row here, a model and a migration."""

OF_CODE: Final[Mapping[int, str]] = {code: table for table, (codes, _) in EXTRACTS.items() for code in codes}
"""Code -> the table it feeds."""
