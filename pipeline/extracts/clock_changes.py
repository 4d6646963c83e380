"""clock_changes: the pump's clock was set. Pure."""

from typing import Final

from pipeline.extracts.derived import Derived
from pipeline.extracts.wire import field, outside
from tandem.clock import MS_OF_DAY

_LAST_DAY: Final = 0xFFFF  # days since 2008: the year 2187


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
    impossible={
        13: {f"{name}: beyond a day": outside(_milliseconds(name), 0, MS_OF_DAY) for name in ("timePrior", "timeAfter")},
        14: {f"{name}: beyond any calendar": outside(field(14, name), 0, _LAST_DAY) for name in ("datePrior", "dateAfter")},
    },
)
