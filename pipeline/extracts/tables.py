"""Which table takes which codes. Pure."""

from collections.abc import Mapping
from typing import Final

from pipeline.extracts.alarms_and_alerts import ALARMS, alarms_and_alerts
from pipeline.extracts.basal_deliveries import basal_deliveries
from pipeline.extracts.bolus_messages import BOLUS_CODES, bolus_messages
from pipeline.extracts.cgm_readings import SENSORS, cgm_readings
from pipeline.extracts.columns import Reader

EXTRACTS: Final[Mapping[str, tuple[tuple[int, ...], Reader]]] = {
    "cgm_readings": (tuple(SENSORS), cgm_readings),
    "basal_deliveries": ((279,), basal_deliveries),
    "bolus_messages": (BOLUS_CODES, bolus_messages),
    "alarms_and_alerts": (tuple(ALARMS), alarms_and_alerts),
}
"""Table -> the codes it takes, and how. A new table is a new row here, a model and a migration."""

OF_CODE: Final[Mapping[int, str]] = {code: table for table, (codes, _) in EXTRACTS.items() for code in codes}
"""Code -> the table it feeds."""
