"""clock_changes: changes of the pump's clock. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field


def _day(name: str) -> str:
    return f"DATE '2008-01-01' + {field(14, name)}::INTEGER"


def _milliseconds(name: str) -> str:
    return field(13, name)


CLOCK_CHANGES: Final = Derived(
    table="clock_changes",
    messages={
        13: {
            "kind": "'time'",
            "milliseconds_before": _milliseconds("timePrior"),
            "milliseconds_after": _milliseconds("timeAfter"),
        },
        14: {
            "kind": "'date'",
            "day_before": _day("datePrior"),
            "day_after": _day("dateAfter"),
        },
    },
)
