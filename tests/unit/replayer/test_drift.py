"""Drift is what changed in the service: requests, statuses, members, types; never ids, dates or values."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tape
from click.testing import CliRunner

from replayer.contents.drift import drift
from replayer.contents.show import show
from replayer.contents.summary import Contents, contents, totals
from replayer.usage.losses import Losses
from tfx import store
from tfx.cassette import Cassette
from tfx.cli import run
from tfx.exchange import Exchange

LOGS = "GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId}"


def with_event(change: Callable[[dict[str, object]], None]) -> Cassette:
    """The session, with every event of code 279 changed."""

    def changed(exchange: Exchange) -> Exchange:
        if "pump-logs" not in exchange.request.url:
            return exchange
        body = json.loads(exchange.response.body)
        for event in body["events"]:
            if event["eventCode"] == 279:
                change(event)
        return exchange.replacing(response=replace(exchange.response, body=tape.as_json(body)))

    cassette = tape.session()
    return replace(cassette, exchanges=tuple(map(changed, cassette.exchanges)))


def properties(event: dict[str, object]) -> dict[str, object]:
    found = event["eventProperties"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda event: properties(event).update(bank=1), [f"added: {LOGS} answer 200 body.events[279].eventProperties.bank"]),
        (lambda event: properties(event).pop("rate"), [f"removed: {LOGS} answer 200 body.events[279].eventProperties.rate"]),
        (
            lambda event: properties(event).update(rate="1.8"),
            [f"changed: {LOGS} answer 200 body.events[279].eventProperties.rate (number before, text now)"],
        ),
        (lambda event: event.update(new={"a": [{"b": 1}]}), [f"added: {LOGS} answer 200 body.events[279].new"]),
        (lambda event: properties(event).update(rate=30, whole=0.5), []),
        (lambda event: event.update(sequenceNumber=1, pumpDateTime="2030-01-01T00:00:00"), []),
    ],
)
def test_shapes_drift_and_values_do_not(change: Callable[[dict[str, object]], None], expected: list[str]) -> None:
    assert list(map(str, drift(tape.session(), with_event(change)))) == expected


def test_requests_and_statuses_drift() -> None:
    old = tape.session()
    new = replace(old, exchanges=old.exchanges[:-2])
    assert list(map(str, drift(old, new))) == [f"removed: {LOGS} the request itself"]
    failed = old.exchanges[7].replacing(response=replace(old.exchanges[7].response, status=500))
    found = list(map(str, drift(old, replace(old, exchanges=(*old.exchanges[:7], failed, *old.exchanges[8:])))))
    assert any("status (200 before, 500 now)" in one for one in found)


def test_what_each_is_a_recording_of_is_said_first() -> None:
    found = drift(tape.session("2025", "us"), tape.session("2026-10", "eu"))
    assert list(map(str, found[:2])) == [
        "changed: the service era (2025 before, 2026-10 now)",
        "changed: the service region (us before, eu now)",
    ]


def test_a_renamed_query_key_is_drift() -> None:
    old = replace(tape.session(), exchanges=(tape.logs("2024-07-01", "2024-07-02", eventIds="5"),))
    new = replace(tape.session(), exchanges=(tape.logs("2024-07-01", "2024-07-02", eventCodes="5"),))
    assert list(map(str, drift(old, new))) == [f"removed: {LOGS} query.eventIds", f"added: {LOGS} query.eventCodes"]


@pytest.mark.parametrize("era", ["2026-10", "2025"])
def test_contents_count_every_event_once(era: str) -> None:
    cassette = tape.session(era)
    doubled = replace(cassette, exchanges=(*cassette.exchanges, cassette.exchanges[-1]))
    found = contents(doubled)
    assert found.codes.total() == len(tape.EVENTS) + (len(tape.CHANGES) if era == "2026-10" else 0), "clock changes are events, too"
    assert (found.first, found.last) == ("2024-07-01T00:00:00", "2024-07-04T20:00:00")
    assert [line.events for line in found.lines[-3:]] == [10, 10, 10]


def test_one_is_counted_as_one() -> None:
    one = Contents(lines=(), codes=Counter([13]), first="", last="")
    assert totals(one) == "1 pump event of 1 type (1 clock change among them, which the service returns with every window)"
    assert Losses(labels={}, events=1, are_all_events=False, unanswered=()).events_words == "1 pump event"


def test_show_prints_tables_or_one_object(tmp_path: Path) -> None:
    path = store.save(tape.session(), tmp_path)
    plain = CliRunner().invoke(show, [str(path)]).output
    report = json.loads(CliRunner().invoke(show, [str(path), "--json"]).output)
    told = (
        "22 pump events of 5 types (2 clock changes among them, which the service returns beside the events of every window), "
        "from 2024-07-01T00:00:00 to"
    )
    assert told in " ".join(plain.split())
    assert "BASAL_DELIVERY" in plain
    assert report["events"]["279"] == {"name": "BASAL_DELIVERY", "count": 4}
    assert len(report["exchanges"]) == 10


def test_diff_exits_with_1_on_drift(tmp_path: Path) -> None:
    old = store.save(tape.session(), tmp_path)
    new = store.save(replace(tape.session(), exchanges=tape.session().exchanges[:-2]), tmp_path / "new")
    assert run(["diff", str(old), str(old)]) == 0
    assert run(["diff", str(old), str(new)]) == 1
