"""URLs by one set of rules, wherever they stand; the encoding they had is the encoding they have."""

# ruff: noqa: E501  # one row of a table is one line, however wide

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from sanitizer.places.urls import link
from sanitizer.places.visitors import Checker, Rewriter
from sanitizer.policy.policy import policy
from sanitizer.run import Run
from sanitizer.scrub import scrub
from tfx.capture import Capture
from tfx.signing import s256

Build = Callable[..., Capture]

ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
ONE = "00000000-0000-4000-8000-000000000001"
LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ID}"
OUR_LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ONE}"
EVENTS = f"https://source.eu.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{ID}/378904"
CHALLENGE = s256("tfx-verifier-000000000000000000000000000001")

REQUESTS = [
    (LOGS, OUR_LOGS, "an id in the path"),
    (LOGS.replace(ID, ID.upper()), OUR_LOGS, "in capitals"),
    (LOGS.replace(ID, f"{{{ID}}}"), OUR_LOGS.replace(ONE, f"{{{ONE}}}"), "in braces"),
    (LOGS.replace(ID, f"%7b{ID}%7d"), OUR_LOGS.replace(ONE, f"%7B{ONE}%7D"), "in braces, percent-encoded"),
    (LOGS.replace(ID, f"%257B{ID}%257D"), OUR_LOGS.replace(ONE, f"%257B{ONE}%257D"), "twice"),
    (f"{LOGS}?pumperId={ID}", f"{OUR_LOGS}?pumperId={ONE}", "the same id in the query"),
    (f"{LOGS}?startDate=2026-11-18T00%3A00%3A00Z", f"{OUR_LOGS}?startDate=2024-07-03T00%3A00%3A00Z", "a date, percent-encoded"),
    (f"{LOGS}?startDate=2026-11-18T00:00:00Z", f"{OUR_LOGS}?startDate=2024-07-03T00:00:00Z", "a date, bare"),
    (f"{LOGS}?eventCodes=229%2C5", f"{OUR_LOGS}?eventCodes=229%2C5", "codes, encoded"),
    (f"{LOGS}?eventCodes=229,5", f"{OUR_LOGS}?eventCodes=229,5", "codes, bare"),
    (f"{LOGS}?eventCodes=", f"{OUR_LOGS}?eventCodes=", "a blank value"),
    (f"{LOGS}?eventCodes=5&eventCodes=6", f"{OUR_LOGS}?eventCodes=5&eventCodes=6", "a key twice"),
    (f"{LOGS}?", OUR_LOGS, "an empty query"),
    (
        f"{LOGS}?startDate=2026-11-18T00%3A00:00Z&endDate=2026-11-18T00:00:00Z",
        f"{OUR_LOGS}?startDate=2024-07-03T00:00:00Z&endDate=2024-07-03T00:00:00Z",
        "two spellings in one date",
    ),
    (
        f"{LOGS}?startDate=2026-11-18T00%3A00%3A00Z&endDate=2026-11-18T00:00:00Z",
        f"{OUR_LOGS}?startDate=2024-07-03T00:00:00Z&endDate=2024-07-03T00:00:00Z",
        "two spellings in one query",
    ),
    (LOGS.replace("source.", "SOURCE.").replace(".com", ".com:443"), OUR_LOGS, "a host in capitals with its port"),
    (
        f"{EVENTS}?minDate=2026-11-18&maxDate=2026-11-18",
        f"https://source.eu.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{ONE}/900001?minDate=2024-07-03&maxDate=2024-07-03",
        "era 2025",
    ),
]


@pytest.mark.parametrize(("before", "after", "_why"), REQUESTS)
def test_a_request_line(capture: Build, before: str, after: str, _why: str) -> None:
    done = scrub(capture(before), name="x")
    assert done.cassette.exchanges[0].request.url == after
    assert done.findings == ()


def test_codes_that_nobody_knows_are_said_to_be_gone(capture: Build) -> None:
    """An empty list asks for every event: that is another request."""
    done = scrub(capture(f"{LOGS}?eventCodes=4001,4002"), name="x")
    assert done.cassette.exchanges[0].request.url == f"{OUR_LOGS}?eventCodes="
    assert [str(one) for one in done.findings] == ["#1 request query.eventCodes: not a list of event codes; blanked"]


AUTHORIZE = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/authorize"
NESTED = "%2Faccounts%2Fapi%2Fconnect%2Fauthorize%2Fcallback%3Fstate%3D{}%26redirect_uri%3Dhttps%253A%252F%252Fsso.tandemdiabetes.com%252Fauth%252Fcallback"
LINKS = [
    ("/", "/", "the front page"),
    ("https://source.tandemdiabetes.com", "https://source.tandemdiabetes.com", "an origin"),
    ("https://tconnect.tandemdiabetes.com/", "https://tconnect.tandemdiabetes.com/", "the referer of era 2025"),
    (f"{AUTHORIZE}?code_challenge={'x' * 43}", f"{AUTHORIZE}?code_challenge={CHALLENGE}", "a challenge"),
    (
        "https://sso.tandemdiabetes.com/auth/callback?code=AB-1",
        "https://sso.tandemdiabetes.com/auth/callback?code=tfx-code-000001",
        "a code",
    ),
    (
        f"https://sso.tandemdiabetes.com/?ReturnUrl={NESTED.format('Zm9v')}",
        f"https://sso.tandemdiabetes.com/?ReturnUrl={NESTED.format('tfx-state-000001')}",
        "a URL in a URL, and one more inside",
    ),
    (f"/api/reports/bff/pumper/{ID}", "/", "a path of another host: nobody knows it there"),
    (
        f"https://source.tandemdiabetes.com/api/pumpers/pumpers/{ID}",
        f"https://source.tandemdiabetes.com/api/pumpers/pumpers/{ONE}",
        "an id in a path",
    ),
    (
        f"https://source.tandemdiabetes.com/api/pumpers/pumpers/%7B{ID}%7D",
        f"https://source.tandemdiabetes.com/api/pumpers/pumpers/%7B{ONE}%7D",
        "in braces, percent-encoded",
    ),
    ("https://sso.tandemdiabetes.com/welcome/Marisol", "https://sso.tandemdiabetes.com/", "an unknown path"),
    ("https://evil.example.org/?x=1", "", "another host"),
    ("//evil.example.org/", "", "another host without a scheme"),
    ("javascript:alert(1)", "", "no https"),
    ("https://a:b@sso.tandemdiabetes.com/", "", "a login in the URL"),
    ("https://[bad/", "", "no URL at all"),
    ("", "", "nothing"),
]


def run() -> Run:
    return Run(policy=policy(), clock=datetime(2026, 11, 18, tzinfo=UTC))


@pytest.mark.parametrize(("before", "after", "_why"), LINKS)
def test_a_link(before: str, after: str, _why: str) -> None:
    visitor = Rewriter(run())
    assert link(visitor, before, "header") == after
    assert link(Rewriter(run()), after, "header") == after, "twice is once"


@pytest.mark.parametrize(("before", "after", "_why"), LINKS)
def test_the_looking_hand_reports_what_the_other_changes(before: str, after: str, _why: str) -> None:
    visitor = Checker(run())
    assert link(visitor, before, "header") == before
    assert bool(visitor.run.findings) == (before != after)
    clean = Checker(run())
    link(clean, after, "header")
    assert clean.run.findings == []


def test_nesting_has_an_end() -> None:
    url = "https://sso.tandemdiabetes.com/"
    for _ in range(6):
        url = f"https://sso.tandemdiabetes.com/?ReturnUrl={quote(url, safe='')}"
    visitor = Rewriter(run())
    assert link(visitor, url, "header").count("ReturnUrl") <= 5
    assert "URLs nested too deep" in [finding.kind for finding in visitor.run.findings]


def test_a_number_that_is_no_url_is_blanked() -> None:
    visitor = Rewriter(run())
    assert link(visitor, 5, "body.redirectUrl") == ""
