"""Which table takes which event codes, and which codes have none. Pure; a new table is a module, a row here, a model and a migration."""

from collections.abc import Mapping
from typing import Final

from pipeline.extracts.alarms_and_alerts import ALARMS_AND_ALERTS
from pipeline.extracts.basal_changes import basal_changes
from pipeline.extracts.basal_deliveries import basal_deliveries
from pipeline.extracts.blood_glucose_readings import BLOOD_GLUCOSE_READINGS
from pipeline.extracts.bolus_messages import BOLUS_CODES, bolus_messages
from pipeline.extracts.boluses import BOLUSES
from pipeline.extracts.carbohydrates import CARBOHYDRATES
from pipeline.extracts.cartridge_and_site_changes import CARTRIDGE_AND_SITE_CHANGES
from pipeline.extracts.cgm_readings import cgm_readings
from pipeline.extracts.clock_changes import CLOCK_CHANGES
from pipeline.extracts.columns import Reader
from pipeline.extracts.control_modes import CONTROL_MODES
from pipeline.extracts.daily_totals import DAILY_TOTALS
from pipeline.extracts.derived import Derived
from pipeline.extracts.sensor_sessions import SENSOR_SESSIONS
from pipeline.extracts.suspensions import SUSPENSIONS
from pipeline.extracts.user_modes import USER_MODES
from tandem.glucose import SENSORS

EXTRACTS: Final[Mapping[str, tuple[tuple[int, ...], Reader]]] = {
    "cgm_readings": (tuple(SENSORS), cgm_readings),
    "basal_deliveries": ((279,), basal_deliveries),
    "basal_changes": ((3,), basal_changes),
    "bolus_messages": (BOLUS_CODES, bolus_messages),
}
"""Tables of the frequent events -> the codes each takes, and how: read from the answer by the column, before anything is stored."""

OF_CODE: Final[Mapping[int, str]] = {code: table for table, (codes, _) in EXTRACTS.items() for code in codes}
"""Code -> the table of frequent events it feeds."""

DERIVED: Final[tuple[Derived, ...]] = (
    BOLUSES,
    SUSPENSIONS,
    CARBOHYDRATES,
    BLOOD_GLUCOSE_READINGS,
    CARTRIDGE_AND_SITE_CHANGES,
    SENSOR_SESSIONS,
    ALARMS_AND_ALERTS,
    USER_MODES,
    CONTROL_MODES,
    DAILY_TOTALS,
    CLOCK_CHANGES,
)
"""Tables worked out in SQL from what is stored."""

CLAIMS: Final[Mapping[int, str]] = {**{code: derived.table for derived in DERIVED for code in derived.codes}, **OF_CODE}
"""Code -> the one table that has its rows (bolus_messages are joined to boluses)."""

EVENTS_ONLY: Final[Mapping[int, str]] = {
    36: "a cable was plugged in", 37: "a cable was pulled out", 53: "the pump was shelved", 60: "its log was damaged",
    90: "a day began: the rate and the features at midnight", 99: "its processor started", 140: "the older algorithm's forecast",
    191: "versions", 203: "an update's state", 307: "versions", 313: "the algorithm's state at midnight",
}  # fmt: skip
"""Codes with a layout that stay in `events` and `raw_events`, and what they tell: nothing of therapy that has a span or an amount."""
