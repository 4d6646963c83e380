"""daily_totals: what the pump itself counted since midnight, as last told that day. Pure."""

from typing import Final

from pipeline.extracts.bolus_messages import MOST_BOLUS
from pipeline.extracts.cartridge_and_site_changes import MOST_INSULIN
from pipeline.extracts.derived import GOES_ON, Derived
from pipeline.extracts.wire import field, outside, rounded

_TOLD: Final = {
    "basal_units": rounded(field(81, "dailyTotalBasal")),
    "basal_units_per_hour": rounded(field(81, "lastBasalRate")),
    "insulin_on_board_units": rounded(field(81, "iob")),
    "battery_percent": field(81, "batteryChargePercent"),
    "battery_millivolts": field(81, "batteryLipoMilliVolts"),
}

DAILY_TOTALS: Final = Derived(
    table="daily_totals",
    messages={81: {"role": f"'{GOES_ON}'", "day": "pump_time::DATE", **_TOLD}},
    impossible={
        81: {
            "dailyTotalBasal: beyond any pump": outside(field(81, "dailyTotalBasal"), 0, MOST_INSULIN),
            "lastBasalRate: beyond any pump": outside(field(81, "lastBasalRate"), 0, MOST_INSULIN),
            "iob: beyond any pump": outside(field(81, "iob"), -MOST_BOLUS, MOST_BOLUS),
        }
    },
    key=("day",),
    row={
        "messages": "count(*)",
        **{column: f"arg_max({column}, sequence_number)" for column in _TOLD},
        "told_pump_time": "arg_max(pump_time, sequence_number)",
        "told_instant": "arg_max(instant, sequence_number)",
    },
)
