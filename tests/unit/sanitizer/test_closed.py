"""What has few ways to be said: other spellings, repeats and weights are made one on import, and refused by the check."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sanitizer.check import looked_at
from sanitizer.files.input_files import is_telling
from sanitizer.places.visitors import Checker, Rewriter
from sanitizer.policy.policy import Rule, policy
from sanitizer.replacements.actions import ACTIONS, STRUCTURAL
from sanitizer.run import Run
from sanitizer.scrub import scrub
from tfx.capture import Capture
from tfx.jsonbody import Json, parse, write

Build = Callable[..., Capture]

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
SSO = "https://sso.tandemdiabetes.com/"
SOURCE = "https://source.tandemdiabetes.com"
ID = "00000000-0000-4000-8000-000000000001"
PUMPER = f"{SOURCE}/api/reports/bff/pumper/{ID}"
LOGS = f"{SOURCE}/api/reports/bff/pump-logs/{ID}"
AUTHORIZE = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/authorize"

ENCODINGS = [
    ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd", "a browser"),
    ("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "Ruby"),
    ("br;q=1.0, gzip;q=0.9, deflate;q=0.8", "br;q=1.0, gzip;q=0.9, deflate;q=0.8", "Alamofire"),
    ("GZIP,br,, identity;q=0, *;q=0.000", "gzip, br", "one spelling, and what is refused goes"),
    ("gzip;q=0.1, gzip;q=0.1, gzip;q=0.3, gzip;q=0.7, br;q=0.4", "gzip, br", "a serial number in weights"),
    ("marisol", "", "nothing known"),
    ("", "", "nothing"),
]


def test_accept_encoding_has_no_weights_but_those_of_known_programs(capture: Build) -> None:
    for before, after, why in ENCODINGS:
        raw = capture(sent=(("Accept-Encoding", before),))
        done = scrub(raw, name="x").cassette
        assert done.exchanges[0].request.headers.get("accept-encoding") == after, why
        assert looked_at(done) == (), why
        assert bool(looked_at(replace(done, exchanges=raw.exchanges))) is (before != after), why


LINES = [
    ([("Vary", "origin,Accept-Encoding,Origin")], ["Origin, Accept-Encoding"], "each once, in one spelling"),
    ([("Vary", "Origin"), ("Vary", "Accept-Encoding"), ("vary", "Accept-Encoding")], ["Origin", "Accept-Encoding"], "two lists"),
    ([("Vary", "Origin"), ("Vary", "Origin")], ["Origin"], "a list twice"),
    ([("Connection", "close"), ("Connection", "keep-alive"), ("connection", "close")], ["close"], "once"),
    ([("Cache-Control", "no-store,no-store, max-age=7"), ("Cache-Control", "no-cache")], ["no-store", "no-cache"], "each once"),
    ([("Location", SSO), ("Location", f"{SSO}login")], [SSO], "once"),
]  # fmt: skip


def test_a_line_stands_once(capture: Build) -> None:
    for before, after, why in LINES:
        raw = capture(got=tuple(before))
        done = scrub(raw, name="x").cassette
        assert [value for _, value in done.exchanges[0].response.headers] == after, why
        assert looked_at(done) == (), why
        assert bool(looked_at(replace(done, exchanges=raw.exchanges))) is ([value for _, value in before] != after), why


def test_a_line_that_goes_takes_its_stand_in_with_it(capture: Build) -> None:
    lines = (("Authorization", "Bearer abc"), ("authorization", "Bearer def"), ("Cookie", "idsrv=a"))
    assert looked_at(scrub(capture(sent=lines), name="x").cassette) == ()


def test_only_answers_that_ask_to_wait_say_how_long(capture: Build) -> None:
    for status, stays in ((429, True), (503, True), (200, False), (500, False)):
        raw = capture(status=status, got=(("Retry-After", "49"),))
        done = scrub(raw, name="x").cassette
        assert ("retry-after" in done.exchanges[0].response.headers) is stays
        assert (looked_at(replace(done, exchanges=raw.exchanges)) == ()) is stays


def problem(**more: Json) -> bytes:
    return write({"title": "Bad Request", **more})


def issues(*messages: str) -> bytes:
    return write({"issues": [{"code": "custom", "message": message} for message in messages]})


RFC = "https://tools.ietf.org/html/rfc"
ERRORS: list[tuple[bytes, bytes, str]] = [
    (problem(status=400, statusCode=400), problem(status=400, statusCode=400), "its own"),
    (problem(status=571, statusCode=113), problem(status=400, statusCode=400), "another's"),
    (problem(status=400.0), problem(status=0), "no whole number"),
    (problem(type="https://httpstatuses.com/113"), problem(type="https://httpstatuses.com/400"), "another's"),
    (problem(type="https://httpstatuses.io/400"), problem(type="https://httpstatuses.io/400"), "its own"),
    (problem(type=f"{RFC}9110#section-15.5.1"), problem(type=f"{RFC}9110#section-15.5.1"), "ASP.NET"),
    (problem(type=f"{RFC}7231#section-11.3.7"), problem(type=""), "no section on a status"),
    (issues("Window exceeds 28 days"), issues("Window exceeds 28 days"), "what the service takes"),
    (issues("Window exceeds 113 days"), issues(""), "what it does not"),
    (issues("Required", "Required"), write({"issues": []}), "twice"),
]  # fmt: skip


def test_an_error_says_its_own_status_and_the_service_s_own_bound(capture: Build) -> None:
    for before, after, why in ERRORS:
        raw = capture(PUMPER, status=400, answer=before)
        done = scrub(raw, name="x").cassette
        assert parse(done.exchanges[0].response.body) == parse(after), why
        assert looked_at(done) == (), why
        assert bool(looked_at(replace(done, exchanges=raw.exchanges))) is (before != after), why


QUERIES = [
    (f"{LOGS}?eventCodes=16&eventCodes=20", 2, "twice is honest"),
    (f"{LOGS}?eventCodes=16&eventCodes=20&eventCodes=16&eventCodes", 2, "Morse is not"),
    (f"{AUTHORIZE}?scope=openid+profile+openid+openid", 1, "a word of a scope stands once"),
]


def test_what_may_stand_several_times_may_not_stand_so_often_that_it_says_something(capture: Build) -> None:
    for url, often, why in QUERIES:
        raw = capture(url)
        done = scrub(raw, name="x").cassette
        assert done.exchanges[0].request.url.count("eventCodes") + done.exchanges[0].request.url.count("openid") == often, why
        assert looked_at(done) == (), why
        assert bool(looked_at(replace(done, exchanges=raw.exchanges))) is (raw.exchanges[0].request.url != done.exchanges[0].request.url), (
            why
        )


def test_of_members_that_nobody_knows_a_few_stay_and_zero_is_one_blank(capture: Build) -> None:
    answers: tuple[tuple[str, dict[str, Json]], ...] = ((PUMPER, {}), (LOGS, {"events": []}))
    for url, answer in answers:
        nothing: list[Json] = [0.0, -0.0, 0, "", False, None, [], {}]
        told = answer | {f"unknown{number}": value for number, value in enumerate(nothing * 3, 1)}
        done = scrub(capture(url, answer=write(told)), name="x").cassette
        body = parse(done.exchanges[0].response.body)
        assert isinstance(body, dict)
        blanks = [value for name, value in body.items() if name.startswith("unknown")]
        assert len(blanks) <= 16
        assert json.dumps(blanks[:8]) == json.dumps([0, 0, 0, "", False, None, [], {}])
        assert looked_at(done) == ()


TELLING = [
    *("113-7482", "1.1.3.7.4.8.2", "1971.3.19", "x19-3-71", "1971-03.1", "p49a151b7334", "49.151.7.3", "week-10871624", "2019-07-03"),
    *("20190703", "2019-0703", "3.19.71", "19--03--71", "a@b", "12-34-56", "week-3-19-1971", "2024-2025"),
]
PLAIN = ["session-us", "2026-10", "2026-07", "week-2026", "import-100", "tconnectsync-2.3.4", "14-days", "us-2026-10-v2"]


def test_numbers_and_dates_are_told_however_they_are_spaced() -> None:
    assert [name for name in TELLING if not is_telling(name)] == []
    assert [name for name in PLAIN if is_telling(name)] == []


def test_a_blank_that_the_check_passes_stays_a_blank() -> None:
    """Whatever the rule, or what was blanked is something else when it is sanitized again."""
    changed = []
    for word in ACTIONS.keys() - set(STRUCTURAL):
        for argument in policy().domains if word in ("keep", "words", "listed") else ("error-url",):
            rule = Rule(word=word, argument=argument)
            blanks: list[Json] = [0, "", False]
            for value in blanks:
                run = Run(policy=policy(), clock=NOW)
                Checker(run).leaf(rule, value, "place")
                after = Rewriter(Run(policy=policy(), clock=NOW)).leaf(rule, value, "place")
                if not run.findings and repr(after) != repr(value):
                    changed.append((str(rule), value, after))
    assert changed == []
