"""cgm_readings: the glucose values of sensors. Pure."""

from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.extracts.columns import Extract, constant, impossible, labels, nullable
from tandem.bounds import MOST_GLUCOSE
from tandem.clock import is_date
from tandem.glucose import HIDDEN, SENSORS, SPECIAL_HIGH, SPECIAL_LOW, VALUE, shown
from tandem.records import Records

_AHEAD: Final = 86_400  # s; a sensor's estimate cannot be a day younger than the record that tells it
_NO_TREND: Final = (127, 32_767)  # stored where the sensor gave no trend: public records of 256
_STATUS: Final = {VALUE: "value", SPECIAL_HIGH: "high", SPECIAL_LOW: "low", HIDDEN: "hidden"}
_BACKFILL: Final = 0b10


def cgm_readings(code: int, records: Records) -> Extract:
    """256, 372, 399, 480. The glucose is what the service's own pages show: 39 for low, 401 for high."""
    found = records.columns(code)
    value = found["currentGlucoseDisplayValue"].astype(np.int64)
    seen = shown(found["glucoseValueStatus"], value)
    hidden = seen.kind == HIDDEN
    rate = found["rate"].astype(np.float64)
    taken = found["egvTimeStamp"].astype(np.int64)
    return Extract(
        columns={
            "sensor": constant(SENSORS[code], len(records)),
            "glucose_mg_dl": nullable(seen.glucose.astype(np.int16), hidden),
            "status": labels(seen.kind, _STATUS),
            "rate_mg_dl_per_minute": nullable(np.round(rate / 10, 1), np.isin(rate, _NO_TREND)),
            "backfilled": pa.array((found["cgmDataType"].astype(np.int32) & _BACKFILL) != 0),
        },
        seconds=found["egvTimeStamp"].astype(np.uint32),
        trouble=impossible(code, found)
        | {
            "egvTimeStamp: not a time, or a day after the record": np.where(
                # A sensor that warms up sends messages without a reading and without its time: nothing is wrong, and no row comes of them.
                is_date(taken),
                taken > records.seconds.astype(np.int64) + _AHEAD,
                ~hidden,
            ),
            "currentGlucoseDisplayValue: beyond any sensor": (found["glucoseValueStatus"] == VALUE) & (value > MOST_GLUCOSE),
        },
    )
