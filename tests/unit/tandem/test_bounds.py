"""Bounds: every field has them or a reason why not, and they are what they say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.bounds import BOUNDS, ELSEWHERE, outside, why_any
from tandem.events import EVENTS

FIELDS = [(code, name) for code, of_code in BOUNDS.items() for name in of_code]


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
