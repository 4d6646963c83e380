"""Every kind of value, in every spelling, in every place of an exchange, by both entry points: nothing leaks, nothing crashes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import chain, product
from pathlib import Path
from types import MappingProxyType

import pytest
from leakproof import ROUTES, Case, leaks, through, wrong_with
from leaks import CARRIERS, SECRETS, written
from live import recorded, standing

from recorder.checkpoint import Errand
from recorder.credentials import Credentials
from recorder.session import Way, record
from sanitizer.check import check
from sanitizer.files.outcomes import checked
from sanitizer.scrub import scrub
from sanitizer.search.record_words import in_records
from sanitizer.search.scan import search
from simulator.account import account
from simulator.proxy import running
from simulator.session import captured_session
from tandem.faults import Fault
from tfx.exchange import Exchange
from tfx.store import dumps, save

_AT_ONCE = 60


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_hidden_comes_out(carrier: str, route: str) -> None:
    cases = [Case(kind=kind, text=text, carrier=carrier, way=way.name) for kind, way, text in written()]
    for start in range(0, len(cases), _AT_ONCE):
        assert leaks(cases[start : start + _AT_ONCE], route) == []


def test_nothing_hidden_comes_out_of_a_live_recording() -> None:
    """Every kind in every place, plain: served by the stand-in over HTTPS, recorded by the recorder, a recording for each place."""
    unfit = 0
    with standing() as (planted, loopback):
        for carrier in CARRIERS:
            cases = [Case(kind=kind, text=text, carrier=carrier) for kind, text in SECRETS.items()]
            capture, lost = recorded([case.exchange for case in cases], planted, loopback)
            unfit += lost
            assert wrong_with(cases, "recording", *through(capture.exchanges, "recording", capture.seen)) == [], carrier
    assert unfit < len(CARRIERS) * len(SECRETS) // 20, "nearly everything can stand on a wire"


# What a carrier of the catalogue is when nothing is hidden in it: era, faults, and what must be there for the claim to mean anything.
Holds = Callable[[Exchange], bool]
CLEAN: Mapping[str, tuple[str, tuple[str, ...], Holds]] = MappingProxyType(
    {
        "response.body.json": ("2026-10", (), lambda one: one.response.body.startswith(b"{")),
        "response.body.binary": ("2025", (), lambda one: len(one.response.body) > 1000 and "pumpevents" in one.request.url),
        "response.body.text": ("2026-10", (), lambda one: "html" in one.response.headers.get("content-type")),
        "response.header": ("2026-10", (), lambda one: "strict-transport-security" in one.response.headers),
        "request.header": ("2026-10", (), lambda one: "authorization" in one.request.headers),
        "request.url.path": ("2026-10", (), lambda one: "/pumper/" in one.request.url),
        "request.url.query": ("2026-10", (), lambda one: "startDate=" in one.request.url),
        "request.body.form": ("2026-10", (), lambda one: b"grant_type=" in one.request.body),
        "request.body.json": ("2026-10", (), lambda one: one.request.body.startswith(b"{")),
        "cookie": ("2026-10", (), lambda one: "cookie" in one.request.headers and "set-cookie" in one.response.headers),
        "jwt": ("2026-10", (), lambda one: one.request.url.endswith("/connect/token")),
        "error message": ("2026-10", ("pump-logs:1:500",), lambda one: one.response.status >= 500),
        "redirect Location": ("2026-10", (), lambda one: "location" in one.response.headers),
        "cassette metadata": ("2026-10", (), bool),
        "filename": ("2026-10", (), bool),
    }
)


def quietly(_what: str, _of: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _: None)


def test_a_carrier_with_nothing_hidden_in_it_passes_without_a_finding(tmp_path: Path) -> None:
    """Recorded live, saved under a name, and read again as the check reads it."""
    person = account(identity=77, therapy=3, now=NOW, days=0.25)
    made: dict[tuple[str, tuple[str, ...]], tuple[Exchange, ...]] = {}
    for carrier, (era, faults, holds) in CLEAN.items():
        if (era, faults) not in made:
            with running(person, era=era, now=NOW, faults=[Fault.parse(text) for text in faults]) as stand_in:
                way = Way(proxy=stand_in.proxy_url, ca_file=stand_in.ca_file)
                errand = Errand(region="us", era=era, since=NOW.date(), until=NOW.date())
                who = Credentials(email=person.email, password=person.password)
                capture = record(
                    who, errand, clock=lambda: NOW, way=way, sleep=lambda _: None, track=lambda *_: nullcontext(lambda _: None)
                )
            done = scrub(capture, name=f"session-{len(made)}", folder="cassettes")
            # The stand-in's pump writes a code that nobody knows, as real ones do; that is told of every recording.
            assert [one for one in done.findings if "is unknown to tfx" not in one.kind] == [], carrier
            path = save(done.cassette, tmp_path)
            assert checked(path).findings == [], carrier
            made[era, faults] = capture.exchanges
        assert any(map(holds, made[era, faults])), f"no {carrier} on the recording"


NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
WORLDS = tuple(product(("2025", "2026-07", "2026-10"), ("us", "eu")))


@pytest.mark.parametrize("tenth", range(10))
def test_three_hundred_cassettes_raise_no_alarm(tenth: int) -> None:
    """Neither of themselves, nor when somebody else's values are looked for in them."""
    others = captured_session(account(identity=5000 + tenth, now=NOW, days=0.25), now=NOW).seen
    for number in range(tenth * 30, tenth * 30 + 30):
        era, region = WORLDS[number % len(WORLDS)]
        now = NOW + timedelta(hours=37 * number)
        person = account(identity=100 + number, therapy=number, now=now, days=0.5, region=region, guardian=number % 3 == 0)
        cassette = scrub(captured_session(person, era=era, region=region, now=now), name="session").cassette
        assert check(dumps(cassette)) == (), number
        assert search(cassette, seen=others) == (), number
        assert in_records(cassette, others) == (), number


def test_thirty_days_of_records_raise_no_alarm() -> None:
    """Where chance has the most room: 26,000 records, and the names and numbers of twenty others."""
    person = account(identity=1, therapy=1, now=NOW, days=30, density=1.0)
    cassette = scrub(captured_session(person, era="2025", now=NOW, days=30), name="session").cassette
    others = (captured_session(account(identity=one, now=NOW, days=0.25, density=0.01), now=NOW).seen for one in range(6000, 6020))
    assert in_records(cassette, chain.from_iterable(others)) == ()
