"""blood_glucose_readings: blood glucose entered on the pump, typed from a meter or taken over from the sensor. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, shortest, word

BLOOD_GLUCOSE_READINGS: Final = Derived(
    table="blood_glucose_readings",
    messages={
        16: {
            "glucose_mg_dl": field(16, "bg"),
            "entered": word(field(16, "bgEntryType"), {0: "by hand", 1: "from the sensor"}),
            "place": word(field(16, "bgSourceType"), {0: "pump", 1: "remote"}),
            "calibration": f"{field(16, 'cgmCalibration')} <> 0",
            "target_mg_dl": f"nullif({field(16, 'targetBg')}, 0)",
            "insulin_on_board_units": shortest(field(16, "iob")),
        }
    },
)
