"""boluses: the messages of each bolus, joined into one row. Pure.

Amounts: what was asked for is the request (66), else what the completions name, else the deliveries' or the activations' own.
An extended bolus is completed twice: 20 tells the part given at once, 21 the rest; until 21 is there, 280 counts along.
"""

from typing import Final

from pipeline.extracts.bolus_messages import BOLUS_CODES
from pipeline.extracts.derived import Derived

CHAIN_GAP: Final = 20_000
"""Sequence numbers between two messages of one bolus, at most. A bolus lasts eight hours (some 500 records); the same 16-bit bolus
id comes again after 65 536 boluses, which is years."""

_DONE: Final = "FILTER (code IN (20, 21))"
_TOLD: Final = f"sum(delivered_units) {_DONE}"
_COUNTED: Final = "max(delivered_units) FILTER (code = 280)"
_RUNNING: Final = "max(extended_minutes) IS NOT NULL AND count(*) FILTER (code = 21) = 0"

BOLUSES: Final = Derived(
    table="boluses",
    messages={code: {} for code in BOLUS_CODES},
    source="bolus_messages",
    key=("bolus_id",),
    starts=f"t.sequence_number - lag(t.sequence_number) OVER same > {CHAIN_GAP}",
    row={
        "messages": "count(*)",
        "bolus_type": "max(bolus_type)",
        "delivery": "max(delivery)",
        "requested_units": f"""round(coalesce(
            max(requested_units) FILTER (code = 66), sum(requested_units) {_DONE}, max(requested_units) FILTER (code = 280),
            sum(requested_units) FILTER (code IN (55, 59))
        ), 9)""",
        "delivered_units": f"round(CASE WHEN {_RUNNING} THEN greatest({_TOLD}, {_COUNTED}) ELSE coalesce({_TOLD}, {_COUNTED}) END, 9)",
        "food_units": "max(food_units)",
        "correction_units": "max(correction_units)",
        "carbs_grams": "max(carbs_grams)",
        "glucose_mg_dl": "max(glucose_mg_dl)",
        "extended_minutes": "max(extended_minutes)",
        "completion": f"arg_max(completion, sequence_number) {_DONE}",
        "completed_pump_time": f"arg_max(pump_time, sequence_number) {_DONE}",
        "completed_instant": f"arg_max(instant, sequence_number) {_DONE}",
    },
)
