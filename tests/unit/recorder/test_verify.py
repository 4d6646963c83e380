"""What a verification asks for, and what it takes for drift."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tape

from recorder.verify import days_of
from replayer.contents.drift import service_drift
from tfx.cassette import Cassette
from tfx.cli import run
from tfx.exchange import Exchange

LOGS = "GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId} answer 200 body"
PUMPER = "GET source.tandemdiabetes.com/api/reports/bff/pumper/{pumperId} answer 200 body"


def session(change: Callable[[str, dict[str, object]], None] = lambda _url, _body: None) -> Cassette:
    def changed(exchange: Exchange) -> Exchange:
        if "/bff/" not in exchange.request.url:
            return exchange
        body = json.loads(exchange.response.body)
        change(exchange.request.url, body)
        return exchange.replacing(response=replace(exchange.response, body=tape.as_json(body)))

    cassette = tape.session()
    return replace(cassette, exchanges=tuple(map(changed, cassette.exchanges)))


def pump(**members: object) -> Callable[[str, dict[str, object]], None]:
    """Members of the one pump that is listed."""

    def change(url: str, body: dict[str, object]) -> None:
        if "/pumper/" in url:
            pumps = body["pumps"]
            assert isinstance(pumps, list)
            pumps[0].update(members)

    return change


def events(code: int, **members: object) -> Callable[[str, dict[str, object]], None]:
    """One more event, of that code, with these properties."""

    def change(url: str, body: dict[str, object]) -> None:
        listed = body.get("events")
        if isinstance(listed, list):
            listed.append({**tape.event(1, 1, 1, code), "eventProperties": members})

    return change


def nobody(url: str, body: dict[str, object]) -> None:
    if "/pumper/" in url:
        body["pumps"] = []


@pytest.mark.parametrize(
    ("old", "new", "expected", "why"),
    [
        (session(), session(pump(serialNumber="1", modelName="Y")), [], "values are no drift"),
        (session(), session(pump(colour="red")), [f"added: {PUMPER}.pumps[].colour"], "a new member is"),
        (session(pump(colour="red")), session(), [f"removed: {PUMPER}.pumps[].colour"], "a lost one is"),
        (
            session(),
            session(pump(serialNumber=1)),
            [f"changed: {PUMPER}.pumps[].serialNumber (text before, number now)"],
            "so is a type",
        ),
        (
            session(),
            session(events(399, rate=1.0, whole=0, name="", new=1)),
            [f"added: {LOGS}.events[399].eventProperties.new"],
            "in events",
        ),
        (session(), session(events(5, any=1)), [], "a type of event the pump had not sent yet says nothing of the service"),
        (session(events(5, any=1)), session(), [], "nor one it did not send this time"),
        (session(), session(nobody), [], "an empty list has no shape"),
        (session(nobody), session(), [], "nor had it one before"),
        (
            session(pump(doctor={"a": {"b": 1}})),
            session(pump(doctor={"a": None})),
            [f"changed: {PUMPER}.pumps[].doctor.a (object before, null now)"],
            "null is a type",
        ),
        (
            session(events(5, a=None)),
            session(events(5, a="x")),
            [f"changed: {LOGS}.events[5].eventProperties.a (null before, text now)"],
            "both ways",
        ),
    ],
)
def test_the_service_drifts_and_people_do_not(old: Cassette, new: Cassette, expected: list[str], why: str) -> None:
    assert list(map(str, service_drift(old, new))) == expected, why


def test_fewer_types_than_on_the_cassette_are_no_drift() -> None:
    def twice(url: str, body: dict[str, object]) -> None:
        events(5, a=None)(url, body)
        events(5, a="x")(url, body)

    both = session(twice)
    assert service_drift(both, session(events(5, a="x"))) == ()
    assert [one.kind for one in service_drift(session(events(5, a="x")), both)] == ["changed"]


def test_what_another_client_asked_is_no_drift_of_the_service() -> None:
    old = tape.session()
    filtered = replace(old, exchanges=(*old.exchanges[:-2], tape.logs(*tape.WINDOWS[0], eventCodes="399")))
    without_keys = replace(filtered, exchanges=(*filtered.exchanges[:5], *filtered.exchanges[7:]))
    assert service_drift(without_keys, old) == ()
    assert service_drift(old, without_keys) == ()


def test_a_place_nobody_knows_is_drift() -> None:
    old = tape.session()
    page = tape.exchange("GET", "https://source.tandemdiabetes.com/consent", got=tape.HTML, answer=b"<html></html>")
    found = service_drift(old, replace(old, exchanges=(page, *old.exchanges)))
    assert list(map(str, found)) == ["added: GET source.tandemdiabetes.com/<text> the request itself"]


def test_failures_that_passed_are_no_drift_and_another_answer_is() -> None:
    old = tape.session()
    failed = old.exchanges[7].replacing(response=replace(old.exchanges[7].response, status=500))
    moved = old.exchanges[7].replacing(response=replace(old.exchanges[7].response, status=206))
    assert service_drift(replace(old, exchanges=(failed, *old.exchanges)), old) == ()
    assert any(
        "status (200 before, 206 now)" in str(one) for one in service_drift(old, replace(old, exchanges=(*old.exchanges[:7], moved)))
    )


def test_another_era_is_drift() -> None:
    assert list(map(str, service_drift(tape.session("2026-07"), tape.session()))) == [
        "changed: the service era (2026-07 before, 2026-10 now)"
    ]


@pytest.mark.parametrize(
    ("cassette", "days", "why"),
    [
        (tape.session(), 4, "two windows of two days"),
        (tape.session("2025"), 4, "the same in the old era"),
        (replace(tape.session(), exchanges=()), 1, "nobody asked for events"),
        (tape.with_exchanges(tape.session(), tape.exchange("GET", "https://x.invalid/?startDate=soon&endDate=2024-07-01")), 1, "not a day"),
    ],
)
def test_as_many_days_as_the_cassette_spans(cassette: Cassette, days: int, why: str) -> None:
    assert days_of(cassette) == days, why


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.json"], "missing.json"),
        (["missing.json", "--fault", "login:1:500"], "--fault, --now and --history belong to the stand-in"),
        (["missing.json", "--era", "1999"], "'1999' is not one of"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["verify", *arguments]) == 2
    assert words in capsys.readouterr().err
