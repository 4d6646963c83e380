"""Which windows are asked for."""

from datetime import UTC, date, datetime

import pytest

from pipeline.receive import plans
from pipeline.receive.pumps import Pump
from tandem.windows import Window

NOW = datetime(2024, 7, 5, 9, 30, tzinfo=UTC)


def pump(first: str, last: str) -> Pump:
    return Pump(key="a", serial_number="1", first=first, last=last)


def days(plan: plans.Plan) -> list[str]:
    return [str(window) for window in plan]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param(
            "2024-06-01T00:00:06", "2024-07-05T08:00:00", ["2024-06-01 to 2024-06-28", "2024-06-29 to 2024-07-05"], id="as listed"
        ),
        pytest.param("2024-07-01T00:00:00", "2094-01-01T00:00:00", ["2024-07-01 to 2024-07-05"], id="a bogus end, seen in the wild"),
        pytest.param("", "", ["2024-06-08 to 2024-07-05"], id="nothing listed: four weeks"),
        pytest.param("2099-01-01", "2024-07-05", ["2024-07-05 to 2024-07-05"], id="a bogus beginning"),
    ],
)
def test_full_asks_for_what_the_service_lists(first: str, last: str, expected: list[str]) -> None:
    assert days(plans.full(pump(first, last), NOW)) == expected


def test_a_pump_east_of_everything_is_in_tomorrow_already() -> None:
    late = datetime(2024, 7, 5, 18, tzinfo=UTC)
    assert days(plans.full(pump("2024-07-06", "2024-07-06"), late)) == ["2024-07-06 to 2024-07-06"]


def test_incremental_takes_the_last_stored_day_again() -> None:
    assert days(plans.incremental(pump("2020-01-01", ""), NOW, date(2024, 7, 3))) == ["2024-07-03 to 2024-07-05"]


def test_incremental_takes_everything_where_nothing_is_stored() -> None:
    listed = pump("2024-07-01", "2024-07-05")
    assert plans.incremental(listed, NOW, None) == plans.full(listed, NOW)


def test_a_stored_day_in_the_future_does_not_turn_the_window_round() -> None:
    assert days(plans.incremental(pump("", ""), NOW, date(2031, 1, 1))) == ["2024-07-05 to 2024-07-05"]


WEEK = Window(since=date(2024, 7, 1), until=date(2024, 7, 7))


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, ["2024-07-01 to 2024-07-07"]),
        (date(2024, 7, 3), None, ["2024-07-03 to 2024-07-07"]),
        (None, date(2024, 7, 3), ["2024-07-01 to 2024-07-03"]),
        (date(2024, 7, 8), None, []),
        (date(2024, 6, 1), date(2024, 7, 1), ["2024-07-01 to 2024-07-01"]),
    ],
)
def test_a_cassettes_windows_are_cut_to_the_days(since: date | None, until: date | None, expected: list[str]) -> None:
    assert days(plans.clipped([WEEK], since, until)) == expected
