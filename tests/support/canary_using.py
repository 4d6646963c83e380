"""Direct calls into replayer and simulator that end in an error, with a canary in their arguments. See canary_calls.py."""

import json
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import tape
from canary import NAME, PASSWORD, TOKEN, Bench
from canary_calls import NOW, Call, without
from canary_making import LOGS, OLD, PUMPER, SPAN
from canary_wire import event, raised
from leaks import exchange

from replayer import clock, plugin
from replayer.contents import summary as contents
from replayer.eras import convert as eras
from replayer.eras import endpoints as makers
from replayer.eras.recordings import One, tape_of
from replayer.matching import index as matching
from replayer.matching import keys
from replayer.matching.keys import question_of
from replayer.programs import program, seal
from replayer.pytest_plugin import run_guard
from replayer.replay import Replay
from replayer.session import offline
from replayer.windows import events
from replayer.windows.spans import Window
from simulator import demo
from simulator.account import account
from simulator.cli import instant
from simulator.service import Service
from simulator.session import captured_session
from tandem.eras import ERAS
from tandem.faults import Fault
from tfx.cassette import Cassette
from tfx.errors import NetworkBlockedError
from tfx.exchange import Exchange, Headers, Request

# --- replayer

ME = tape.session()


def cassette(*exchanges: Exchange, era: str = "2026-10") -> Cassette:
    return replace(tape.session(era), exchanges=exchanges)


def got(body: object, url: str = LOGS + SPAN) -> Exchange:
    return exchange(url, answer=json.dumps(body).encode())


def one(body: object, url: str = LOGS + SPAN) -> One:
    made = got(body, url)
    return One(number=1, exchange=made, question=question_of(made.request))


def asking(method: str, url: str, body: str = "", **headers: str) -> Call:
    """A request of somebody who has followed the recorded sign-in so far."""

    def ask(_: Bench) -> object:
        replay = Replay(ME)
        for made in ME.exchanges[: 4 if url == TOKENS else 7]:
            replay.answer(made.request)
        sent = Headers([("Content-Type", "application/x-www-form-urlencoded"), *headers.items()])
        return replay.answer(Request(method=method, url=url, headers=sent, body=body.encode()))

    return ask


TOKENS = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/token"


def signing_in(**changes: str) -> Call:
    return asking(
        "POST",
        TOKENS,
        "&".join(f"{name}={value}" for name, value in ({"grant_type": "authorization_code", "code": tape.CODE} | changes).items()),
    )


def too_early(_: Bench) -> object:
    made = ME.exchanges[4].request
    return Replay(ME).answer(replace(made, body=made.body.replace(b"code_verifier=", b"code_verifier=" + PASSWORD.encode())))


def replayed(act: Callable[[Replay], object], **how: object) -> Call:
    def play(_: Bench) -> object:
        replay = Replay(ME, **how)  # type: ignore[arg-type]  # as Replay takes them
        return act(replay)

    return play


def missed(times: int) -> Callable[[Replay], None]:
    def miss(replay: Replay) -> None:
        for _ in range(times):
            with suppress(Exception):  # an application that swallows it
                replay.answer(Request(method="GET", url=f"{PUMPER}/{NAME}?q={PASSWORD}", headers=Headers([("Authorization", TOKEN)])))
        replay.check()

    return miss


def blocked(_: Bench) -> object:
    with offline(ME):
        return socket.create_connection(("192.0.2.1", 443))


def not_startable(_: Bench) -> object:
    waiting = seal.network_of_its_own(["/nowhere/program"], sealed=False)
    with waiting as found:
        return found.run({"TFX_PASSWORD": PASSWORD})


def no_network(bench: Bench) -> object:
    with bench.patch.context() as patch:
        patch.setattr(seal, "HELPER", Path(bench.folder / "nowhere"))
        patch.setattr("replayer.programs.seal.subprocess.Popen", quietly)
        with seal.network_of_its_own(["true"]) as found:
            return found


POPEN = subprocess.Popen


def quietly(*arguments: object, **more: object) -> object:
    return POPEN(*arguments, **(more | {"stderr": subprocess.DEVNULL}))  # type: ignore[call-overload]  # handed on as it came


def without_a_code(_: Bench) -> object:
    made = {"events": [event(eventCode=NAME, pumpDateTime="2024-07-01T10:00:00")], "clockChanges": []}
    return eras.as_era(cassette(*ME.exchanges[:-2], got(made, tape.logs_url("2024-07-01", "2024-07-02"))), "2025")


def two_reached_out(_: Bench) -> None:
    with offline(ME) as replay:
        for _number in range(2):
            with suppress(NetworkBlockedError):
                socket.create_connection((f"{NAME}.example.org", 443))
    replay.check()


def a_test_that_swallowed(bench: Bench) -> object:
    """What pytest runs around a test of a project that blocks its network."""
    item = SimpleNamespace(config=SimpleNamespace(stash={run_guard._GUARD: True}), stash={}, iter_markers=lambda **_: ())
    with bench.patch.context() as patch:
        patch.setattr(plugin, "wanted", lambda _: ())
        around = plugin.pytest_runtest_call(cast("pytest.Item", item))
        next(around)
        with offline(ME), suppress(NetworkBlockedError):
            socket.create_connection((f"{NAME}.example.org", 443))
        with pytest.raises(pytest.fail.Exception) as failed:
            next(around)
        raise NetworkBlockedError(str(failed.value))


def some_codes(_: Bench) -> object:
    made = exchange(LOGS + SPAN + "&eventCodes=229", answer=json.dumps({"events": [], "clockChanges": []}).encode())
    return eras.as_era(cassette(*ME.exchanges[:-2], made), "2026-07")


REPLAYER: tuple[Call, ...] = (
    without("time_machine", lambda _: clock.start(NOW)),
    lambda _: contents.contents(cassette(got({"events": NAME}))),
    lambda _: contents.contents(cassette(got(PASSWORD, OLD), era="2025")),
    lambda _: eras.as_era(ME, "1984"),
    some_codes,
    lambda _: eras.as_era(cassette(got({"pumps": NAME}, PUMPER)), "2025"),
    lambda _: eras.as_era(
        cassette(got({"pumps": [{"lastUploadDate": NAME, "settings": {"details": {"profiles": {"profile": NAME}}}}]}, PUMPER)), "2025"
    ),
    lambda _: makers._recorded(one([NAME]), cast("Window", None)),
    lambda _: makers._read(one(NAME, OLD)),
    without_a_code,
    two_reached_out,
    a_test_that_swallowed,
    lambda _: recordings_answer(),
    lambda _: tape_of(cassette(got({"pumps": [NAME]}, PUMPER)), ERAS["2026-10"], ERAS["2025"]),
    lambda _: events.lane(json.dumps({"events": NAME}).encode(), "#1"),
    lambda _: events.lane(b'{"events":[{"pumpDateTime":"' + NAME.encode(), "#1"),
    lambda _: events.legacy_lane(PASSWORD.encode(), "#1"),
    lambda _: keys.checked_ignore((NAME,), 1),
    lambda _: matching.made(exchange(PUMPER, got=(("Content-Encoding", "gzip"),), answer=PASSWORD.encode()), 1),
    lambda _: matching.Index(replace(ME, era="1984")),
    too_early,
    signing_in(code=TOKEN),
    signing_in(code_verifier=PASSWORD),
    asking("GET", f"{PUMPER}/{NAME}?q={PASSWORD}", Authorization=TOKEN, Cookie=PASSWORD),
    asking("GET", f"{tape.logs_url('1999-01-01', '1999-01-02')}", **dict(tape.data_headers("us"))),
    replayed(missed(1)),
    replayed(missed(2)),
    replayed(lambda replay: raised(replay._hang())),
    replayed(lambda replay: replay.check(), faults=("pumper:1:500",)),
    replayed(lambda replay: replay.check(all_used=True)),
    blocked,
    not_startable,
    no_network,
    lambda _: program.command(["nowhere"]),
    lambda b: program.command([unstartable(b)]),
    lambda b: program.command([unreadable(b)]),
    lambda _: program.command(["python", "-I", PASSWORD]),
)


def recordings_answer() -> object:
    made = exchange(PUMPER, answer=f'{{"{NAME}": {PASSWORD}'.encode())
    return One(number=1, exchange=made, question=question_of(made.request)).answer()


def unstartable(bench: Bench) -> str:
    return str(bench.folder / "work" / bench.plant("words.txt", PASSWORD))


def unreadable(bench: Bench) -> str:
    def closed(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    bench.patch.setattr("replayer.programs.program._is_source", closed)
    return str(bench.folder / "work" / bench.plant("program.py", PASSWORD))


# --- simulator


TFX = demo._tfx


def failing_step(*_: object, **__: object) -> object:
    return TFX("sanitize", "--check", "nowhere.json", environment={"TFX_PASSWORD": PASSWORD})


def no_client(bench: Bench) -> object:
    with bench.patch.context() as patch:
        patch.setattr(demo, "_tfx", failing_step)
        return demo._replay(Path(), "us", ME)


def failing_sign_in(_: Bench) -> object:
    person = account(identity=77, now=NOW, days=0.25)
    return captured_session(person, now=NOW, faults=[Fault.parse("token:1+:500")])


SIMULATOR: tuple[Call, ...] = (
    lambda _: account(identity=77, now=NOW, days=-1),
    lambda _: account(identity=77, now=NOW, region="mars"),
    lambda _: instant("yesterday"),
    failing_step,
    no_client,
    lambda _: Service(account(identity=77, now=NOW, days=0.25), now=NOW, era="1984"),
    lambda _: Service(account(identity=77, now=NOW, days=0.25), now=NOW, region="mars"),
    failing_sign_in,
)
