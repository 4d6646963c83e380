"""Every kind of value, in every way to write it, in every place of an exchange, by both ways in: nothing comes out, nothing falls over."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from leakproof import ROUTES, Case, leaks
from leaks import CARRIERS, written

from sanitizer.check import check
from sanitizer.scan import search
from sanitizer.scrub import scrub
from simulator.account import account
from simulator.session import captured_session
from tfx.store import dumps

_AT_ONCE = 60


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_hidden_comes_out(carrier: str, route: str) -> None:
    cases = [Case(kind=kind, text=text, carrier=carrier, way=way.name) for kind, way, text in written()]
    for start in range(0, len(cases), _AT_ONCE):
        assert leaks(cases[start : start + _AT_ONCE], route) == []


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
