"""Both eras, tconnectsync and we read the same of the same therapy: told by the tables, on every event and on records nobody ever wrote."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, cast

import pytest
from click.testing import CliRunner
from sampling import sampled
from sqlalchemy import Engine
from tconnectsync.eventparser.generic import Event, Events
from therapies import invented

from pipeline.running.runs import Order, perform
from pipeline.running.steps import Stored
from pipeline.verbs.run import run
from tandem.bff import events_from_records
from tandem.clock import UNIX_OF_PUMP_EPOCH
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]
Numbers = Callable[[str], list[tuple[int, ...]]]
Content = Callable[[], dict[str, list[tuple[object, ...]]]]


def test_invented_records_make_the_same_tables_in_both_eras(keep: Keep, emptied: Content, content: Content) -> None:
    records = invented(7)
    keep(records, "2025")
    legacy = emptied()
    keep(records, "2026-10")
    assert content() == legacy
    assert len(legacy["raw_events"]) == len(legacy["events"]) == len(records)
    assert {row[5] for row in legacy["quarantine"]} == {"unknown code", "impossible value"}


AMOUNTS: Final = [16.71, 20.752, 0.1, 0.05, 12.345, 1.1809407, 0.33333334, 24.999]


@pytest.mark.parametrize("era", ["2025", "2026-10"])
def test_an_amount_is_the_number_that_the_json_writes(era: str, keep: Keep, rows: Rows) -> None:
    asked = {"totalBolusSize": AMOUNTS, "foodBolusSize": AMOUNTS, "bolusId": range(8)}
    told = dict.fromkeys(("dailyTotalBasal", "lastBasalRate", "iob"), AMOUNTS)
    days = [580_000_000 + 86_400 * day for day in range(8)]
    keep(Records.join([
        Records.build(code=66, seconds=days, sequence=range(1, 9), columns=asked),
        Records.build(code=81, seconds=days, sequence=range(11, 19), columns=told),
    ]), era)  # fmt: skip
    for table, *columns in (
        ("bolus_messages", "requested_units", "food_units"),
        ("boluses", "requested_units", "food_units"),
        ("daily_totals", "basal_units", "insulin_on_board_units"),
    ):
        found = rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY sequence_number")
        assert found == [(one, one) for one in AMOUNTS], table


@pytest.mark.parametrize("era", sampled(("2025",), rest=[("2026-07",)]))
def test_a_cassette_served_as_another_era_fills_the_tables_alike(era: str, root: Path, warehouse: Engine, content: Content) -> None:
    order = Order(mode="full", cassette=str(root / "cassettes" / "session-us.json"), as_era=era)
    assert perform(warehouse, order).received == len(content()["events"]) == 583


def test_an_era_is_how_a_cassette_is_served() -> None:
    found = CliRunner().invoke(run, ["--as-era", "2025"])
    assert "--as-era is how a cassette is served; name one with --cassette" in str(found.exception)


@pytest.mark.parametrize("era", sampled(("2026-10",), rest=[("2025",)]))
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
