"""suspensions: spans from a suspension of insulin to its resumption. Pure."""

from typing import Final

from pipeline.extracts.derived import CLOSES, OPENS, Derived
from pipeline.extracts.wire import field, word

_REASONS: Final = {0: "user", 1: "alarm", 2: "malfunction", 6: "predicted low glucose"}

SUSPENSIONS: Final = Derived(
    table="suspensions",
    messages={
        11: {
            "role": f"'{OPENS}'",
            "reason": word(field(11, "suspendReason"), _REASONS),
            "reservoir_units": field(11, "insulinAmount"),
        },
        12: {"role": f"'{CLOSES}'"},
    },
    row={
        "opened": f"bool_or(role = '{OPENS}')",
        "messages": "count(*)",
        "reason": "any_value(reason)",
        "reservoir_units": "any_value(reservoir_units)",
        "resumed_pump_time": f"arg_min(pump_time, sequence_number) FILTER (role = '{CLOSES}')",
        "resumed_instant": f"arg_min(instant, sequence_number) FILTER (role = '{CLOSES}')",
    },
)
