"""Days whose response cannot be read are requested again by the next run, until a response can be read."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import cast

import numpy as np
import pybase64
import pytest
from sqlalchemy import Engine

from pipeline.derive.update import derive
from pipeline.inspection.check import check
from pipeline.receive.origin import Origin
from pipeline.receive.pumps import Pump
from pipeline.running.runs import Order, planned
from pipeline.running.steps import run
from pipeline.store.devices import zone_named
from pipeline.store.engine import driver
from pipeline.store.unread_days import remember, unread_days
from tandem.bff import events_from_records
from tandem.client import TandemSource
from tandem.clock import seconds_of
from tandem.eras import ERAS
from tandem.records import Records
from tandem.windows import Window, windows
from tfx import jsonbody
from tfx.errors import AnswerError, ServiceError, TfxError

PUMP = Pump(key="b", serial_number="90000002", first="2024-07-01", last="2024-07-05")
NOW = datetime(2024, 7, 5, 9, 30, tzinfo=UTC)
UTC_ZONE = zone_named("UTC")


class Breaking:
    """A client that answers each day with one event, and some with a page of somebody's, or with half a record at the end."""

    era = ERAS["2025"]

    def __init__(self, *broken: int, cut: int = 0) -> None:
        self.broken, self.cut = broken, cut
        self.asked: list[str] = []

    def pump_events(self, _device: str, window: Window) -> bytes:
        self.asked.append(str(window))
        if window.since.day in self.broken:
            return b'"a page"'
        days = np.arange(window.days)
        first = seconds_of(datetime.combine(window.since, datetime.min.time()))
        records = Records.build(code=48, seconds=first + days * 86_400, sequence=window.since.day + days)
        return b'"' + pybase64.b64encode(records.to_bytes() + records.to_bytes()[: 13 * (window.since.day == self.cut)]) + b'"'


@pytest.mark.proofs
def test_a_hole_is_told_and_asked_for_again_until_it_is_read(warehouse: Engine) -> None:
    sick, well = Breaking(2, cut=3), Breaking()
    first = run(warehouse, cast("TandemSource", sick), PUMP, windows(date(2024, 7, 1), date(2024, 7, 5), 1), zone=UTC_ZONE)
    assert [str(window) for window in first.unread] == ["2024-07-02 to 2024-07-02", "2024-07-03 to 2024-07-03"]
    assert (first.received, first.rows["raw_events"], first.aside) == (5, 4, {"truncated record": 1})
    with warehouse.connect() as connection:
        assert [finding for finding in check(connection).findings if "2024-07-02 to 2024-07-03 could not be read" in finding]
    ((pump, plan),) = planned(warehouse, Origin(source=cast("TandemSource", well), now=NOW), (PUMP,), Order())
    again = run(warehouse, cast("TandemSource", well), pump, plan, zone=UTC_ZONE)
    assert well.asked == ["2024-07-02 to 2024-07-03", "2024-07-05 to 2024-07-05"]
    assert (again.unread, again.rows["raw_events"]) == ((), 1)
    with warehouse.connect() as connection:
        assert (unread_days(connection), check(connection).findings) == ((), ())


class Cutting(Breaking):
    """Answers of which a part is another: what the client finds cut, empty, or of no known shape, and a service that fails."""

    era = ERAS["2026-10"]

    def __init__(self, odd: Mapping[int, bytes | TfxError]) -> None:
        super().__init__()
        self.odd = odd

    def pump_logs(self, _device: str, window: Window) -> bytes:
        self.asked.append(str(window))
        said = self.odd.get(window.since.day)
        if isinstance(said, TfxError):
            raise said
        if said is not None:
            return said
        first = seconds_of(datetime.combine(window.since, datetime.min.time()))
        alarm = Records.build(code=5, seconds=first, sequence=window.since.day)
        return jsonbody.write({"events": list(events_from_records(alarm, device_assignment_id=PUMP.key)), "clockChanges": []})


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"{}", id="no members"),
        pytest.param(b'{"logs": [], "clockChanges": []}', id="events by another name"),
        pytest.param(AnswerError("cut", b'{"events": [{"eventC'), id="cut"),
        pytest.param(AnswerError("empty", b""), id="empty"),
        pytest.param(AnswerError("null", b"null"), id="null"),
    ],
)
def test_an_answer_of_no_known_shape_is_kept_the_next_goes_on_and_its_days_are_asked_again(
    said: bytes | TfxError, warehouse: Engine
) -> None:
    sick, well = Cutting({2: said}), Cutting({})
    first = run(warehouse, cast("TandemSource", sick), PUMP, windows(date(2024, 7, 1), date(2024, 7, 5), 1), zone=UTC_ZONE)
    assert [str(window) for window in first.unread] == ["2024-07-02 to 2024-07-02"]
    assert (first.rows["raw_events"], first.rows["alarms_and_alerts"]) == (4, 4)
    with warehouse.connect() as connection:
        kept = driver(connection).execute("SELECT reason, raw FROM quarantine").fetchall()
    assert kept == [("unreadable answer", said.body if isinstance(said, AnswerError) else said)]
    ((pump, plan),) = planned(warehouse, Origin(source=cast("TandemSource", well), now=NOW), (PUMP,), Order())
    again = run(warehouse, cast("TandemSource", well), pump, plan, zone=UTC_ZONE)
    assert well.asked == ["2024-07-02 to 2024-07-02", "2024-07-05 to 2024-07-05"]
    assert (again.unread, again.rows["raw_events"]) == ((), 1)


def test_what_came_before_a_service_failed_is_worked_out(warehouse: Engine) -> None:
    failing = Cutting({3: ServiceError("status 503 five times")})
    with pytest.raises(ServiceError):
        run(warehouse, cast("TandemSource", failing), PUMP, windows(date(2024, 7, 1), date(2024, 7, 5), 1), zone=UTC_ZONE)
    with warehouse.connect() as connection:
        assert driver(connection).execute("SELECT count(*) FROM alarms_and_alerts").fetchall() == [(2,)]
        assert check(connection).findings == ()


@pytest.mark.parametrize(
    ("read", "left"),
    [
        pytest.param((1, 31), [], id="all of it"),
        pytest.param((5, 6), ["2024-07-02 to 2024-07-04", "2024-07-07 to 2024-07-20"], id="the middle"),
        pytest.param((10, 31), ["2024-07-02 to 2024-07-09"], id="the end"),
        pytest.param((21, 31), ["2024-07-02 to 2024-07-20"], id="none of it"),
    ],
)
def test_only_the_days_that_were_read_are_mended(read: tuple[int, int], left: list[str], warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        remember(connection, 1, Window(since=date(2024, 7, 2), until=date(2024, 7, 20)), is_read=False)
        remember(connection, 1, Window(since=date(2024, 7, read[0]), until=date(2024, 7, read[1])), is_read=True)
        assert [str(window) for window in unread_days(connection)] == left


def test_a_window_of_half_a_surrogate_pair_is_no_hole(warehouse: Engine) -> None:
    class Odd(Breaking):
        era = ERAS["2026-10"]

        def pump_logs(self, _device: str, _window: Window) -> bytes:
            return rb'{"events": [], "clockChanges": [], "note": "\ud800"}'

    assert run(warehouse, cast("TandemSource", Odd()), PUMP, windows(date(2024, 7, 1), date(2024, 7, 1)), zone=UTC_ZONE).unread == ()
    derive(warehouse)
