"""Faults met live and on replay: the stand-in fails over real TLS, the cassette without a socket; no stack may tell them apart."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import tape
from impatient import KINDS, STACKS, met, table

from replayer.session import offline
from simulator.account import account
from simulator.proxy import running
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Terms

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def again(cassette: Cassette, number: int = 0) -> Cassette:
    """One exchange of it, as often as it is asked for."""
    one = cassette.exchanges[number]
    return replace(cassette, exchanges=(Exchange(request=one.request, response=one.response, terms=Terms(repeat="last")),))


@pytest.mark.loopback
def test_every_fault_is_met_on_replay_as_live(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [fault for stack in range(len(STACKS)) for fault in table(stack)]
    with running(account(now=NOW, days=0.25), now=NOW, faults=faults, pause=0.001) as stand_in, monkeypatch.context() as patched:
        for name, value in stand_in.environment.items():
            patched.setenv(name, value)
        live = {name: dict(zip(KINDS, [met(ask) for _ in KINDS], strict=True)) for name, ask in STACKS.items()}
    replayed = {}
    for name, ask in STACKS.items():
        with offline(again(tape.session()), faults=table(0)) as replay:
            replayed[name] = dict(zip(KINDS, [met(ask) for _ in KINDS], strict=True))
            replay.check()
    with resetting() as url:
        resets = {name: met(ask, url) for name, ask in STACKS.items()}
    for name in STACKS:
        # Inside a proxy's tunnel a reset looks now like this and now like that; without one it is plain.
        assert replayed[name] == live[name] | {"reset": resets[name]}, name


@contextmanager
def resetting() -> Iterator[str]:
    """A server that resets every connection once it was asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in STACKS:
                connection = server.accept()[0]
                connection.recv(65536)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()
