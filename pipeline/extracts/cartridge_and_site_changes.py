"""cartridge_and_site_changes: cartridges, tubing and cannulas filled. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, shortest, word

_COMPLETIONS: Final = {0: "user aborted", 1: "terminated by alarm", 2: "terminated by malfunction", 3: "completed"}


def _primed(code: int, part: str) -> dict[str, str]:
    size = field(code, "primeSize")
    return {
        "part": f"'{part}'",
        # Minus one is stored where nothing was measured: real tubing fills (tconnectsync process_cartridge.py).
        "units": f"CASE WHEN {size} > 0 THEN {shortest(size)} END",
        "completion": word(field(code, "completionStatus"), _COMPLETIONS),
    }


_CARTRIDGE: Final = f"coalesce(nullif({field(33, 'insulinVolume')}, 0)::DOUBLE, {shortest(field(33, 'v2Volume'))})"

CARTRIDGE_AND_SITE_CHANGES: Final = Derived(
    table="cartridge_and_site_changes",
    messages={
        33: {"part": "'cartridge'", "units": f"nullif({_CARTRIDGE}, 0)"},
        61: _primed(61, "cannula"),
        63: _primed(63, "tubing"),
    },
)
