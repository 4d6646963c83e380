"""How options become an order."""

from datetime import date

import pytest

from recorder.order import Order
from tfx.errors import UsageError

TODAY = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("options", "since", "until", "why"),
    [
        ({}, date(2026, 11, 12), TODAY, "seven days, today included"),
        ({"days": 1}, TODAY, TODAY, "today"),
        ({"since": date(2026, 1, 1)}, date(2026, 1, 1), TODAY, "up to today"),
        ({"days": 2, "until": date(2026, 2, 1)}, date(2026, 1, 31), date(2026, 2, 1), "two days up to then"),
    ],
)
def test_days_are_whole_and_inclusive(options: dict[str, object], since: date, until: date, why: str) -> None:
    errand = Order(name="x", **options).errand(TODAY)  # type: ignore[arg-type]  # one field or another
    assert (errand.since, errand.until) == (since, until), why


def test_region_and_era_default_to_the_live_service_in_the_us() -> None:
    errand = Order(name="x").errand(TODAY)
    assert (errand.region, errand.era, errand.pump) == ("us", "2026-10", "")


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match=r"would end \(2026-11-18\) before it begins \(2026-12-01\); check --since and --until"):
        Order(name="x", since=date(2026, 12, 1)).errand(TODAY)


def test_days_before_the_first_of_the_calendar_are_refused() -> None:
    with pytest.raises(UsageError, match="7 days up to 0001-01-03 begin before the year 1; check --until and --days"):
        Order(name="x", until=date(1, 1, 3)).errand(TODAY)
