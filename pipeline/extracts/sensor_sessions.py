"""sensor_sessions: start, join and stop of a sensor, joined into one row. Pure."""

from typing import Final

from pipeline.extracts.derived import CLOSES, GOES_ON, OPENS, Derived
from pipeline.extracts.wire import field

_MESSAGES: Final = {
    212: ("G6", OPENS), 213: ("G6", GOES_ON), 214: ("G6", CLOSES),
    394: ("G7", GOES_ON), 447: ("G7", CLOSES),
    404: ("Libre 2", OPENS), 406: ("Libre 2", GOES_ON), 405: ("Libre 2", CLOSES),
    477: ("Libre 3", GOES_ON), 486: ("Libre 3", CLOSES),
}  # fmt: skip
_WITHOUT_DURATION: Final = (394,)


def _says(code: int, sensor: str, role: str) -> dict[str, str]:
    return {
        "sensor": f"'{sensor}'",
        "role": f"'{role}'",
        "duration": "NULL" if code in _WITHOUT_DURATION else f"nullif({field(code, 'sessionDuration')}, 0)",
        "reason": field(code, "sessionStopReason") if role == CLOSES else "NULL",
    }


# A pump that loses a sensor joins its session again, so a join after a join goes on. G7 and Libre 3 have no start of their own.
SENSOR_SESSIONS: Final = Derived(
    table="sensor_sessions",
    messages={code: _says(code, sensor, role) for code, (sensor, role) in _MESSAGES.items()},
    key=("sensor",),
    row={
        "opened": f"bool_or(role = '{OPENS}')",
        "messages": "count(*)",
        "joins": f"count(*) FILTER (role = '{GOES_ON}')",
        "duration_days": "max(duration)",
        "joined_pump_time": f"arg_min(pump_time, sequence_number) FILTER (role = '{GOES_ON}')",
        "joined_instant": f"arg_min(instant, sequence_number) FILTER (role = '{GOES_ON}')",
        "stopped_pump_time": f"arg_min(pump_time, sequence_number) FILTER (role = '{CLOSES}')",
        "stopped_instant": f"arg_min(instant, sequence_number) FILTER (role = '{CLOSES}')",
        "stop_reason": "any_value(reason)",
    },
)
