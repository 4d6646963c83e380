"""Both eras, tconnectsync and we read the same of the same therapy: told by the tables, on every event and on records nobody ever wrote."""

from collections.abc import Callable, Iterable
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tconnectsync.eventparser.generic import Event, Events

from pipeline.steps import Stored
from tandem.bff import events_from_records
from tandem.clock import UNIX_OF_PUMP_EPOCH
from tandem.events import EVENTS, fields_of
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]
Numbers = Callable[[str], list[tuple[int, ...]]]
Content = Callable[[], dict[str, list[tuple[object, ...]]]]

NOW = 550_000_000


def invented(seed: int, each: int = 3) -> Records:
    """Records of every code with a layout and some without, with any bytes as payload that JSON can say, in any order of time."""
    rng = np.random.default_rng(seed)
    codes = [*EVENTS, 57, 69, 4000]
    parts = []
    for place, code in enumerate(codes):
        sequence = 10_000 + place + np.arange(each) * len(codes)
        made = Records.build(code=code, seconds=NOW + rng.integers(-86_400, 86_400, each), sequence=sequence)
        made = made.with_payload(rng.integers(0, 256, (each, 16), np.uint8))
        floats = [field.name for field in fields_of(code) if field.type == "float32"]
        made = made.with_columns(code, {name: rng.choice([0.0, 0.35, 2.083, 25.5, -1.0, 1e30], each).astype(np.float32) for name in floats})
        times = [field.name for field in fields_of(code) if field.name == "egvTimeStamp"]
        parts.append(made.with_columns(code, {name: NOW + rng.integers(-9_000, 9_000, each) for name in times}))
    whole = Records.join(parts)
    return whole.take(rng.permutation(len(whole)))


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_invented_records_make_the_same_tables_in_both_eras(seed: int, keep: Keep, emptied: Content) -> None:
    records = invented(seed)
    keep(records, "2025")
    legacy = emptied()
    keep(records, "2026-10")
    assert emptied() == legacy
    assert len(legacy["raw_events"]) == len(legacy["events"]) == len(records)
    assert {row[5] for row in legacy["quarantine"]} == {"unknown code", "impossible value"}


@pytest.mark.parametrize("era", ["2025", "2026-10"])
def test_tconnectsync_reads_the_same_of_every_event(era: str, history: Records, keep: Keep, rows: Rows) -> None:
    records = history.with_header(source=0)
    keep(records, era)
    theirs: dict[int, Event] = {event.seqNum: event for event in parsed(records, era) if hasattr(event, "NAME")}
    ours = rows("SELECT sequence_number, name, pump_time, code FROM events WHERE name <> 'unknown' ORDER BY 1")
    assert [row[0] for row in ours] == sorted(theirs)
    for sequence, name, moment, code in ours:
        event = theirs[cast("int", sequence)]
        assert (event.NAME, event.eventId) == (f"LID_{name}", code)
        assert event.eventTimestamp.naive == moment
    checked = sum(table(theirs, cast("Numbers", rows)) for table in (readings, deliveries, requests))
    assert checked > len(ours) / 3


def parsed(records: Records, era: str) -> Iterable[Event]:
    found: Iterable[Event] = Events(records.to_bytes() if era == "2025" else events_from_records(records, device_assignment_id="x"))
    return found


def readings(theirs: dict[int, Event], rows: Numbers) -> int:
    found = rows(f"SELECT sequence_number, glucose_mg_dl, epoch(pump_time) - {UNIX_OF_PUMP_EPOCH} FROM cgm_readings WHERE status = 'value'")
    for sequence, glucose, taken in found:
        assert (theirs[sequence].currentGlucoseDisplayValue, theirs[sequence].egvTimeStamp) == (glucose, taken)
    return len(found)


def deliveries(theirs: dict[int, Event], rows: Numbers) -> int:
    found = rows("SELECT sequence_number, commanded_milliunits_per_hour FROM basal_deliveries")
    for sequence, rate in found:
        assert theirs[sequence].commandedRate == rate
    return len(found)


def requests(theirs: dict[int, Event], rows: Numbers) -> int:
    found = rows("SELECT sequence_number, bolus_id, requested_units FROM bolus_messages WHERE code = 66")
    for sequence, bolus, units in found:
        assert theirs[sequence].bolusId == bolus
        assert theirs[sequence].totalBolusSize == pytest.approx(units, abs=1e-6)
    return len(found)
