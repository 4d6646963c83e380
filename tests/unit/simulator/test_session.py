import json
from datetime import UTC, datetime

import pytest

from simulator.account import account
from simulator.session import captured_session
from tandem.endpoints import locate
from tandem.faults import Fault
from tandem.records import Records
from tfx.capture import Capture
from tfx.codec import decoded
from tfx.errors import TfxError

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def names(capture: Capture) -> list[str]:
    places = [locate(exchange.request.method, exchange.request.url) for exchange in capture.exchanges]
    return [place.endpoint.name if place else "?" for place in places]


@pytest.mark.parametrize("region", ["us", "eu"])
@pytest.mark.parametrize(
    ("era", "data"),
    [
        ("2025", ["pump-event-metadata", "pumpers", "pump-events"]),
        ("2026-07", ["pumper", "pumpers", "pump-logs"]),
        ("2026-10", ["pumper", "pumpers", "pump-logs"]),
    ],
)
def test_a_session_walks_as_the_recorder_does_and_all_is_answered(era: str, region: str, data: list[str]) -> None:
    capture = captured_session(account(now=NOW, days=0.25, region=region), era, region, NOW)
    login = ["sso-page", "login", "authorize", f"callback-{region}", "token", "discovery", "jwks"]
    assert names(capture) == login + data
    assert [exchange.response.status for exchange in capture.exchanges] == [200, 200, 302, *[200] * 7]
    assert (capture.era, capture.region, capture.clock) == (era, region, NOW)


def test_it_holds_every_record_of_the_pump_within_its_days() -> None:
    person = account(now=NOW, days=0.5)
    in_json, in_binary = captured_session(person, "2026-10", "us", NOW), captured_session(person, "2025", "us", NOW)
    body = json.loads(decoded(in_json.exchanges[-1].response.headers, in_json.exchanges[-1].response.body))
    text = json.loads(decoded(in_binary.exchanges[-1].response.headers, in_binary.exchanges[-1].response.body))
    sequence = Records.from_base64(text).sequence.tolist()
    events = [event["sequenceNumber"] for event in body["events"]]
    changes = [event["sequenceNumber"] for event in body["clockChanges"]]
    assert set(sequence) <= set(events) | set(changes)
    assert len(events) + len(changes) == len(person.current.records)


def test_a_long_history_is_asked_for_in_windows_of_four_weeks_that_leave_no_day_out() -> None:
    capture = captured_session(account(now=NOW, days=0.25), "2026-10", "us", NOW, days=60)
    assert names(capture).count("pump-logs") == 3
    asked = [exchange.request.url.partition("startDate=")[2] for exchange in capture.exchanges[-3:]]
    assert asked == [
        "2026-09-04T00%3A00%3A00Z&endDate=2026-10-01T23%3A59%3A59Z",
        "2026-10-02T00%3A00%3A00Z&endDate=2026-10-29T23%3A59%3A59Z",
        "2026-10-30T00%3A00%3A00Z&endDate=2026-11-02T23%3A59%3A59Z",
    ]


def test_data_calls_carry_the_bearer_and_no_cookie_login_calls_the_cookie() -> None:
    capture = captured_session(account(now=NOW, days=0.25), now=NOW)
    authorize, callback, pumper = capture.exchanges[2].request, capture.exchanges[3].request, capture.exchanges[7].request
    assert ".AspNetCore.Identity.Application=" in authorize.headers.get("Cookie")
    # The session cookie is of the accounts host alone; the load balancer's goes everywhere in the domain.
    assert ".AspNetCore" not in callback.headers.get("Cookie")
    assert "ApplicationGatewayAffinityCORS=" in callback.headers.get("Cookie")
    assert ("Cookie" in pumper.headers, pumper.headers.get("Authorization")[:7]) == (False, "Bearer ")


def test_everything_secret_in_it_is_among_the_seen() -> None:
    capture = captured_session(account(now=NOW, days=0.25), now=NOW)
    seen = {item.value for item in capture.seen}
    for exchange in capture.exchanges:
        for line in exchange.response.headers.all("Set-Cookie"):
            assert line.split(";")[0].partition("=")[2] in seen | {""}
    form = dict(pair.split("=") for pair in capture.exchanges[4].request.body.decode().split("&"))
    assert {form["code"], form["code_verifier"]} <= seen


def test_it_is_the_same_twice_but_for_what_is_signed() -> None:
    # The signing key is made anew in each process, but within one even the signatures agree: RS256 is deterministic.
    person = account(now=NOW, days=0.25)
    assert captured_session(person, now=NOW).exchanges == captured_session(person, now=NOW).exchanges


def test_a_fault_in_mid_session_is_on_it() -> None:
    capture = captured_session(account(now=NOW, days=0.25), now=NOW, faults=[Fault(endpoint="pump-logs", kind="500")])
    assert capture.exchanges[-1].response.status == 500


def test_a_session_that_cannot_sign_in_says_so() -> None:
    with pytest.raises(TfxError, match="the sign-in failed at authorize with 500"):
        captured_session(account(now=NOW, days=0.25), now=NOW, faults=[Fault(endpoint="authorize", kind="500")])
