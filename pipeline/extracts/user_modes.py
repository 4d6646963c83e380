"""user_modes: normal, sleep and exercise; a row lasts until the next. Pure."""

from typing import Final

from pipeline.extracts.derived import OPENS, Derived
from pipeline.extracts.wire import field, word

_MODES: Final = {0: "normal", 1: "sleep", 2: "exercise", 3: "eating soon"}
_ACTIONS: Final = {
    0: "none", 1: "start sleep", 2: "stop sleep", 3: "start exercise", 4: "stop exercise", 5: "stop all", 6: "start eating soon",
    7: "stop eating soon",
}  # fmt: skip

USER_MODES: Final = Derived(
    table="user_modes",
    messages={
        229: {
            "role": f"'{OPENS}'",
            "mode": word(field(229, "currentUserMode"), _MODES),
            "previous_mode": word(field(229, "previousUserMode"), _MODES),
            "requested": word(field(229, "requestedAction"), _ACTIONS),
            "exercise": f"CASE WHEN {field(229, 'exerciseChoice')} = 1 THEN nullif({field(229, 'exerciseTime')}, 0) END",
        }
    },
    row={
        "opened": "true",
        "mode": "any_value(mode)",
        "previous_mode": "any_value(previous_mode)",
        "requested": "any_value(requested)",
        "exercise_minutes": "any_value(exercise)",
        "ended_pump_time": "next_pump_time",
        "ended_instant": "next_instant",
    },
)
