"""alarms_and_alerts: activation, acknowledgement and clearing of an alarm, joined into one row. Pure."""

from collections.abc import Mapping
from typing import Final

from pipeline.extracts.derived import CLOSES, GOES_ON, OPENS, Derived
from pipeline.extracts.wire import field

_MESSAGES: Final[Mapping[int, tuple[str, str, str]]] = {
    4: ("alert", OPENS, "alertId"),
    5: ("alarm", OPENS, "alarmId"),
    6: ("malfunction", OPENS, "malfId"),
    26: ("alert", CLOSES, "alertId"),
    28: ("alarm", CLOSES, "alarmId"),
    **dict.fromkeys((171, 369, 460), ("cgm alert", OPENS, "dalertId")),
    **dict.fromkeys((172, 370, 461), ("cgm alert", CLOSES, "dalertId")),
    371: ("cgm alert", GOES_ON, "dalertId"),
}


def _at(column: str, role: str) -> str:
    return f"arg_min({column}, sequence_number) FILTER (role = '{role}')"


# An alert that is activated again while it lasts is another row: nobody cleared the first (public records of 5 have no 28).
ALARMS_AND_ALERTS: Final = Derived(
    table="alarms_and_alerts",
    messages={
        code: {"kind": f"'{kind}'", "role": f"'{role}'", "number": field(code, number)} for code, (kind, role, number) in _MESSAGES.items()
    },
    key=("kind", "number"),
    row={
        "opened": f"bool_or(role = '{OPENS}')",
        "messages": "count(*)",
        "acknowledged_pump_time": _at("pump_time", GOES_ON),
        "acknowledged_instant": _at("instant", GOES_ON),
        "cleared_pump_time": _at("pump_time", CLOSES),
        "cleared_instant": _at("instant", CLOSES),
    },
)
