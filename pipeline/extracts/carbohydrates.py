"""carbohydrates: what was entered as eaten. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, rounded

CARBOHYDRATES: Final = Derived(
    table="carbohydrates",
    messages={48: {"carbs_grams": rounded(field(48, "carbs"))}},
)
