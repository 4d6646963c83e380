"""The check finds each way in which a warehouse can fail to add up, and nothing in a sound one."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from sampling import sampled
from sqlalchemy import Engine

from pipeline.derive.update import derive
from pipeline.inspection.check import Checked, check
from pipeline.inspection.report import places_as_text
from pipeline.receive.decode import received
from pipeline.running.steps import Stored
from pipeline.store.engine import driver
from tandem.bff import events_from_records
from tandem.eras import ERAS
from tandem.records import Records

Keep = Callable[..., Stored]
START = 580_003_200


@pytest.fixture(autouse=True)
def counts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts and sums find by themselves; rows are compared in test_comparison.py, and each comparison costs half a second."""
    for compared in ("differences", "altered_views"):
        monkeypatch.setattr(f"pipeline.inspection.check.{compared}", lambda *_, **__: ())


def checked(engine: Engine) -> Checked:
    with engine.connect() as connection:
        return check(connection)


def test_a_whole_history_adds_up(history: Records, stored: Engine) -> None:
    found = checked(stored)
    assert found.findings == ()
    assert sum(place.events for place in found.places) == len(history)
    assert {place.table for place in found.places if place.code in (36, 4000)} == {"events only", "unknown"}


def test_what_is_set_aside_or_silent_is_accounted_for(keep: Keep, warehouse: Engine) -> None:
    keep(
        Records.join(
            [
                Records.build(code=279, seconds=START, sequence=[1, 2], columns={"commandedRate": [800, 65535]}),
                Records.build(code=399, seconds=START, sequence=3, columns={"glucoseValueStatus": 6}),
                Records.build(code=399, seconds=START, sequence=4, columns={"currentGlucoseDisplayValue": 99}),
                Records.build(code=81, seconds=START, sequence=[5, 6], columns={"dailyTotalBasal": [-1.0, 0.0]}),
                Records.build(code=48, seconds=0, sequence=7, columns={"carbs": 20}),
                Records.build(code=4000, seconds=START, sequence=8),
            ]
        )
    )
    derive(warehouse)
    found = checked(warehouse)
    assert found.findings == ()
    assert places_as_text(found).splitlines() == [
        "  48  CARBS_ENTERED                      1  carbohydrates 0, 1 set aside",
        "  81  DAILY_BASAL                        2  daily_totals, 1 set aside",
        " 279  BASAL_DELIVERY                     2  basal_deliveries 1, 1 set aside",
        " 399  CGM_DATA_G7                        2  cgm_readings 0, 1 set aside, 1 without a reading",
        "4000  unknown                            1  unknown code, 1 set aside",
        "",
        "8 records kept, each once; 8 events; 5 set aside (1 x impossible time, 3 x impossible value, 1 x unknown code)",
        "Everything is where it belongs.",
    ]


def test_what_was_received_is_new_seen_before_or_set_aside(keep: Keep, warehouse: Engine) -> None:
    good = Records.build(code=48, seconds=START, sequence=[1, 2], columns={"carbs": 20})
    changed = Records.build(code=48, seconds=START, sequence=2, columns={"carbs": 9})
    events = [*events_from_records(Records.join([good, good, changed]), device_assignment_id="a"), {"eventCode": 48}]
    body = json.dumps({"events": events, "clockChanges": []})
    stored = keep(received(ERAS["2026-10"], body.encode()))
    assert (stored.received, stored.rows["raw_events"]) == (6, 2)
    assert stored.aside == {"missing field": 1, "changed record": 1}  # and two were seen before
    derive(warehouse)
    assert checked(warehouse).set_aside == stored.aside


WRONG = [
    ("DELETE FROM cgm_readings WHERE sequence_number = 1", "event 399: 1 events and 0 rows in cgm_readings, 0 set aside, 0 silent"),
    ("DELETE FROM events WHERE code = 36", "event 36: 1 in raw_events and 0 in events"),
    ("DELETE FROM suspensions", "suspensions: rows are joined from 0 events, and 2 were told"),
    ("INSERT INTO stale_ranges VALUES (1, 0, 1, 2)", "a run was cut short"),
    ("INSERT INTO basal_deliveries SELECT * REPLACE (99 AS sequence_number) FROM basal_deliveries LIMIT 1", "basal_deliveries: 1 rows of"),
    ("INSERT INTO cgm_readings FROM cgm_readings", "cgm_readings: 1 rows too many"),
    ("UPDATE daily_totals SET basal_units = 20", "device 1, 2026-05-20: the pump counted 20.0 units of basal insulin, the deliveries make"),
    ("UPDATE boluses SET delivered_units = 0.5", "boluses: 0.5 units in boluses that are over, 2.5 in their completions"),
    ("UPDATE boluses SET delivered_units = 102.5", "boluses: 102.5 units in boluses that are over, 2.5 in their completions"),
    ("INSERT INTO quarantine VALUES ('a', 1, 0, 77, 3, 'impossible value', 'b', NULL)", "quarantine: 1 rows point to events"),
]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", sampled((WRONG[::6],), rest=[(WRONG,)]), ids=["some", "all"])
def test_each_way_of_not_adding_up_is_found(wrong: Sequence[tuple[str, str]], keep: Keep, warehouse: Engine) -> None:
    told = {"bolusId": 1, "insulinDelivered": 2.5, "insulinRequested": 2.5, "completionStatus": 3}
    day = 86_400
    rates = [START, START + day - 600, START + day + 1200]
    keep(
        Records.join(
            [
                Records.build(code=399, seconds=START, sequence=1, columns={"egvTimeStamp": START, "currentGlucoseDisplayValue": 99}),
                Records.build(code=36, seconds=START, sequence=2),
                Records.build(code=11, seconds=START, sequence=3),
                Records.build(code=12, seconds=START, sequence=4),
                Records.build(code=279, seconds=rates, sequence=[5, 6, 8], columns={"commandedRate": 1200}),
                Records.build(code=81, seconds=START + day + 1300, sequence=9, columns={"dailyTotalBasal": 0.4}),
                Records.build(code=20, seconds=START + day + 1400, sequence=10, columns=told),
                Records.build(code=90, seconds=START + day, sequence=7),
            ]
        )
    )
    derive(warehouse)
    assert checked(warehouse).findings == ()
    for statement, finding in wrong:
        with warehouse.connect() as connection, connection.begin() as transaction:
            driver(connection).execute(statement)
            found = check(connection).findings
            transaction.rollback()
        assert any(one.startswith(finding) for one in found), (statement, found)
    assert checked(warehouse).findings == ()


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        pytest.param({}, True, id="a whole day"),
        pytest.param({"silent": True}, False, id="an hour of silence: nobody knows the rate"),
        pytest.param({"set": True}, False, id="the clock was set: nobody knows how long the day is"),
        pytest.param({"midnight": 0}, False, id="no midnight: nobody knows since when the pump counted"),
    ],
)
def test_basal_is_compared_where_it_can_be_known(told: dict[str, int], counted: bool, keep: Keep, warehouse: Engine) -> None:
    rates = [START - 600, *range(START + 600, START + 8000, 1200)] if "silent" not in told else [START - 600, START + 600, START + 7800]
    parts = [
        Records.build(code=279, seconds=rates, sequence=[0, *range(2, len(rates) + 1)], columns={"commandedRate": 1200}),
        Records.build(code=81, seconds=START + 7900, sequence=100, columns={"dailyTotalBasal": 9.0}),
    ]
    parts += [Records.build(code=90, seconds=START, sequence=1)] * told.get("midnight", 1)
    parts += [Records.build(code=13, seconds=START + 700, sequence=102, columns={"timePrior": 5000})] * told.get("set", 0)
    keep(Records.join(parts))
    derive(warehouse)
    found = [f"device 1, 2026-05-19: the pump counted 9.0 units of basal insulin, the deliveries make {1.2 * 7900 / 3600:.3f}"]
    assert list(checked(warehouse).findings) == found * counted


def test_a_code_that_stays_in_events_is_no_loss(keep: Keep, warehouse: Engine) -> None:
    keep(Records.build(code=99, seconds=START, sequence=1))
    found = checked(warehouse)
    assert [(place.table, place.rows) for place in found.places] == [("events only", None)]
    assert [one.split(":")[0] for one in found.findings] == ["a run was cut short"]


def test_readings_that_share_an_instant_and_time_that_goes_back_are_found(keep: Keep, warehouse: Engine) -> None:
    """An hour told twice, as a zone stamped on the wall clock would have it."""
    seconds = START + np.array([0, 300, 600, 900])
    keep(
        Records.build(code=399, seconds=seconds, sequence=[1, 2, 3, 4], columns={"egvTimeStamp": seconds, "currentGlucoseDisplayValue": 99})
    )
    derive(warehouse)
    assert checked(warehouse).findings == ()
    with warehouse.connect() as connection, connection.begin() as transaction:
        for table in ("events", "cgm_readings"):
            driver(connection).execute(f"UPDATE {table} SET instant = instant - INTERVAL 10 MINUTE WHERE sequence_number > 2")
        found = check(connection).findings
        transaction.rollback()
    assert [one.split(", first at")[0] for one in found] == [
        "device 1: time goes back 1 times",
        "device 1: 2 glucose readings share an instant with another",
    ]


@pytest.mark.parametrize(
    ("count", "later", "finding"),
    [
        pytest.param(5, 86_400, None, id="a handful: strange events"),
        pytest.param(6, 86_400, "6 events of numbers that other events have are in the quarantine alone; all of them later", id="a reset"),
        pytest.param(6, -60, "6 events of numbers that other events have are in the quarantine alone; another pump's", id="someone else"),
    ],
)
def test_a_pump_that_counts_from_the_beginning_again_is_told(
    count: int, later: int, finding: str | None, keep: Keep, warehouse: Engine
) -> None:
    first = Records.build(code=48, seconds=START + np.arange(40), sequence=np.arange(1, 41), columns={"carbs": 20})
    keep(first)
    keep(first.take(slice(count)).with_header(seconds=START + later + np.arange(count)))
    derive(warehouse)
    assert [(finding or "?") in found for found in checked(warehouse).findings] == [True] * (finding is not None)
