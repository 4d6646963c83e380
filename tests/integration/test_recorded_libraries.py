"""Each HTTP library against the stand-in: what can be recorded is, without its client noticing; every other connection is reported."""

import asyncio
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import httpx
import pytest
import requests
from stack_shape import Found
from stacks import opened

from recorder.libraries import tape_libraries
from recorder.tape import Tape
from recorder.taping import Tapes
from recorder.unrecorded import check, recorded
from simulator.account import account
from simulator.proxy import StandIn, running
from tandem.endpoints import BY_NAME
from tandem.regions import US
from tfx.codec import decoded
from tfx.errors import UsageError

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
KEYS = BY_NAME["jwks"].url(US)
LOGIN = BY_NAME["login"].url(US)
SENT = b'{"username": "nobody@example.invalid", "password": "wrong"}'


REBUILT = frozenset({"raw", "raw.geturl", "raw.retries"})
"""What requests' own client never looks at, and the tape does not rebuild."""
IDS = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""Each answer has ids of its own."""


def seen(found: Found) -> dict[str, str]:
    return {name: IDS.sub("ID", repr(value)) for name, value in found.properties.items() if name not in REBUILT}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with running(account(now=NOW, days=0.25), now=NOW) as one, pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment.items():
            patch.setenv(name, value)
        yield one


@contextmanager
def recording(tape: Tape, unfinished: Callable[[str], None] = pytest.fail) -> Iterator[Counter[str]]:
    unrecorded: Counter[str] = Counter()
    end = tape_libraries(tape, lambda library: unrecorded.update([library]), unfinished)
    try:
        yield unrecorded
    finally:
        end()


@pytest.mark.parametrize("library", ["requests", "urllib.request", "httpx", "httpx async"])
def test_a_library_is_recorded_and_its_client_sees_no_difference(library: str, stand_in: StandIn) -> None:
    tape = Tape()
    with ExitStack() as until:
        plain, client = (opened(library, stand_in.proxy_url, str(stand_in.ca_file), until) for _ in range(2))
        live = plain.ask("GET", KEYS, {})
        with recording(tape) as unrecorded:
            assert seen(client.ask("GET", KEYS, {})) == seen(live)
            client.ask("POST", LOGIN, {"Content-Type": "application/json"}, SENT)
        before = len(tape.exchanges)
        plain.ask("GET", KEYS, {})
    first, *_, last = tape.exchanges
    assert (first.request.method, first.request.url, first.response.status) == ("GET", KEYS, 200)
    assert decoded(first.response.headers, first.response.body) == live.body
    assert (last.request.method, last.request.url, last.request.body) == ("POST", LOGIN, SENT)
    assert first.request.headers.get("User-Agent") == "one"
    assert first.response.headers.get("Content-Length") == str(len(first.response.body))
    assert not unrecorded
    assert len(tape.exchanges) == before, "after its end nothing is recorded"


@pytest.mark.parametrize(("library", "name"), [("http.client", "http.client"), ("urllib3", "urllib3"), ("aiohttp", "aiohttp")])
def test_a_connection_of_any_other_library_is_reported_by_name(library: str, name: str, stand_in: StandIn) -> None:
    tape = Tape()
    with ExitStack() as until, recording(tape) as unrecorded:
        opened("requests", stand_in.proxy_url, str(stand_in.ca_file), until).ask("GET", KEYS, {})
        opened(library, stand_in.proxy_url, str(stand_in.ca_file), until).ask("GET", KEYS, {})
    assert set(unrecorded) == {name}
    with pytest.raises(UsageError, match=rf"cannot be recorded, through {name} \(\d\); .* nothing was written"):
        check(unrecorded)


PUMPER = BY_NAME["pumper"].url(US, pumperId="7d9f0c42")
PATIENCE = 0.02
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _urllib(proxy: str) -> None:
    build_opener(ProxyHandler({"https": proxy})).open(KEYS, timeout=PATIENCE)


def _requests(proxy: str) -> None:
    requests.get(PUMPER, proxies={"https": proxy}, timeout=PATIENCE)


def _httpx(proxy: str) -> None:
    with httpx.Client(proxy=proxy, verify=PLAIN) as client:
        client.post(LOGIN, content=SENT, timeout=PATIENCE)


async def _cancelled(proxy: str) -> None:
    async with httpx.AsyncClient(proxy=proxy, verify=PLAIN) as client:
        await asyncio.wait_for(client.get(PUMPER), PATIENCE)


def _httpx_async(proxy: str) -> None:
    asyncio.run(_cancelled(proxy))


def test_a_request_without_a_whole_answer_is_told() -> None:
    tape, unfinished = Tape(), list[str]()
    with socket.create_server(("127.0.0.1", 0)) as silent, recording(tape, unfinished.append) as unrecorded:
        for ask in (_urllib, _requests, _httpx, _httpx_async):
            with pytest.raises((OSError, httpx.TimeoutException)):
                ask(f"http://127.0.0.1:{silent.getsockname()[1]}")
    home = "GET /api/reports/bff/pumper/{pumperId}"
    assert unfinished == ["GET /accounts/api/.well-known/openid-configuration/jwks", home, "POST /accounts/api/login", home]
    assert not tape.exchanges
    assert not unrecorded


def test_an_answer_that_breaks_off_is_told(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: httpx.Response) -> Iterator[bytes]:
        yield b"{"
        raise httpx.ReadError("gone")

    unfinished: list[str] = []
    with ExitStack() as until, recording(tape := Tape(), unfinished.append):
        client = opened("httpx", stand_in.proxy_url, str(stand_in.ca_file), until)
        monkeypatch.setattr(httpx.Response, "iter_raw", broken)
        with pytest.raises(httpx.ReadError):
            client.ask("POST", LOGIN, {"Content-Type": "application/json"}, SENT)
    assert (unfinished, tape.exchanges) == (["POST /accounts/api/login"], ())


def test_marked_tests_say_what_got_no_whole_answer(stand_in: StandIn, tmp_path: Path) -> None:
    tapes = Tapes(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as until, tapes.recording(["cut"]):
        opened("httpx", stand_in.proxy_url, str(stand_in.ca_file), until).ask("GET", KEYS, {})
        with pytest.raises(httpx.TimeoutException):
            _httpx(f"http://127.0.0.1:{silent.getsockname()[1]}")
    lines, is_whole = tapes.finish()
    assert not is_whole
    assert lines[-1].startswith("1 request got no whole answer (timed out, cancelled or broken off), so the cassette lacks it: POST")
    assert (tmp_path / "cut.json").exists()


def test_marked_tests_that_mix_libraries_write_nothing(stand_in: StandIn, tmp_path: Path) -> None:
    tapes = Tapes(tmp_path)
    with ExitStack() as until:
        for library in ("httpx", "urllib3"):
            client = opened(library, stand_in.proxy_url, str(stand_in.ca_file), until)
            with tapes.recording(["mixed"]):
                client.ask("GET", KEYS, {})
    with pytest.raises(UsageError, match=r"through urllib3 \(\d\); .* nothing was written"):
        tapes.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_is_recorded_hides_no_other_thread(stand_in: StandIn) -> None:
    def other() -> None:
        with ExitStack() as until:
            opened("http.client", stand_in.proxy_url, str(stand_in.ca_file), until).ask("GET", KEYS, {})

    with recording(Tape()) as unrecorded, recorded():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert unrecorded == {"http.client": 1}
