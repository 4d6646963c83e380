"""The views: what the consensus papers define, computed on readings whose metrics are known."""

import statistics
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.running.steps import Stored
from tandem.records import Records, Values

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]

MIDNIGHT = 580_003_200  # pump seconds, a whole number of days since 2008


def readings(values: list[int], *, begin: int = MIDNIGHT, every: int = 300) -> Records:
    seconds = begin + every * np.arange(len(values))
    columns: dict[str, Values] = {"egvTimeStamp": seconds, "currentGlucoseDisplayValue": values}
    return Records.build(code=399, seconds=seconds, sequence=1 + np.arange(len(values)), columns=columns)


def test_every_reading_is_in_one_range_and_the_edges_are_the_consensus_ones(keep: Keep, rows: Rows) -> None:
    values = [39, 53, 54, 69, 70, 140, 141, 180, 181, 250, 251, 401]
    keep(readings(values))
    found = rows("""
        SELECT readings, below_54, from_54_to_69, in_range_70_to_180, in_tight_range_70_to_140, from_181_to_250, above_250
        FROM glucose_by_day
    """)
    assert found == [(12, *(round(share / 12, 4) for share in (2, 2, 4, 2, 2, 2)))]


def test_mean_deviation_variation_and_indicator(keep: Keep, rows: Rows) -> None:
    values = [100, 120, 154, 180, 201]
    keep(readings(values))
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    columns = "mean_mg_dl, standard_deviation_mg_dl, coefficient_of_variation_percent, glucose_management_indicator_percent"
    expected = (mean, round(deviation, 1), round(100 * deviation / mean, 1), round(3.31 + 0.02392 * mean, 2))
    assert rows(f"SELECT {columns} FROM glucose_by_day") == [pytest.approx(expected)]
    assert rows(f"SELECT DISTINCT {columns} FROM glucose_by_span") == [pytest.approx(expected)]


def test_the_same_in_mmol_and_what_both_levels_make(keep: Keep, rows: Rows) -> None:
    # By hand: 40, 60, 100, 200 and 300 mg/dL are 700 / 5 = 140 on average, / 18.0156 = 7.771 mmol/L, 12.71 + 4.70587 x 7.771 = 49.28;
    # squares of -100, -80, -40, 60 and 160 add up to 47 200, / 4 = 11 800, root 108.63 mg/dL or 6.03 mmol/L; 108.63 / 140 = 77.6 %.
    keep(readings([40, 60, 100, 200, 300]))
    columns = "mean_mmol_l, standard_deviation_mmol_l, coefficient_of_variation_percent, glucose_management_indicator_mmol_mol"
    assert rows(f"SELECT {columns}, below_70, above_180, below_54, above_250 FROM glucose_by_day") == [
        (7.77, 6.03, 77.6, 49.3, 0.4, 0.4, 0.2, 0.2)
    ]


def test_the_published_pairs_of_mean_and_indicator(keep: Keep, rows: Rows) -> None:
    # Bergenstal 2018, table 1: 100 mg/dL 5.7 %, 150 mg/dL 6.9 %, 200 mg/dL 8.1 %, 250 mg/dL 9.3 %.
    days = {100: 5.7, 150: 6.9, 200: 8.1, 250: 9.3}
    keep(Records.join([readings([value], begin=MIDNIGHT + 86_400 * place).with_header(sequence=place) for place, value in enumerate(days)]))
    found = rows("SELECT mean_mg_dl, round(glucose_management_indicator_percent, 1) FROM glucose_by_day ORDER BY day")
    assert found == list(days.items())


def test_seventy_percent_of_fourteen_days_are_sufficient(keep: Keep, rows: Rows) -> None:
    keep(readings([120] * (13 * 288)))
    assert rows("SELECT days, sufficient FROM glucose_by_span WHERE span = 'all'") == [(13, False)]
    keep(readings([120], begin=MIDNIGHT + 13 * 86_400).with_header(sequence=9999))
    assert rows("SELECT days, sufficient, share_of_readings FROM glucose_by_span WHERE span = '14 days'") == [(14, True, 0.9288)]
    assert rows("SELECT sufficient, count(*) FROM glucose_by_day GROUP BY ALL ORDER BY ALL") == [(False, 1), (True, 13)]


def test_spans_end_with_the_last_reading_and_one_told_twice_counts_once(keep: Keep, rows: Rows) -> None:
    first = readings([100, 110])
    again = readings([115], begin=MIDNIGHT + 300).with_header(sequence=7)  # back-filled later: the later word counts
    late = readings([200], begin=MIDNIGHT + 20 * 86_400).with_header(sequence=8)
    keep(Records.join([first, again, late]))
    assert rows("SELECT span, days, readings, mean_mg_dl FROM glucose_by_span ORDER BY span") == [
        ("14 days", 14, 1, 200.0), ("30 days", 21, 3, 138.3), ("90 days", 21, 3, 138.3), ("all", 21, 3, 138.3),
    ]  # fmt: skip


def test_insulin_by_the_day_is_rates_by_time_and_boluses(keep: Keep, rows: Rows) -> None:
    rates = Records.build(
        code=279, seconds=MIDNIGHT + np.array([0, 1200, 2400]), sequence=[1, 2, 3], columns={"commandedRate": [1200, 0, 600]}
    )
    bolus = Records.build(
        code=20, seconds=MIDNIGHT + 60, sequence=4, columns={"bolusId": 1, "insulinDelivered": 2.5, "insulinRequested": 2.5}
    )
    keep(Records.join([rates, bolus]))
    assert rows("SELECT basal_units, bolus_units, total_units, boluses FROM insulin_by_day") == [(0.45, 2.5, 2.95, 1)]


def test_a_rate_holds_until_a_delivery_or_a_change_says_another(keep: Keep, rows: Rows) -> None:
    told = Records.build(code=279, seconds=MIDNIGHT + np.array([0, 1200]), sequence=[1, 3], columns={"commandedRate": [1200, 600]})
    halt = Records.build(code=3, seconds=MIDNIGHT + 300, sequence=2, columns={"commandedBasalRate": 0.0})
    late = Records.build(code=279, seconds=MIDNIGHT + 9000, sequence=4, columns={"commandedRate": 0})
    keep(Records.join([told, halt, late]))
    found = rows("SELECT sequence_number, seconds, round(units, 6) FROM basal_spans ORDER BY 1")
    assert found == [(1, 300, 0.1), (2, 900, 0.0), (3, 3600, 0.6), (4, 300, 0.0)], "after an hour of silence nobody knows the rate"
