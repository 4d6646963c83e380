"""control_modes: whether the profile or the algorithm controls basal insulin; a row lasts until the next. Pure."""

from typing import Final

from pipeline.extracts.derived import OPENS, Derived
from pipeline.extracts.wire import field, word

_MODES: Final = {0: "none", 1: "open loop", 2: "pining", 3: "closed loop"}
_ABLE: Final = {
    "suspended": "pumpSuspended", "sensor_available": "cgmAvailable", "closed_loop_preferred": "closedLoopPreferred",
}  # fmt: skip

CONTROL_MODES: Final = Derived(
    table="control_modes",
    messages={
        230: {
            "role": f"'{OPENS}'",
            "mode": word(field(230, "currentPcm"), _MODES),
            "previous_mode": word(field(230, "previousPcm"), _MODES),
            **{column: f"{field(230, name)} <> 0" for column, name in _ABLE.items()},
        }
    },
    row={
        "opened": "true",
        **{column: f"any_value({column})" for column in ("mode", "previous_mode", *_ABLE)},
        "ended_pump_time": "next_pump_time",
        "ended_instant": "next_instant",
    },
)
