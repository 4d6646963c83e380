"""What events say, by the column: tables of stored values and what they mean."""

import numpy as np
import pytest

from pipeline.extracts.basal_deliveries import basal_deliveries
from pipeline.extracts.bolus_messages import BOLUS_CODES, bolus_messages
from pipeline.extracts.cgm_readings import cgm_readings
from pipeline.extracts.columns import labels
from pipeline.extracts.tables import CLAIMS, DERIVED, EVENTS_ONLY, EXTRACTS, OF_CODE
from tandem.events import EVENTS
from tandem.records import Records

NOON = 520_000_000


def records(code: int, **columns: float) -> Records:
    return Records.build(code=code, seconds=NOON, sequence=1, columns=columns)


def one(columns: object) -> dict[str, object]:
    assert isinstance(columns, dict)
    return {name: column.to_pylist()[0] for name, column in columns.items()}


@pytest.mark.parametrize(
    ("status", "shown", "glucose", "word"),
    [
        pytest.param(0, 120, 120, "value", id="a reading"),
        pytest.param(0, 40, 40, "value", id="the lowest reading"),
        pytest.param(0, 39, 39, "low", id="below what is shown"),
        pytest.param(0, 400, 400, "value", id="the highest reading"),
        pytest.param(0, 412, 401, "high", id="above what is shown"),
        pytest.param(1, 0, 401, "high", id="special high says no number"),
        pytest.param(2, 0, 39, "low", id="special low says no number"),
        pytest.param(6, 133, None, "hidden", id="do not show"),
        pytest.param(0, 0, None, "hidden", id="a message without a reading"),
    ],
)
def test_glucose_is_what_the_service_shows(status: int, shown: int, glucose: int | None, word: str) -> None:
    found = cgm_readings(
        399, records(399, glucoseValueStatus=status, currentGlucoseDisplayValue=shown, egvTimeStamp=NOON, rate=-12, cgmDataType=1)
    )
    assert one(found.columns) == {
        "sensor": "G7", "glucose_mg_dl": glucose, "status": word, "rate_mg_dl_per_minute": -1.2, "backfilled": False,
    }  # fmt: skip
    assert not any(mask.any() for mask in found.trouble.values())


@pytest.mark.parametrize(("code", "sensor"), [(256, "G6"), (372, "Libre 2"), (399, "G7"), (480, "Libre 3")])
def test_every_sensor_is_read_at_the_time_of_its_estimate(code: int, sensor: str) -> None:
    found = cgm_readings(code, records(code, currentGlucoseDisplayValue=99, egvTimeStamp=NOON - 3600, cgmDataType=2, rate=127))
    assert found.seconds.tolist() == [NOON - 3600]
    assert one(found.columns) == {
        "sensor": sensor, "glucose_mg_dl": 99, "status": "value", "rate_mg_dl_per_minute": None, "backfilled": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "trouble"),
    [
        pytest.param({"egvTimeStamp": 0, "currentGlucoseDisplayValue": 120}, "egvTimeStamp", id="a reading of no time"),
        pytest.param({"egvTimeStamp": NOON + 90_000, "currentGlucoseDisplayValue": 120}, "egvTimeStamp", id="a reading of tomorrow"),
        pytest.param({"egvTimeStamp": NOON, "currentGlucoseDisplayValue": 9000}, "currentGlucoseDisplayValue", id="nobody's glucose"),
    ],
)
def test_a_reading_nobody_can_have_is_trouble(columns: dict[str, float], trouble: str) -> None:
    found = cgm_readings(399, records(399, **columns))
    assert [detail.split(":")[0] for detail, mask in found.trouble.items() if mask.any()] == [trouble]


def test_a_sensor_warming_up_is_no_trouble() -> None:
    found = cgm_readings(399, records(399, egvTimeStamp=0, glucoseValueStatus=6))
    assert not any(mask.any() for mask in found.trouble.values())


def test_basal_rates_are_as_stored_and_absent_ones_null() -> None:
    columns = {"commandedRateSource": 3, "commandedRate": 994, "profileBasalRate": 1000, "algorithmRate": 994, "tempRate": 65535}
    assert one(basal_deliveries(279, records(279, **columns)).columns) == {
        "source": "algorithm",
        "commanded_milliunits_per_hour": 994,
        "profile_milliunits_per_hour": 1000,
        "algorithm_milliunits_per_hour": 994,
        "temporary_milliunits_per_hour": None,
    }


def test_a_commanded_rate_of_65535_is_trouble() -> None:
    found = basal_deliveries(279, records(279, commandedRate=65535, tempRate=65535)).trouble
    assert [detail for detail, mask in found.items() if mask.any()] == ["commandedRate: outside 0 to 50000"]


@pytest.mark.parametrize(
    ("code", "columns", "says"),
    [
        (64, {"carbAmount": 30, "bg": 0, "bolusType": 1}, {"carbs_grams": 30, "glucose_mg_dl": None, "bolus_type": "carbohydrate"}),
        (64, {"carbAmount": 0, "bg": 154, "bolusType": 3}, {"carbs_grams": 0, "glucose_mg_dl": 154, "bolus_type": "remote"}),
        (65, {"duration": 180, "options": 5}, {"extended_minutes": 180, "delivery": "extended"}),
        (65, {"duration": 0, "options": 3}, {"extended_minutes": None, "delivery": "automatic"}),
        (
            66,
            {"foodBolusSize": 3.33, "correctionBolusSize": 0.2, "totalBolusSize": 3.53},
            {"requested_units": 3.53, "food_units": 3.33, "correction_units": 0.2},
        ),
        (55, {"bolusSize": 2.083}, {"requested_units": 2.083}),
        (59, {"bolexSize": 6.247}, {"requested_units": 6.247}),
        (
            20,
            {"insulinRequested": 2.083, "insulinDelivered": 2.0829997, "completionStatus": 3},
            {"requested_units": 2.083, "delivered_units": 2.0829997, "completion": "completed"},
        ),
        (
            21,
            {"insulinRequested": 6.247, "insulinDelivered": 4.685, "completionStatus": 0},
            {"requested_units": 6.247, "delivered_units": 4.685, "completion": "user aborted"},
        ),
        (
            280,
            {"requestedNow": 2083, "requestedLater": 6247, "deliveredTotal": 4686, "extendedDurationRequested": 180},
            {"requested_units": 8.33, "delivered_units": 4.686, "extended_minutes": 180},
        ),
    ],
)
def test_every_message_of_a_bolus_says_its_part(code: int, columns: dict[str, float], says: dict[str, object]) -> None:
    found = bolus_messages(code, records(code, bolusId=2046, **columns))
    assert one(found.columns) == {"code": code, "bolus_id": 2046} | says
    assert not any(mask.any() for mask in found.trouble.values())


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -0.5, 1e9])
def test_an_amount_no_pump_gives_is_trouble(amount: float) -> None:
    found = bolus_messages(20, records(20, insulinDelivered=amount, insulinRequested=1.0))
    assert [detail for detail, mask in found.trouble.items() if mask.any()] == ["insulinDelivered: outside 0 to 100"]


def test_a_number_without_a_word_is_still_told() -> None:
    assert labels(np.array([1, 9, 1]), {1: "profile"}).to_pylist() == ["profile", "other 9", "profile"]


def test_each_code_feeds_one_table_and_can_be_read() -> None:
    assert sum(len(codes) for codes, _ in EXTRACTS.values()) == len(OF_CODE)
    assert set(OF_CODE) <= set(EVENTS)
    assert set(BOLUS_CODES) <= set(OF_CODE)
    for code, table in OF_CODE.items():
        read = EXTRACTS[table][1](code, records(code))
        assert {len(column) for column in read.columns.values()} == {1}


def test_every_code_with_a_layout_is_claimed_by_one_table_or_by_none_for_a_reason() -> None:
    claimed = [code for codes, _ in EXTRACTS.values() for code in codes]
    claimed += [code for derived in DERIVED if derived.source is None for code in derived.codes]
    assert sorted([*claimed, *EVENTS_ONLY]) == sorted(EVENTS)
    assert {*CLAIMS, *EVENTS_ONLY} == set(EVENTS)
    assert all(EVENTS_ONLY.values())
