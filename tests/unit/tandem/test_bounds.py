"""Bounds: every field has them or a reason why not, and they are what they say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.bounds import BOUNDS, outside
from tandem.events import EVENTS, Field

FIELDS = [(code, name) for code, of_code in BOUNDS.items() for name in of_code]

ELSEWHERE = {
    "currentGlucoseDisplayValue": "0 to 1000 mg/dL where the status says that it is a value (pipeline/extracts/cgm_readings.py)",
    "egvTimeStamp": "a time, and not a day after the record (pipeline/extracts/cgm_readings.py)",
}
"""Fields whose bounds depend on other fields of the record."""

_ANY_MEANING = {
    "enum": "lists have gaps and grow (tconnectsync 124, 122, 135): a number without a word is told as `other N`",
    "dictionary": "the same: alerts and alarms nobody has named yet",
    "bitmask": "every bit may be set",
}
_ANY_UNIT = {
    "milliunits": "16 bits end at 65.5 units, which a bolus can be",
    "dBm": "8 bits, all of which a radio may tell",
    "days": "8 bits; how long a sensor lasts is its maker's",
    "counts": "a motor's own",
    "mg/dL/min": "8 bits end at 12.8, which glucose can do",
}
_ANY_NAME = {
    "fmr": "no public record of 140", "pgv": "no public record of 140", "exerciseTime": "minutes of a span the pump ends by itself",
    "rpaTimeout": "8 bits of minutes", "weight": "its unit is not known", "currentTdIpop": "nobody knows what it counts",
    "sessionSignature": "a number of the sensor's",
}  # fmt: skip


def why_any(code: int, field: Field) -> str | None:
    """Why every value of a field may be meant; None where it is not said, and so must have bounds."""
    if code == 53:
        return "no public record of 53, a pump before its first use"
    if field.time != "none":
        return "a time or a counter of the device: moved by nothing, shown by nothing"
    if field.origin == "spare" or field.mark in ("?", "C", "V", "I"):
        return "opaque, a counter or a part number"
    if field.meaning in _ANY_MEANING:
        return _ANY_MEANING[field.meaning]
    return _ANY_UNIT.get(field.unit) or _ANY_NAME.get(field.name) or ("a number without a unit" if not field.unit else None)


def test_every_field_has_bounds_or_a_reason_why_not() -> None:
    bare = [
        (code, field.name)
        for code, known in EVENTS.items()
        for field in known.fields
        if field.name not in BOUNDS.get(code, {}) and field.name not in ELSEWHERE and why_any(code, field) is None
    ]
    assert bare == []


@pytest.mark.parametrize("kind", ["float32", "whole"])
def test_bounds_are_of_fields_there_are_and_leave_room_on_either_side_of_something(kind: str) -> None:
    for code, name in FIELDS:
        field, bounds = EVENTS[code].field(name), BOUNDS[code][name]
        if (field.type == "float32") is (kind == "float32"):
            least, most = field.bounds if kind == "whole" else (-math.inf, math.inf)
            assert bounds.least < bounds.most
            assert least <= bounds.most, "something can be meant"
            assert bounds.least > least or bounds.most < most, f"{code} {name}: nothing is ever outside"


@given(field=st.sampled_from(FIELDS), value=st.floats(width=32) | st.integers(-(1 << 31), (1 << 32) - 1))
def test_outside_is_what_is_less_or_more_or_no_number_and_no_word_for_none(field: tuple[int, str], value: float) -> None:
    code, name = field
    bounds = BOUNDS[code][name]
    meant = (not math.isnan(value) and bounds.least <= value <= bounds.most) or value in bounds.also
    assert outside(np.array([value], np.float64), bounds).tolist() == [not meant]
