"""Derived tables: the rows of known event histories, however these are cut into windows."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine
from therapies import ALARM, MODE, SESSION, START, cut_story, story

from pipeline.derive.update import derive
from pipeline.extracts.tables import DERIVED
from pipeline.running.steps import Stored
from pipeline.store.engine import driver
from pipeline.store.ranges import STALE, mark
from tandem.clock import seconds_of
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]
Content = Callable[[], dict[str, list[tuple[object, ...]]]]

CHAINS = {derived.table: derived for derived in DERIVED if derived.row}


# table -> columns, the story, the rows: (sequence number of the row, ...); a span's end in seconds after START.
STORIES = {
    "alarms_and_alerts": (
        "kind, number, opened, messages, {acknowledged_pump_time}, {cleared_pump_time}",
        story(
            (5, 1, ALARM), (4, 2, {"alertId": 18}), (28, 7, ALARM), (28, 9, ALARM), (369, 10, {"dalertId": 25}),
            (371, 12, {"dalertId": 25}),
            (371, 13, {"dalertId": 25}), (370, 20, {"dalertId": 25}), (5, 30, ALARM), (5, 40, ALARM), (28, 41, ALARM),
            (6, 50, {"malfId": 3}), (461, 60, {"dalertId": 3}),
        ),
        [
            (1, "alarm", 18, True, 2, None, 7), (2, "alert", 18, True, 1, None, None), (9, "alarm", 18, False, 1, None, 9),
            (10, "cgm alert", 25, True, 4, 12, 20), (30, "alarm", 18, True, 1, None, None), (40, "alarm", 18, True, 2, None, 41),
            (50, "malfunction", 3, True, 1, None, None), (60, "cgm alert", 3, False, 1, None, 60),
        ],
    ),
    "suspensions": (
        "reason, reservoir_units, opened, {resumed_pump_time}",
        story(
            (12, 1, {}), (11, 5, {"suspendReason": 6, "insulinAmount": 120}), (12, 9, {"insulinAmount": 105}), (12, 11, {}),
            (11, 20, {"suspendReason": 0}), (11, 30, {"suspendReason": 1}),
        ),
        [
            (1, None, None, False, 1), (5, "predicted low glucose", 120, True, 9), (11, None, None, False, 11), (20, "user", 0, True, None),
            (30, "alarm", 0, True, None),
        ],
    ),
    "sensor_sessions": (
        "sensor, opened, joins, duration_days, {joined_pump_time}, {stopped_pump_time}, stop_reason",
        story(
            (447, 1, {**SESSION, "sessionStopReason": 5}), (394, 5, {}), (394, 8, {}), (447, 90, {**SESSION, "sessionStopReason": 15}),
            (394, 95, {}), (212, 100, SESSION), (213, 103, SESSION), (214, 200, {**SESSION, "sessionStopReason": 3}), (477, 300, {}),
        ),
        [
            (1, "G7", False, 0, 10, None, 1, 5), (5, "G7", False, 2, 10, 5, 90, 15), (95, "G7", False, 1, None, 95, None, None),
            (100, "G6", True, 1, 10, 103, 200, 3), (300, "Libre 3", False, 1, None, 300, None, None),
        ],
    ),
    "user_modes": (
        "mode, previous_mode, requested, exercise_minutes, {ended_pump_time}",
        story(
            (229, 1, {"currentUserMode": 1, "requestedAction": 1}), (229, 9, {"previousUserMode": 1, "requestedAction": 2}),
            (229, 20, {"currentUserMode": 2, "requestedAction": 3, "exerciseChoice": 1, "exerciseTime": 15}),
        ),
        [
            (1, "sleep", "normal", "start sleep", None, 9), (9, "normal", "sleep", "stop sleep", None, 20),
            (20, "exercise", "normal", "start exercise", 15, None),
        ],
    ),
    "control_modes": (
        "mode, previous_mode, suspended, closed_loop_preferred, {ended_pump_time}",
        story((230, 1, {"previousPcm": 3, "pumpSuspended": 1, "closedLoopPreferred": 1}), (230, 9, {"currentPcm": 3})),
        [(1, "none", "closed loop", True, True, 9), (9, "closed loop", "none", False, False, None)],
    ),
    "daily_totals": (
        "messages, basal_units, battery_percent, {told_pump_time}",
        story(
            (81, 1, {"dailyTotalBasal": 3.2, "batteryChargePercent": 80}), (81, 9, {"dailyTotalBasal": 3.7, "batteryChargePercent": 79}),
            (81, 86_400, {"dailyTotalBasal": 0.25}),
        ),
        [(1, 2, 3.7, 79, 9), (86_400, 1, 0.25, 0, 86_400)],
    ),
    "basal_changes": (
        "change, profile, commanded_units_per_hour, base_units_per_hour",
        story((3, 1, {"changeType": 0b1001, "idp": 2, "commandedBasalRate": 0.994, "baseBasalRate": 1.0}), (3, 2, {})),
        [(1, "timed segment, temporary rate ended", 2, 0.994, 1.0), (2, None, 0, 0.0, 0.0)],
    ),
    "carbohydrates": ("carbs_grams", story((48, 1, {"carbs": 30})), [(1, 30.0)]),
    "blood_glucose_readings": (
        "glucose_mg_dl, entered, place, calibration, target_mg_dl, insulin_on_board_units",
        story(
            (16, 1, {"bg": 151, "iob": 1.1809407, "targetBg": 110, "bgSourceType": 1}),
            (16, 2, {"bg": 99, "bgEntryType": 1, "cgmCalibration": 1}),
        ),
        [(1, 151, "by hand", "remote", False, 110, 1.1809407), (2, 99, "from the sensor", "pump", True, None, 0.0)],
    ),
    "cartridge_and_site_changes": (
        "part, units, completion",
        story(
            (33, 1, {"insulinVolume": 180}), (33, 2, {"v2Volume": 198.625}), (63, 3, {"primeSize": -1, "completionStatus": 3}),
            (61, 4, {"primeSize": 0.3, "completionStatus": 1}), (33, 5, {}),
        ),
        [
            (1, "cartridge", 180.0, None), (2, "cartridge", 198.625, None), (3, "tubing", None, "completed"),
            (4, "cannula", 0.3, "terminated by alarm"), (5, "cartridge", None, None),
        ],
    ),
    "clock_changes": (
        "kind, milliseconds_before, milliseconds_after, day_before::VARCHAR, day_after::VARCHAR",
        story((13, 1, {"timePrior": 12_513_657, "timeAfter": 37_691_000}), (14, 2, {"datePrior": 4394, "dateAfter": 6410})),
        [(1, "time", 12_513_657, 37_691_000, None, None), (2, "date", None, None, "2020-01-12", "2025-07-20")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("table", STORIES)
def test_a_story_is_told_row_by_row(table: str, keep: Keep, rows: Rows) -> None:
    columns, records, expected = STORIES[table]
    keep(records)
    since = f"epoch(pump_time)::BIGINT - {1_199_145_600 + START}"
    for name in ("acknowledged", "cleared", "resumed", "joined", "stopped", "ended", "told"):
        columns = columns.replace(f"{{{name}_pump_time}}", since.replace("pump_time", f"{name}_pump_time"))
    assert rows(f"SELECT sequence_number, {columns} FROM {table} ORDER BY ALL") == expected
    assert rows("SELECT count(*) FROM quarantine") == [(0,)]
    assert rows("SELECT count(*) FROM stale_ranges") == [(0,)]
    for name in ("acknowledged", "cleared", "resumed", "joined", "stopped", "ended", "told"):
        if f"{name}_instant" in (CHAINS[table].row if table in CHAINS else ()):
            assert rows(f"SELECT DISTINCT {name}_instant - {name}_pump_time::TIMESTAMPTZ = INTERVAL 7 HOUR FROM {table} "
                        f"WHERE {name}_instant IS NOT NULL") == [(True,)]  # fmt: skip


def test_every_derived_table_has_its_story() -> None:
    assert {*STORIES, "boluses"} == {derived.table for derived in DERIVED} | {"basal_changes"}


# --- laws


def test_a_story_cut_into_windows_comes_out_whole(keep: Keep, warehouse: Engine, emptied: Content, content: Content) -> None:
    said, window_of = [0, 0, 1, 2, 3, 2, 4, 5, 6, 5, 6, 7, 8, 7], [1, 2, 0, 0, 1, 2, 2, 0, 1, 1, 0, 2, 0, 1]
    entire, parts = cut_story(said, window_of)
    keep(entire)
    at_once = emptied()
    for part in parts:
        keep(part)
        derive(warehouse)
    assert content() == at_once


def test_working_everything_out_again_changes_nothing(history: Records, keep: Keep, content: Content, warehouse: Engine) -> None:
    keep(history)
    before = content()
    with warehouse.begin() as connection:
        driver(connection).execute("INSERT INTO stale_ranges SELECT 1, 0, min(sequence_number), max(sequence_number) FROM events")
    assert +derive(warehouse) == {}
    assert content() == before
    assert all(before[derived.table] for derived in DERIVED)


def test_a_long_range_is_worked_out_in_pieces_up_to_the_last_event(
    keep: Keep, content: Content, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(story((5, 1, ALARM), (229, 8, MODE), (229, 20, {}), (28, 50, ALARM)))  # both end after the range that is stale
    before = content()
    monkeypatch.setattr("pipeline.derive.update.WHOLE", 5)
    with warehouse.begin() as connection:
        mark(connection, STALE, (1, 0, 1, 10))
    assert content() == before


def test_a_clock_change_learned_later_moves_what_is_derived(keep: Keep, rows: Rows) -> None:
    # In the hour that comes twice in autumn 2025; the pump was set back at its second sight of 1:30.
    twice = seconds_of(datetime(2025, 11, 2, 1, 30))  # noqa: DTZ001  # the pump's wall clock
    keep(Records.build(code=229, seconds=twice + 60, sequence=20, columns=MODE))
    keep(Records.build(code=229, seconds=twice + 120, sequence=21))
    early = rows("SELECT instant, clock, ended_instant FROM user_modes ORDER BY ALL")
    keep(Records.build(code=13, seconds=twice, sequence=19, columns={"timePrior": (2 * 60 + 30) * 60_000, "timeAfter": 90 * 60_000}))
    late = rows("SELECT instant, clock, ended_instant FROM user_modes ORDER BY ALL")
    assert early != late
    assert late == rows("""
        SELECT e.instant, e.clock, lead(e.instant) OVER (ORDER BY e.sequence_number) FROM events e WHERE e.code = 229 ORDER BY ALL
    """)


def test_an_end_that_came_first_is_taken_into_its_row(keep: Keep, rows: Rows) -> None:
    keep(story((12, 10, {})))
    assert rows("SELECT sequence_number, opened, messages FROM suspensions") == [(10, False, 1)]
    keep(story((11, 5, {})))
    assert rows("SELECT sequence_number, opened, messages FROM suspensions") == [(5, True, 2)]
    keep(story((12, 7, {})))
    assert rows("SELECT sequence_number, opened, messages FROM suspensions") == [(5, True, 2), (10, False, 1)]


def test_the_row_before_hears_of_a_changed_time(keep: Keep, rows: Rows, warehouse: Engine) -> None:
    keep(story((229, 1, MODE), (229, 9, {})))
    assert rows("SELECT count(*) FROM user_modes") == [(2,)]
    with warehouse.begin() as connection:
        driver(connection).execute("UPDATE events SET instant = instant + INTERVAL 1 HOUR WHERE sequence_number = 9")
        mark(connection, STALE, (1, 0, 9, 9))
    assert rows("SELECT DISTINCT ended_instant - ended_pump_time::TIMESTAMPTZ = INTERVAL 8 HOUR FROM user_modes ORDER BY ALL") == [
        (True,),
        (None,),
    ]
