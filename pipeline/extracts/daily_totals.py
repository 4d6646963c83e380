"""daily_totals: the pump's own totals since midnight, as last reported that day. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, shortest

_TOLD: Final = {
    "basal_units": shortest(field(81, "dailyTotalBasal")),
    "basal_units_per_hour": shortest(field(81, "lastBasalRate")),
    "insulin_on_board_units": shortest(field(81, "iob")),
    "battery_percent": field(81, "batteryChargePercent"),
    "battery_millivolts": field(81, "batteryLipoMilliVolts"),
}

DAILY_TOTALS: Final = Derived(
    table="daily_totals",
    messages={81: {"day": "pump_time::DATE", **_TOLD}},
    key=("day",),
    starts=None,
    row={
        "messages": "count(*)",
        **{column: f"arg_max({column}, sequence_number)" for column in _TOLD},
        "told_pump_time": "arg_max(pump_time, sequence_number)",
        "told_instant": "arg_max(instant, sequence_number)",
    },
)
