"""Instants: the account's zone, the repeated and the skipped hour, and a clock change that is learned late."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Engine

from pipeline.derive.settle import settle_piece
from pipeline.derive.update import derive
from pipeline.inspection.check import check
from pipeline.running.steps import Stored
from pipeline.store.engine import driver
from pipeline.store.ranges import is_waiting, mark
from tandem.clock import seconds_of
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = seconds_of(datetime(2024, 10, 27))  # noqa: DTZ001  # summer time ends at 3:00
TIMES = "SELECT sequence_number, strftime(instant AT TIME ZONE 'UTC', '%H:%M'), clock FROM events WHERE code <> 13 ORDER BY 1"


def at(hours: float, sequence: int) -> Records:
    seconds = SUNDAY + int(hours * 3600)
    return Records.build(code=399, seconds=seconds, sequence=sequence, columns={"egvTimeStamp": seconds, "currentGlucoseDisplayValue": 120})


def set_back(hours: float, sequence: int) -> Records:
    """The pump's clock was set back by an hour to this time."""
    midnight = int(hours * 3_600_000)
    columns = {"timePrior": midnight + 3_600_000, "timeAfter": midnight}
    return Records.build(code=13, seconds=SUNDAY + int(hours * 3600), sequence=sequence, columns=columns)


BEFORE = Records.join([at(1.5, 1), at(2.5, 2)])
CHANGE = set_back(2.75, 3)
AFTER = Records.join([at(2.75, 4), at(4, 5)])


def test_without_a_clock_change_the_repeated_hour_is_ambiguous(keep: Keep, rows: Rows) -> None:
    keep(Records.join([BEFORE, AFTER]), zone=BERLIN)
    assert rows(TIMES) == [(1, "23:30", "exact"), (2, "00:30", "ambiguous"), (4, "00:45", "ambiguous"), (5, "03:00", "exact")]


SETTLED = [(1, "23:30", "exact"), (2, "00:30", "clock change"), (4, "01:45", "clock change"), (5, "03:00", "exact")]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1)])
def test_a_clock_change_settles_it_however_late_it_is_learned(order: tuple[int, ...], keep: Keep, rows: Rows) -> None:
    for place in order:
        keep((BEFORE, CHANGE, AFTER)[place], zone=BERLIN)
    assert rows(TIMES) == SETTLED
    assert rows("SELECT sequence_number, instant, clock FROM cgm_readings ORDER BY 1") == rows(
        "SELECT sequence_number, instant, clock FROM events WHERE code = 399 ORDER BY 1"
    )


def test_what_is_not_settled_yet_is_no_fault_and_the_next_run_settles_it(
    keep: Keep, rows: Rows, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.derive.settle.PIECE", 1)
    for part in (AFTER, BEFORE):
        keep(part, zone=BERLIN)
    derive(warehouse)
    keep(CHANGE, zone=BERLIN)
    with warehouse.begin() as connection:  # cut short after the first piece
        settle_piece(connection)
        found = check(connection).findings
    assert [one for one in found if "a run was cut short" in one]
    assert not [one for one in found if "time goes back" in one or "say something else" in one]
    assert rows(TIMES) == SETTLED
    with warehouse.connect() as connection:
        assert not is_waiting(connection)


def test_a_wrong_instant_is_found_as_soon_as_no_range_waits_for_others(keep: Keep, warehouse: Engine) -> None:
    keep(Records.join([BEFORE, CHANGE, AFTER]), zone=BERLIN)
    with warehouse.begin() as connection:  # stale_ranges has them still: the derived tables lag behind
        driver(connection).execute("UPDATE events SET instant = instant + INTERVAL 2 HOUR WHERE sequence_number = 5")
        found = check(connection).findings
        assert [one for one in found if one.startswith("events: 1 rows say something else in instant")], found
        assert [one for one in found if "a run was cut short" in one and "derived tables are not compared before that" in one], found
        mark(connection, "unsettled_ranges", (1, 0, 1, 5))
        found = check(connection).findings
        assert [one for one in found if "instants and derived tables are not compared before that" in one], found
        assert not [one for one in found if "say something else" in one], found


def test_boluses_move_along(keep: Keep, rows: Rows) -> None:
    bolus = Records.build(code=66, seconds=SUNDAY + 9900, sequence=4, columns={"bolusId": 1, "totalBolusSize": 2.0})
    keep(bolus, zone=BERLIN)
    assert rows("SELECT clock FROM boluses") == [("ambiguous",)]
    keep(CHANGE, zone=BERLIN)
    assert rows("SELECT instant, clock FROM boluses") == rows("SELECT instant, clock FROM bolus_messages")
    assert rows("SELECT clock FROM boluses") == [("clock change",)]


def test_an_event_in_the_skipped_hour_proves_that_the_clock_was_not_set(keep: Keep, rows: Rows) -> None:
    spring = seconds_of(datetime(2024, 3, 31, 2, 30))  # noqa: DTZ001  # the pump's clock has no zone
    keep(Records.build(code=279, seconds=spring, sequence=1), zone=BERLIN)
    assert rows("SELECT pump_time, clock FROM events") == [(datetime(2024, 3, 31, 2, 30), "assumed")]  # noqa: DTZ001  # wall time


def test_pump_time_is_the_wall_clock_whatever_the_zone(keep: Keep, rows: Rows) -> None:
    keep(at(12, 1), zone=BERLIN)
    assert rows("SELECT pump_time, strftime(instant AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') FROM cgm_readings") == [
        (datetime(2024, 10, 27, 12), "2024-10-27 11:00:00")  # noqa: DTZ001  # wall time
    ]


def test_changes_of_another_group_do_not_count(keep: Keep, rows: Rows) -> None:
    keep(CHANGE, "2026-10", group=1, zone=BERLIN)
    keep(AFTER, "2026-10", group=0, zone=BERLIN)
    assert rows(TIMES)[0] == (4, "00:45", "ambiguous")


def test_a_day_of_readings_in_utc_is_itself(keep: Keep, rows: Rows) -> None:
    seconds = SUNDAY + np.arange(0, 86_400, 300)
    keep(Records.build(code=279, seconds=seconds, sequence=np.arange(len(seconds))), zone=ZoneInfo("UTC"))
    assert rows("SELECT count(*) FROM events WHERE instant AT TIME ZONE 'UTC' = pump_time AND clock = 'exact'") == [(288,)]
