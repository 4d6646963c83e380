"""The report: what it counts, and that it is a function of the rows."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from pipeline.inspection.summary import counts, summary
from pipeline.models import TABLES
from pipeline.running.steps import Stored
from pipeline.store.engine import driver
from tandem.records import Records
from tfx.jsonbody import Json

Keep = Callable[..., Stored]
START = 580_000_000


def report(engine: Engine) -> dict[str, Json]:
    with engine.connect() as connection:
        return summary(connection)


def test_an_empty_warehouse_has_a_report_too(warehouse: Engine) -> None:
    told = report(warehouse)
    assert counts(told) == dict.fromkeys(TABLES, 0)
    assert told["glucose"] == {"readings": 0, "mean_mg_dl": None, "in_range_70_180": None}
    assert told["insulin"] == {"basal_units": 0, "bolus_units": 0, "delivered_units": 0, "carbs_grams": 0}
    assert told["span"] == {"first": None, "last": None}


def test_glucose_is_counted_where_it_was_shown(keep: Keep, warehouse: Engine) -> None:
    shown = [69, 70, 180, 181, 0]
    times = [START + 300 * place for place in range(len(shown))]
    columns = {"egvTimeStamp": times, "currentGlucoseDisplayValue": shown}
    keep(Records.build(code=399, seconds=times, sequence=range(len(shown)), columns=columns))
    assert report(warehouse)["glucose"] == {"readings": 4, "mean_mg_dl": 125, "in_range_70_180": 0.5}


@pytest.mark.parametrize(
    ("minutes", "units"),
    [
        pytest.param([0, 5, 10], 0.3, id="three times five minutes at 1.2 units/h"),
        pytest.param([0, 2], 0.14, id="a rate ends when the next begins"),
        pytest.param([0, 20, 40], 0.9, id="some pumps tell a rate every twenty minutes"),
        pytest.param([0, 600], 1.3, id="after an hour a gap is not filled"),
    ],
)
def test_basal_insulin_is_rate_by_time(minutes: list[int], units: float, keep: Keep, warehouse: Engine) -> None:
    seconds = [START + 60 * minute for minute in minutes]
    keep(Records.build(code=279, seconds=seconds, sequence=range(len(minutes)), columns={"commandedRate": 1200}))
    assert report(warehouse)["insulin"] == {"basal_units": units, "bolus_units": 0, "delivered_units": units, "carbs_grams": 0}


def test_the_factory_clock_does_not_stretch_the_span(keep: Keep, warehouse: Engine) -> None:
    keep(Records.build(code=14, seconds=400_000_000, sequence=1))
    keep(Records.build(code=279, seconds=START, sequence=2))
    assert report(warehouse)["span"] == {"first": "2026-05-18T23:06:40", "last": "2026-05-18T23:06:40"}


def test_a_table_is_told_by_rows_sums_and_edges(keep: Keep, warehouse: Engine) -> None:
    keep(Records.build(code=279, seconds=[START, START + 300], sequence=[1, 2], columns={"commandedRate": [800, 900], "tempRate": 65535}))
    told = report(warehouse)["tables"]
    assert isinstance(told, dict)
    basal = told["basal_deliveries"]
    assert isinstance(basal, dict)
    assert (basal["rows"], basal["sums"]) == (
        2,
        {
            "commanded_milliunits_per_hour": 1700,
            "profile_milliunits_per_hour": 0,
            "algorithm_milliunits_per_hour": 0,
            "temporary_milliunits_per_hour": None,
        },
    )
    assert basal["last"] == {
        "device_id": 1,
        "sequence_group": 0,
        "sequence_number": 2,
        "pump_time": "2026-05-18T23:11:40",
        "instant": "2026-05-19T06:11:40Z",
        "clock": "exact",
        "source": "suspended",
        "commanded_milliunits_per_hour": 900,
        "profile_milliunits_per_hour": 0,
        "algorithm_milliunits_per_hour": 0,
        "temporary_milliunits_per_hour": None,
    }


def test_the_report_is_json_and_does_not_depend_on_the_order_rows_came_in(history: Records, keep: Keep, warehouse: Engine) -> None:
    keep(history.take(slice(300, None)))
    keep(history.take(slice(0, 300)))
    told = report(warehouse)
    assert json.loads(json.dumps(told)) == told
    with warehouse.connect() as connection:
        assert summary(connection) == told
    assert counts(told)["raw_events"] == len(history)


def test_an_event_that_came_again_to_be_read_is_not_set_aside(keep: Keep, warehouse: Engine) -> None:
    keep(Records.build(code=279, seconds=START, sequence=2))
    with warehouse.begin() as connection:
        for number in (2, 3):
            driver(connection).execute(
                "INSERT INTO quarantine SELECT $1::VARCHAR, id, 0, $1, 279, 'wrong type', 'x', NULL FROM devices", [number]
            )
    assert report(warehouse)["quarantine"] == {"wrong type (279)": 1}
