"""alarms_and_alerts. Pure."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.extracts.columns import Extract, constant
from tandem.records import Records

ALARMS: Final[Mapping[int, tuple[str, str, str]]] = {
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
    kind, action, field = ALARMS[code]
    number = records.columns(code)[field].astype(np.int64)
    count = len(records)
    columns = {"kind": constant(kind, count), "action": constant(action, count), "number": pa.array(number)}
    return Extract(columns=columns, seconds=records.seconds, trouble={})
