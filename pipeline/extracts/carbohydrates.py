"""carbohydrates: carbohydrate entered on the pump. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, shortest

CARBOHYDRATES: Final = Derived(
    table="carbohydrates",
    messages={48: {"carbs_grams": shortest(field(48, "carbs"))}},
)
