"""cgm_readings: the glucose values of sensors. Pure."""

from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.extracts.columns import Extract, constant, labels, nullable
from tandem.clock import is_date
from tandem.records import Records

MOST_GLUCOSE: Final = 1000  # mg/dL; sensors end at 400 to 500, meters at 600
_AHEAD: Final = 86_400  # s; a sensor's estimate cannot be a day younger than the record that tells it
_NO_TREND: Final = (127, 32_767)  # stored where the sensor gave no trend: public records of 256
_LOWEST_SHOWN: Final = 40
_HIGHEST_SHOWN: Final = 400
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
