"""Where one event went, and which were never received."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from pipeline.cli import pipeline
from pipeline.derive.update import derive
from pipeline.inspection.check import check
from pipeline.inspection.missing_numbers import missing
from pipeline.inspection.report import places_as_text
from pipeline.inspection.trace import trace
from pipeline.receive.batch import Received
from pipeline.receive.pumps import Pump
from pipeline.running.steps import Stored, store_windows
from pipeline.store.devices import zone_named
from pipeline.store.warehouse import open_warehouse
from tandem.records import Records
from tfx.errors import UsageError

Keep = Callable[..., Stored]
START = 580_003_200
LIFE: tuple[tuple[int, int, dict[str, float]], ...] = (
    (5, 1, {"alarmId": 18}), (5, 2, {"alarmId": 3}), (28, 3, {"alarmId": 18}), (11, 4, {}), (20, 5, {"bolusId": 7, "insulinDelivered": 1}),
    (66, 6, {"bolusId": 7}), (399, 7, {"egvTimeStamp": START, "currentGlucoseDisplayValue": 99}), (81, 8, {"dailyTotalBasal": 1}),
    (48, 9, {"carbs": 9000}), (90, 10, {}), (4000, 11, {}), (48, 12, {"carbs": 20}),
    (229, 20, {}), (81, 21, {}), (12, 22, {}), (81, 23, {"iob": 1e9}),
)  # fmt: skip
WENT = {
    1: "alarms_and_alerts: part of the row that begins with event 1",
    2: "alarms_and_alerts: part of the row that begins with event 2",
    3: "alarms_and_alerts: part of the row that begins with event 1",
    5: "boluses: part of the row that begins with event 5",
    6: "boluses: part of the row that begins with event 5",
    7: "cgm_readings: a row of its own",
    8: "daily_totals: part of the row that begins with event 8",
    9: "quarantine: impossible value (carbs: outside 0 to 2000); raw_events keeps the record",
    10: "no other table uses it: a day began: the rate and the features at midnight",
    11: "quarantine: unknown code (no layout is known); raw_events keeps the record",
    12: "quarantine: changed record (known identity, other content); what came is kept there",
    13: "not received: the last received before it is number 12, the first after it number 20",
    20: "user_modes: part of the row that begins with event 20",
    21: "daily_totals: part of the row that begins with event 8",
    23: "quarantine: impossible value (iob: outside -100 to 100); raw_events keeps the record",
    22: "suspensions: part of the row that begins with event 4",
    99: "not received: the last received before it is number 23, the first after it none",
}


def life() -> Records:
    return Records.join(Records.build(code=code, seconds=START + at, sequence=at, columns=columns) for code, at, columns in LIFE)


@pytest.fixture
def lived(keep: Keep, warehouse: Engine) -> Engine:
    keep(life())
    keep(Records.build(code=48, seconds=START + 12, sequence=12, columns={"carbs": 21}))
    derive(warehouse)
    return warehouse


def test_every_event_says_where_it_went(lived: Engine) -> None:
    with lived.connect() as connection:
        for number, last in WENT.items():
            (one,) = trace(connection, number)
            assert (one.steps[-1], one.received) == (last, not last.startswith("not received")), number
        (one,) = trace(connection, 12)
        assert [step.split(":")[0] for step in one.steps] == ["raw_events", "events", "carbohydrates", "quarantine"]
        assert trace(connection, 12, serial_number="another") == trace(connection, 12, group=3) == ()


def test_numbers_nobody_received_are_told_and_are_no_fault(lived: Engine) -> None:
    with lived.connect() as connection:
        (one,) = missing(connection)
        assert (one.span, one.numbers, one.gaps, one.around) == (23, 7, 1, (12, 20))
        found = check(connection)
        assert found.findings == ()
        text = places_as_text(found)
    assert "not received: 7 of 23 sequence numbers of device 1, in 1 gaps; the largest from 12 (2026-05-19 00:00:12) to 20 (" in text
    assert "1 came again with other content: the first is in the tables, the other in quarantine; see tfx pipeline trace" in text


def test_clock_changes_of_years_ago_make_no_gap(keep: Keep, warehouse: Engine) -> None:
    keep(
        Records.join([Records.build(code=13, seconds=START, sequence=5), Records.build(code=36, seconds=START, sequence=[90_000, 90_001])])
    )
    with warehouse.connect() as connection:
        assert missing(connection) == ()


def test_numbers_begin_again_behind_the_last_there_is(keep: Keep, warehouse: Engine) -> None:
    last = (1 << 32) - 1
    keep(Records.build(code=36, seconds=START, sequence=[last - 3, last - 2, last, 0, 4]))
    with warehouse.connect() as connection:
        (one,) = missing(connection)
    assert (one.span, one.numbers, one.gaps, one.around) == (9, 4, 2, (0, 4))


@pytest.mark.proofs
def test_the_command_tells_it_and_says_by_its_exit_code_whether_it_was_received(as_answer: Callable[..., Received], tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'w.duckdb'}"
    engine = open_warehouse(url)
    store_windows(engine, Pump(key="1", serial_number="90000001"), ((None, as_answer(life())),), zone=zone_named("UTC"))
    derive(engine)
    engine.dispose()
    found, lost, wrong = (
        CliRunner().invoke(pipeline, ["trace", "--database", url, *more]) for more in (["10"], ["13"], ["10", "--group", "9"])
    )
    assert (found.exit_code, lost.exit_code) == (0, 1)
    assert found.output.splitlines()[::3] == [
        "device 1, sequence group 0, event 10", "  no other table uses it: a day began: the rate and the features at midnight",
    ]  # fmt: skip
    assert lost.output.splitlines()[1] == "  not received: the last received before it is number 12, the first after it number 20"
    assert isinstance(wrong.exception, UsageError)
