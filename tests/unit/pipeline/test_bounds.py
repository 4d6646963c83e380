"""Every field, at and beyond its bounds: beyond, the event is kept and no table takes it; at them, it is like any other."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pytest
from sqlalchemy import Engine

from pipeline.extracts.tables import CLAIMS, DERIVED, EXTRACTS
from pipeline.running.steps import Stored
from pipeline.store.ranges import STALE, mark
from tandem.bounds import BOUNDS, Bounds
from tandem.events import EVENTS, Field
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]

START: Final = 580_003_200
_ONE_ROW_EACH: Final = {*EXTRACTS, *(derived.table for derived in DERIVED if not derived.row)}


def beyond(field: Field, bounds: Bounds) -> Iterator[float]:
    """The nearest values outside that the field can hold, and what is no number."""
    if field.type == "float32":
        low, high = np.float32(bounds.least), np.float32(bounds.most)
        yield from map(float, (np.nextafter(low, np.float32(-np.inf)), np.nextafter(high, np.float32(np.inf)), np.nan, np.inf, -np.inf))
    else:
        least, most = field.bounds
        yield from (value for value in (int(bounds.least) - 1, int(bounds.most) + 1) if least <= value <= most)


def at(field: Field, bounds: Bounds) -> Iterator[float]:
    """The outermost values inside that the field can hold, and its words for "none"."""
    least, most = field.bounds if field.type != "float32" else (bounds.least, bounds.most)
    yield from (max(bounds.least, least), min(bounds.most, most), *bounds.also)


def told(values: Callable[[Field, Bounds], Iterator[float]]) -> list[tuple[Records, int, str]]:
    """A record for each of these values of each field, everything else about it possible; its code and what the field is called."""
    made: list[tuple[Records, int, str]] = []
    for code, fields in BOUNDS.items():
        usual = {name: max(bounds.least, 0) for name, bounds in fields.items()}
        if code in (256, 372, 399, 480):
            usual["egvTimeStamp"] = START
        for name, bounds in fields.items():
            for value in values(EVENTS[code].field(name), bounds):
                sequence = 1 + len(made) * 30_011  # too far apart for a chain
                record = Records.build(code=code, seconds=START, sequence=sequence, columns=usual | {name: value})
                made.append((record, code, f"{name}: outside {bounds}"))
    return made


def test_beyond_its_bounds_a_value_is_set_aside_with_its_field_and_no_table_takes_it(keep: Keep, rows: Rows, warehouse: Engine) -> None:
    cases = told(beyond)
    assert {(code, detail) for _, code, detail in cases} == {
        (code, f"{name}: outside {bounds}") for code, of in BOUNDS.items() for name, bounds in of.items()
    }
    keep(Records.join(record for record, *_ in cases))
    expected = [(int(record.sequence[0]), code, detail, None) for record, code, detail in cases]
    for _ in range(2):  # worked out again, the same trouble is the same row
        found = rows("SELECT sequence_number, code, detail, raw FROM quarantine WHERE reason = 'impossible value' ORDER BY ALL")
        assert found == sorted(expected)
        with warehouse.begin() as connection:
            mark(connection, STALE, (1, 0, 0, 1 << 31))
    for table in sorted(set(CLAIMS.values())):
        assert rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert rows("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM raw_events)") == [(len(cases), len(cases))]


def test_at_its_bounds_a_value_is_like_any_other(keep: Keep, rows: Rows) -> None:
    cases = told(at)
    keep(Records.join(record for record, *_ in cases))
    assert rows("SELECT code, detail FROM quarantine") == []
    for table in _ONE_ROW_EACH:
        expected = [(int(record.sequence[0]),) for record, code, _ in cases if CLAIMS.get(code) == table]
        assert rows(f"SELECT sequence_number FROM {table} ORDER BY 1") == expected, table


@pytest.mark.parametrize(("status", "value", "trouble"), [(0, 1001, True), (0, 1000, False), (1, 1001, False)])
def test_a_glucose_on_display_is_bounded_where_it_is_one(status: int, value: int, trouble: bool, keep: Keep, rows: Rows) -> None:
    columns = {"egvTimeStamp": START, "glucoseValueStatus": status, "currentGlucoseDisplayValue": value}
    keep(Records.build(code=399, seconds=START, sequence=1, columns=columns))
    assert rows("SELECT detail FROM quarantine") == [("currentGlucoseDisplayValue: beyond any sensor",)] * trouble
