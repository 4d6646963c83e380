"""basal_changes: the rate was set to another one, and why. Pure."""

from typing import Final

from pipeline.extracts.basal_deliveries import MOST_BASAL
from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, flags, outside, rounded

_CHANGES: Final = {
    0: "timed segment", 1: "new profile", 2: "temporary rate started", 3: "temporary rate ended", 4: "suspended", 5: "resumed",
    6: "shut down", 7: "basal limit",
}  # fmt: skip
_RATES: Final = {"commanded": "commandedBasalRate", "base": "baseBasalRate", "most": "maxBasalRate"}

BASAL_CHANGES: Final = Derived(
    table="basal_changes",
    messages={
        3: {
            "change": flags(field(3, "changeType"), _CHANGES),
            "profile": field(3, "idp"),
            **{f"{column}_units_per_hour": rounded(field(3, name)) for column, name in _RATES.items()},
        }
    },
    impossible={
        3: {f"{name}: beyond any pump": outside(field(3, name), 0, MOST_BASAL / 1000) for name in _RATES.values()},
    },
)
