"""What options mean for a run: which days, which pumps, from where."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Engine, make_url

from pipeline.receive.origin import Origin
from pipeline.receive.pumps import Pump
from pipeline.running.runs import Mode, Order, perform, planned, span
from pipeline.store.ranges import is_waiting
from tandem.client import TandemSource
from tandem.clock import seconds_of
from tandem.eras import ERAS
from tandem.records import Records
from tandem.windows import Window
from tfx.cli import WORDS
from tfx.errors import CassetteError, ServiceError, UsageError

OLD_DAYS, OLD_END = "2023-01-01 to 2023-01-02", "2023-01-30 to 2023-01-31"
NOW = datetime(2024, 7, 5, 9, 30, tzinfo=UTC)
OLD = Pump(key="a", serial_number="1", first="2023-01-01", last="2023-02-01")
USED = Pump(key="b", serial_number="2", first="2024-07-01", last="2024-07-05")
IDLE = Pump(key="c", serial_number="3")
PUMPS = (OLD, USED, IDLE)


def origin(recorded: tuple[tuple[str, Window], ...] | None = None) -> Origin:
    return Origin(source=cast("TandemSource", None), now=NOW, recorded=recorded)


def window(first: int, last: int) -> Window:
    return Window(since=date(2024, 7, first), until=date(2024, 7, last))


def plan(order: Order, warehouse: Engine, recorded: tuple[tuple[str, Window], ...] | None = None) -> list[tuple[str, list[str]]]:
    return [(pump.serial_number, [str(one) for one in windows]) for pump, windows in planned(warehouse, origin(recorded), PUMPS, order)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(Order(), [("2", ["2024-07-01 to 2024-07-05"])], id="all of the pump in use, where nothing is stored"),
        pytest.param(Order(mode="full", pump="2"), [("2", ["2024-07-01 to 2024-07-05"])], id="all of a pump by name"),
        pytest.param(Order(mode="backfill", days=2), [("2", ["2024-07-04 to 2024-07-05"])], id="the last days"),
        pytest.param(Order(mode="backfill", since=date(2024, 7, 3)), [("2", ["2024-07-03 to 2024-07-05"])], id="from a day to now"),
        pytest.param(Order(mode="backfill", since=date(2023, 1, 1), until=date(2023, 1, 2), pump="1"), [("1", [OLD_DAYS])], id="days"),
        pytest.param(
            Order(mode="backfill", until=date(2023, 1, 31), days=2, pump="1"), [("1", ["2023-01-30 to 2023-01-31"])], id="to a day"
        ),
    ],
)
def test_live_one_pump_is_asked(order: Order, expected: list[tuple[str, list[str]]], warehouse: Engine) -> None:
    assert plan(order, warehouse) == expected


RECORDED = (("b", window(1, 2)), ("a", window(1, 1)), ("b", window(3, 4)))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(
            Order(),
            [("1", ["2024-07-01 to 2024-07-01"]), ("2", ["2024-07-01 to 2024-07-02", "2024-07-03 to 2024-07-04"])],
            id="all it has",
        ),
        pytest.param(Order(pump="1"), [("1", ["2024-07-01 to 2024-07-01"])], id="one pump"),
        pytest.param(Order(mode="backfill", since=date(2024, 7, 4)), [("2", ["2024-07-04 to 2024-07-04"])], id="some days"),
    ],
)
def test_a_cassette_answers_what_it_has(order: Order, expected: list[tuple[str, list[str]]], warehouse: Engine) -> None:
    assert plan(order, warehouse, RECORDED) == expected


@pytest.mark.parametrize("order", [Order(pump="3"), Order(mode="backfill", since=date(2025, 1, 1))])
def test_a_cassette_without_those_events_is_said(order: Order, warehouse: Engine) -> None:
    with pytest.raises(CassetteError, match="no pump events of the days and pumps asked for"):
        plan(order, warehouse, RECORDED)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ({}, "a backfill needs its first day"),
        ({"until": date(2024, 7, 1)}, "a backfill needs its first day"),
        ({"since": date(2024, 7, 1), "days": 3}, "--days and --since exclude each other"),
        ({"since": date(2024, 7, 9), "until": date(2024, 7, 1)}, "--since is after --until"),
    ],
)
def test_days_that_make_no_sense_are_said_before_anybody_signs_in(days: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Order(mode="backfill", **days)


def test_the_last_day_is_today_where_the_account_is(warehouse: Engine) -> None:
    assert plan(Order(mode="backfill", days=1, zone="Pacific/Auckland"), warehouse) == [("2", ["2024-07-05 to 2024-07-05"])]
    assert plan(Order(mode="backfill", days=1, zone="Pacific/Honolulu"), warehouse) == [("2", ["2024-07-04 to 2024-07-04"])]


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_without_days_there_is_no_span(mode: Mode) -> None:
    assert span(Order(mode=mode), NOW.date()) == (None, None)


def test_an_order_does_not_print_the_serial_number() -> None:
    assert "90000001" not in repr(Order(pump="90000001"))


class FailsLater:
    """A client of era 2025 whose service answers for some days, and then no more."""

    era = ERAS["2025"]

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = iter(bodies)

    def pump_events(self, _device: str, _window: Window) -> bytes:
        for body in self.bodies:
            return body
        raise ServiceError("status 503; try again later")


@pytest.mark.parametrize(
    ("order", "database", "told"),
    [
        pytest.param(
            Order(mode="backfill", since=date(2024, 3, 1)),
            "w.duckdb",
            "; the 3 events received before that are stored and worked out; the same command again",
            id="days by name",
        ),
        pytest.param(
            Order(), "w.duckdb", "; the 3 events received before that are stored and worked out; the next run goes on", id="the rest"
        ),
        pytest.param(Order(), ":memory:", "", id="in memory nothing stays"),
    ],
)
def test_what_stays_stored_is_said_where_the_service_fails_later(
    order: Order, database: str, told: str, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = Records.build(code=279, seconds=seconds_of(datetime(2024, 7, 1)), sequence=[1, 2, 3])  # noqa: DTZ001  # wall time
    source = cast("TandemSource", FailsLater(three.to_body()))
    pump = replace(USED, first="2023-01-01")
    monkeypatch.setattr("pipeline.running.runs.opened", lambda _: nullcontext(Origin(source=source, now=NOW)))
    monkeypatch.setattr("pipeline.running.runs.pumps_of", lambda _: (pump,))
    monkeypatch.setattr(warehouse, "url", make_url(f"duckdb:///{database}"))
    with pytest.raises(ServiceError) as raised:
        perform(warehouse, order)
    said, code = next(words(raised.value) for kind, words in WORDS if isinstance(raised.value, kind))
    assert (said.startswith(f"status 503; try again later{told}"), code) == (True, 3), said
    assert bool(told) == ("stored" in said)
    with warehouse.connect() as connection:
        assert not is_waiting(connection)
