"""Each HTTP library against the stand-in: what can be recorded is, without its client noticing; every other connection is reported."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
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
def recording(tape: Tape) -> Iterator[Counter[str]]:
    unrecorded: Counter[str] = Counter()
    end = tape_libraries(tape, lambda library: unrecorded.update([library]))
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
