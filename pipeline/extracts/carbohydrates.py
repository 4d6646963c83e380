"""carbohydrates: what was entered as eaten. Pure."""

from typing import Final

from pipeline.extracts.bolus_messages import MOST_CARBS
from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, outside, rounded

CARBOHYDRATES: Final = Derived(
    table="carbohydrates",
    messages={48: {"carbs_grams": rounded(field(48, "carbs"))}},
    impossible={48: {"carbs: beyond any meal": outside(field(48, "carbs"), 0, MOST_CARBS)}},
)
