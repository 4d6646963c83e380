"""Faults on replay. Proofs that they equal live ones on every HTTP library: tests/proofs/test_faults_as_live.py."""

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
import requests
import tape
import urllib3
from requests.adapters import HTTPAdapter

from replayer.session import offline
from tandem.faults import Fault
from tandem.regions import SSO_URL
from tfx.cassette import Cassette
from tfx.errors import HangError, MismatchError, UnusedError
from tfx.exchange import Exchange, Request, Terms

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def again(cassette: Cassette, number: int = 0) -> Cassette:
    """One exchange of it, as often as it is asked for."""
    one = cassette.exchanges[number]
    return replace(cassette, exchanges=(Exchange(request=one.request, response=one.response, terms=Terms(repeat="last")),))


def test_on_a_virtual_clock_a_late_answer_meets_the_timeouts_around_it() -> None:
    async def asked(patience: float) -> int:
        async with asyncio.timeout(patience), httpx.AsyncClient(timeout=None) as client:  # the one around it is the point
            return (await client.get(SSO_URL)).status_code

    with offline(again(tape.session()), faults=["sso-page:1+:late=40"], virtual_clock=True):
        really, before = time.monotonic(), time.time()
        with pytest.raises(TimeoutError):
            asyncio.run(asked(5))
        assert time.time() - before == pytest.approx(5, abs=4)
        assert asyncio.run(asked(50)) == 200
    assert time.monotonic() - really < 5


def test_a_client_that_tries_again_gets_the_recorded_answer() -> None:
    retry = urllib3.Retry(3, status_forcelist=[429], allowed_methods=None, backoff_factor=30)
    with offline(tape.session(), faults=["sso-page:1:429", "sso-page:2:reset", "sso-page:3:timeout"], virtual_clock=True) as replay:
        session = requests.Session()
        session.mount("https://", HTTPAdapter(max_retries=retry))
        before, really = time.time(), time.monotonic()
        assert session.get(SSO_URL, timeout=7).status_code == 200
        assert replay.used == (1,)
        replay.check()
        # Retry-After of a second, then back-off of 60 and 120 seconds, and the time-out itself.
        assert 188 <= time.time() - before < 193
    assert time.monotonic() - really < 5
    with offline(tape.session(), faults=["sso-page:1+:503"], virtual_clock=True):
        session.mount("https://", HTTPAdapter(max_retries=urllib3.Retry(2, status_forcelist=[503])))
        with pytest.raises(requests.exceptions.RetryError, match="too many 503 error responses"):
            session.get(SSO_URL)


def test_time_that_was_waited_for_has_passed() -> None:
    async def waits() -> list[str]:
        order: list[str] = []

        async def one(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        await asyncio.gather(one("late", 3600), one("early", 60), one("soon", 1))
        return order

    real, began = time.sleep, time.monotonic()
    with offline(tape.session(), virtual_clock=True, freeze=True):
        start = time.time()
        assert asyncio.run(waits()) == ["soon", "early", "late"]
        time.sleep(400)
        assert 4000 <= time.time() - start < 4010
        assert datetime.now(UTC) > tape.session().clock
    assert time.sleep is real
    assert time.monotonic() - began < 5


def test_an_expired_token_is_refused_until_somebody_signs_in_again() -> None:
    session = tape.session()
    *sign_in, pumps = session.exchanges[:8]

    def send(exchange: Exchange) -> int:
        sent = exchange.request
        return requests.request(sent.method, sent.url, data=sent.body, headers=dict(sent.headers), allow_redirects=False).status_code

    with offline(session, faults=["pumper:1:expired"]) as replay:
        assert [send(one) for one in sign_in] == [200, 200, 302, 200, 200, 200, 200]
        assert [send(pumps), send(session.exchanges[8])] == [401, 401], "nothing is let in with that token"
        assert [send(one) for one in sign_in] == [200, 200, 302, 200, 200, 200, 200]
        assert [send(pumps), send(session.exchanges[8]), send(session.exchanges[9])] == [200, 200, 200]
        replay.check(all_used=True)


def test_a_fault_takes_the_recorded_answer_of_its_status() -> None:
    unhappy = tape.exchange("GET", SSO_URL, status=429, reason="Too Many", got=(("Retry-After", "17"),))
    cassette = tape.with_exchanges(tape.session(), unhappy, *tape.session().exchanges)
    with offline(cassette, faults=["login:1:429"]):
        login = cassette.exchanges[2].request
        answer = requests.post(login.url, login.body, headers=dict(login.headers))
        assert (answer.status_code, answer.reason, answer.headers["Retry-After"]) == (429, "Too Many", "17")


def test_only_requests_that_are_on_the_cassette_are_counted() -> None:
    with offline(again(tape.session()), faults=["any:2:500"]) as replay:
        with pytest.raises(MismatchError):
            requests.get(f"{SSO_URL}no")
        assert [requests.get(SSO_URL).status_code for _ in range(3)] == [200, 500, 200]
        replay.forgive()


def test_a_fault_that_befell_nothing_is_told() -> None:
    with offline(tape.session(), faults=["sso-page:1:500", "jwks:9:reset"]) as replay:
        requests.get(SSO_URL)
        with pytest.raises(UnusedError, match="the fault jwks:9:reset was never met"):
            replay.check()


@pytest.mark.parametrize(
    "ask", [requests.get, lambda url: httpx.get(url, timeout=None), urllib.request.urlopen], ids=["requests", "httpx", "urllib"]
)
def test_a_client_without_a_timeout_would_hang_and_is_told_so(ask: Callable[[str], object]) -> None:
    with offline(tape.session(), faults=["sso-page:1:timeout"]) as replay:
        with pytest.raises(HangError, match="the client set no timeout"):
            ask(SSO_URL)
        with pytest.raises(MismatchError):
            replay.check()


def test_a_stream_breaks_off_in_the_middle() -> None:
    long = tape.exchange("GET", SSO_URL, got=tape.HTML, answer=b"x" * 100_000)
    with offline(tape.with_exchanges(tape.session(), long), faults=["sso-page:1:truncated"]):
        answer = requests.get(SSO_URL, stream=True)
        pieces = answer.iter_content(10_000)
        assert [len(next(pieces)) for _ in range(5)] == [10_000] * 5
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            next(pieces)


def test_a_fault_is_counted_by_replay_itself_too() -> None:
    with offline(tape.session(), faults=[Fault(endpoint="sso-page", kind="500")]) as replay:
        assert replay.answer(Request(method="GET", url=SSO_URL)).status == 500


def test_an_answer_too_late_is_still_there_for_who_tries_again_and_one_in_time_is_used_up() -> None:
    with offline(tape.session(), faults=["sso-page:1:late=9", "sso-page:2:late=0.001"]) as replay:
        with pytest.raises(requests.ReadTimeout):
            requests.get(SSO_URL, timeout=0.2)
        assert requests.get(SSO_URL, timeout=5).status_code == 200
        with pytest.raises(MismatchError, match="used up"):
            requests.get(SSO_URL, timeout=5)
        replay.forgive()
