"""A cassette's JSON reads back as it was, and one pump event stands on one line, however many were written in one go."""

import json
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from tfx import layout
from tfx.jsonbody import Json
from tfx.layout import is_laid_out, lay_out

TEXTS = st.text(alphabet='ab,:{}[]"\\é1', max_size=4)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
INNER = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(TEXTS, LEAVES | st.lists(LEAVES | st.lists(LEAVES)), max_size=3)
EVENTS = st.dictionaries(TEXTS, INNER, max_size=4).map(lambda members: {"eventCode": 1, **members})


@given(st.lists(EVENTS, min_size=8, max_size=12) | st.lists(TEXTS, min_size=8, max_size=12) | st.lists(INNER, min_size=8, max_size=9))
@example([",", "a", *["x" * 20] * 8])
@example([{"a": [{"a": 1}, {"a": 2}]}, *[{"a": 0}] * 7, {"b": 1}])
@example([{"a": [{"a": 1}, {"a": 2}]}, *[{"a": 0}] * 8])
@example([{"a": 1 << 70}] * 9)
@example([{"a": {"b": [[1]]}}] * 9)
@example([{"a": "x" * 2500}] * 9)
@example(["ab" * 26] * 9)
def test_rows_written_in_one_go_are_those_written_one_by_one(rows: list[Json]) -> None:
    value: Json = {"rows": rows, "wide": "x" * 120}
    text = lay_out(value)
    with mock.patch.object(layout, "_MANY", 1000):
        assert lay_out(value) == text
    assert json.loads(text) == value
    assert is_laid_out(value, text)
    for other in (text[:-1], text + b"\n", text.replace(b":", b": ", 1), text.replace(b"\n ", b"\n", 1)):
        assert not is_laid_out(value, other)


def test_a_pump_event_stands_on_a_line_of_its_own() -> None:
    events: list[Json] = [{"eventCode": 279, "eventProperties": {"spareA1": [number]}} for number in range(20)]
    lines = lay_out({"events": events}).splitlines()
    assert lines[0] == b"{"
    assert lines[1] == b' "events": ['
    assert lines[2] == b'  {"eventCode":279,"eventProperties":{"spareA1":[0]}},'
    assert [json.loads(line.rstrip(b",")) for line in lines[2:-2]] == events
