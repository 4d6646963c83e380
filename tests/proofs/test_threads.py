"""Eight threads on every stack, in the process and through the proxy: nothing arrives at a canary, and no answer is wrong."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import tape
from stack_shape import AGENT
from stacks import STACKS, opened

from replayer.programs.served import served
from replayer.replay import Replay
from replayer.session import offline
from tfx import store
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.getsockname()[1]}"

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
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, found.url)
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


def asked_by_all(clients: Sequence[tuple[str, str, str]]) -> tuple[list[object], int]:
    """What was wrong, and how many answers were right, when each of these clients asks in a thread of its own."""
    wrong: list[object] = []
    right: list[int] = []

    def ask(first: int, client: tuple[str, str, str]) -> None:
        with ExitStack() as until:
            stack = opened(*client, until)
            for turn in range(REQUESTS):
                number = (first + turn) % THREADS
                try:
                    found = stack.ask("GET", f"https://source.tandemdiabetes.com/page/{number}", {})
                except Exception as error:  # noqa: BLE001  # whatever it is, it is no right answer
                    wrong.append((client[0], error))
                    return
                (right if found.body == page(number) else wrong).append(number)

    threads = [threading.Thread(target=ask, args=given) for given in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong, len(right)


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_goes_out_and_nothing_is_mixed_up(canary: Canary, stack: str, tmp_path: Path) -> None:
    """Loopback is let through by this project's ini, so that a leak would arrive."""
    ca_file = tmp_path / "none.pem"
    ca_file.write_text("")
    with offline(cassette()) as replay:
        wrong, right = asked_by_all([(stack, canary.url, str(ca_file))] * THREADS)
    assert (wrong, right, canary.arrivals, replay.blocked) == ([], THREADS * REQUESTS, [], ())


def test_nor_through_the_proxy(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stack at once through `--serve`, while others ask that proxy for the canary itself."""
    replay = Replay(cassette())
    with served(replay) as loopback:
        for name, value in loopback.environment.items():
            monkeypatch.setenv(name, value)
        stop, refused = threading.Event(), list[int]()
        astray = threading.Thread(target=ask_for, args=(canary, loopback.proxy_url, stop, refused))
        astray.start()
        stacks = [list(STACKS)[number % len(STACKS)] for number in range(THREADS)]
        wrong, right = asked_by_all([(stack, loopback.proxy_url, str(loopback.ca_file)) for stack in stacks])
        stop.set()
        astray.join()
    assert (wrong, right, canary.arrivals, replay.misses) == ([], THREADS * REQUESTS, [], [])
    assert refused
    assert len(loopback.ledger.refused) == len(refused)


def ask_for(canary: Canary, proxy: str, stop: threading.Event, refused: list[int]) -> None:
    """Ask the proxy for a way to the canary until told to stop; what it says to that."""
    _, host, port = proxy.replace("//", "").split(":")
    while not stop.wait(0.02):
        with socket.create_connection((host, int(port)), timeout=5) as way:
            way.sendall(f"CONNECT {canary.url.removeprefix('http://')} HTTP/1.1\r\n\r\n".encode())
            refused.append(int(way.recv(64).split()[1]))


COLD = """
import threading, sys, urllib.request
from collections import Counter
import requests
URL, found, start = "https://sso.tandemdiabetes.com/", Counter(), threading.Barrier(16)
def one():
    if sys.argv[1] == "urllib":
        return urllib.request.urlopen(URL).status
    return requests.get(URL).status_code
def ask():
    start.wait()
    try:
        found[str(one())] += 1
    except Exception as error:
        found[type(error).__name__] += 1
threads = [threading.Thread(target=ask) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sorted(found.items()))
"""


@pytest.mark.parametrize(
    ("stack", "options", "expected"),
    [
        ("requests", (), [("200", 1), ("MismatchError", 15)]),
        ("urllib", (), [("200", 1), ("MismatchError", 15)]),
        ("requests", ("--fault", "sso-page:1:503"), [("200", 1), ("503", 1), ("MismatchError", 14)]),
        ("requests", ("--serve",), [("200", 1), ("501", 15)]),
        ("requests", ("--serve", "--fault", "sso-page:1:503"), [("200", 1), ("501", 14), ("503", 1)]),
    ],
)
def test_a_program_whose_first_requests_come_from_many_threads_gets_each_answer_once(
    tmp_path: Path, stack: str, options: tuple[str, ...], expected: list[tuple[str, int]]
) -> None:
    (tmp_path / "cold.py").write_text(COLD)
    command = [sys.executable, "-m", "tfx", "replay", str(store.save(tape.session(), tmp_path)), *options, "--"]
    command += [*([sys.executable] if "--serve" in options else []), str(tmp_path / "cold.py"), stack]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, f"{expected}\n"), done.stderr
