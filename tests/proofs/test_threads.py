"""Eight threads on every stack, every one told that the way out is a canary: nothing arrives there, and no answer is wrong."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import tape
from stacks import AGENT, STACKS, opened

from replayer.session import offline
from tfx.cassette import Cassette
from tfx.codec import encoded
from tfx.exchange import Exchange, Headers, Request, Response, Terms

THREADS, REQUESTS = 8, 200
HEADERS = Headers([("Content-Type", "text/plain"), ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")])


@dataclass
class Canary:
    """A server standing for the internet: whatever connects is counted and hung up on."""

    server: socket.socket
    arrivals: list[object] = field(default_factory=list)

    def watch(self) -> None:
        while True:
            try:
                connection, address = self.server.accept()
            except OSError:
                return
            self.arrivals.append(address)
            connection.close()


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Canary(server=server)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, url)
        thread = threading.Thread(target=found.watch)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def cassette() -> Cassette:
    exchanges = [
        Exchange(
            request=Request(method="GET", url=f"https://source.tandemdiabetes.com/page/{number}", headers=Headers(AGENT.items())),
            response=Response(status=200, reason="OK", headers=HEADERS, body=encoded(HEADERS, page(number))),
            terms=Terms(repeat="last"),
        )
        for number in range(THREADS)
    ]
    return replace(tape.session(), exchanges=tuple(exchanges))


def page(number: int) -> bytes:
    return f"this is page {number}. ".encode() * 50


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_goes_out_and_nothing_is_mixed_up(canary: Canary, stack: str, tmp_path: Path) -> None:
    """Loopback is let through by this project's ini, so that a leak would arrive."""
    ca_file = tmp_path / "none.pem"
    ca_file.write_text("")
    proxy = f"http://127.0.0.1:{canary.server.getsockname()[1]}"
    wrong: list[object] = []
    right: list[int] = []

    def ask(first: int) -> None:
        with ExitStack() as until:
            client = opened(stack, proxy, str(ca_file), until)
            for turn in range(REQUESTS):
                number = (first + turn) % THREADS
                try:
                    found = client.ask("GET", f"https://source.tandemdiabetes.com/page/{number}", {})
                except Exception as error:  # noqa: BLE001  # whatever it is, it is no right answer
                    wrong.append(error)
                    return
                (right if found.body == page(number) else wrong).append(number)

    with offline(cassette()) as replay:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (wrong, len(right), canary.arrivals, replay.blocked) == ([], THREADS * REQUESTS, [], ())
