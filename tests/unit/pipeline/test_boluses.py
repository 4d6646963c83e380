"""A bolus's messages make one row, whatever they are and whenever they come."""

from collections.abc import Callable, Mapping

import pytest

from pipeline.running.steps import Stored
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]

START = 580_000_000
AMOUNTS = "SELECT requested_units, delivered_units, completion, messages FROM boluses ORDER BY sequence_number"


def message(code: int, sequence: int, bolus_id: int = 652, **columns: float) -> Records:
    fields: Mapping[str, float] = {"bolusId": bolus_id, **columns}
    return Records.build(code=code, seconds=START + sequence, sequence=sequence, columns=fields)


STANDARD = [
    message(64, 1, carbAmount=30, bg=121, bolusType=1),
    message(65, 2, options=0, standardPercent=100),
    message(66, 3, foodBolusSize=2.5, correctionBolusSize=0.5, totalBolusSize=3.0),
    message(55, 4, bolusSize=3.0),
    message(280, 5, requestedNow=3000, bolusDeliveryStatus=1),
    message(280, 9, requestedNow=3000, deliveredTotal=3000),
    message(20, 10, insulinRequested=3.0, insulinDelivered=3.0, completionStatus=3),
]
EXTENDED = [
    message(65, 2, options=5, standardPercent=25, duration=180),
    message(66, 3, totalBolusSize=8.33),
    message(20, 10, insulinRequested=2.083, insulinDelivered=2.083, completionStatus=3),
    message(59, 11, bolexSize=6.247),
    message(280, 12, requestedNow=2083, requestedLater=6247, deliveredTotal=4686, extendedDurationRequested=180),
    message(21, 40, insulinRequested=6.247, insulinDelivered=4.685, completionStatus=0),
]


def test_a_chain_is_one_row_with_everything_its_messages_told(keep: Keep, rows: Rows) -> None:
    keep(Records.join(STANDARD))
    columns = "bolus_type, delivery, requested_units, delivered_units, food_units, correction_units, carbs_grams, glucose_mg_dl"
    assert rows(f"SELECT sequence_number, bolus_id, messages, {columns}, extended_minutes, completion FROM boluses") == [
        (1, 652, 7, "carbohydrate", "standard", 3.0, 3.0, 2.5, 0.5, 30, 121, None, "completed")
    ]
    assert rows("SELECT completed_pump_time - pump_time = INTERVAL 9 SECOND FROM boluses") == [(True,)]


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 1, 0)])  # the middle first, the end first
def test_the_messages_may_come_in_any_order(order: tuple[int, ...], keep: Keep, rows: Rows) -> None:
    parts = [STANDARD[:2], STANDARD[2:5], STANDARD[5:]]
    for place in order:
        keep(Records.join(parts[place]))
    assert rows(AMOUNTS) == [(3.0, 3.0, "completed", 7)]
    assert rows("SELECT sequence_number FROM boluses") == [(1,)]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param(EXTENDED, (8.33, 6.768, "user aborted", 6), id="both parts of an extended bolus"),
        pytest.param(EXTENDED[:5], (8.33, 4.686, "completed", 5), id="the rest still running: as far as the pump counted"),
        pytest.param(STANDARD[:4], (3.0, None, None, 4), id="asked for, nothing delivered yet"),
        pytest.param(STANDARD[4:6], (3.0, 3.0, None, 2), id="deliveries only"),
        pytest.param(STANDARD[6:], (3.0, 3.0, "completed", 1), id="the completion only"),
        pytest.param(STANDARD[3:4], (3.0, None, None, 1), id="the activation only"),
    ],
)
def test_amounts_come_from_whoever_knows_best(messages: list[Records], expected: tuple[object, ...], keep: Keep, rows: Rows) -> None:
    keep(Records.join(messages))
    assert rows(AMOUNTS) == [expected]


def test_a_bolus_id_that_comes_again_is_another_bolus(keep: Keep, rows: Rows) -> None:
    later = [
        message(66, 500_001, totalBolusSize=1.0),
        message(20, 500_010, insulinRequested=1.0, insulinDelivered=0.4, completionStatus=0),
    ]
    keep(Records.join(later))
    keep(Records.join(STANDARD))
    assert rows(AMOUNTS) == [(3.0, 3.0, "completed", 7), (1.0, 0.4, "user aborted", 2)]


def test_ids_of_other_pumps_and_groups_are_other_boluses(keep: Keep, rows: Rows) -> None:
    keep(Records.join(STANDARD), "2026-10", group=0)
    keep(Records.join(STANDARD), "2026-10", group=1)
    assert rows(AMOUNTS) == [(3.0, 3.0, "completed", 7)] * 2


def test_totals_are_those_of_the_completions(history: Records, told: Rows) -> None:
    completed = sum(float(history.columns(code)["insulinDelivered"].sum()) for code in (20, 21))
    (total,) = told("SELECT sum(delivered_units) FROM boluses")
    assert total[0] == pytest.approx(completed, abs=1e-4)
    assert told("SELECT count(DISTINCT bolus_id), sum(messages) FROM boluses") == told(
        "SELECT count(DISTINCT bolus_id), count(*) FROM bolus_messages"
    )
