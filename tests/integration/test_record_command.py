"""`tfx record` against the stand-in over real TLS: what it says and writes, what it resumes, and what is left of it when it is killed."""

import errno
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from sampling import sampled

from recorder.checkpoint import Checkpoint, Errand, path_of
from recorder.credentials import Credentials
from recorder.session import is_had
from simulator.account import Account, account
from simulator.proxy import StandIn, running
from tandem.faults import Fault
from tfx import store
from tfx.cli import run

LOGIN = ["sso-page", "login", "authorize", "callback-us", "token", "discovery", "jwks"]


@pytest.fixture(scope="module")
def person() -> Account:
    return account(now=datetime(2026, 11, 18, 20, 30, tzinfo=UTC), days=0.25)


@pytest.fixture
def live(person: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """The environment of somebody who records for real, led to the stand-in."""
    with running(person, now=lambda: datetime.now(UTC)) as stand_in:
        for name, value in environment(stand_in, person, tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield stand_in


def environment(stand_in: StandIn, person: Account, folder: Path) -> Mapping[str, str]:
    return {
        **stand_in.environment,
        "TFX_EMAIL": person.email,
        "TFX_PASSWORD": person.password,
        "XDG_STATE_HOME": str(folder / "state"),
    }


SPAN = ["--since", "2026-11-12", "--until", "2026-11-18"]


def test_the_command_writes_a_cassette_and_leaves_nothing_else(live: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["record", "week", *SPAN]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("cassettes/week.json: 10 exchanges, ")
    assert err == ""
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["week.json"]
    text = (tmp_path / "cassettes" / "week.json").read_text("utf-8") + out
    assert [one.kind for one in live.secrets() if len(one.value) > 3 and one.value in text] == []


def test_a_failed_recording_is_resumed_without_asking_again(
    live: StandIn, person: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = ["record", "long", "--since", "2026-09-01", "--until", "2026-11-18"]
    faults = [Fault.parse("pump-logs:3+:403-waf")]
    with running(person, now=lambda: datetime.now(UTC), faults=faults) as failing:
        for name, value in failing.environment.items():
            monkeypatch.setenv(name, value)
        assert run(long) == 3
    err = capsys.readouterr().err
    assert err.startswith("tfx: the firewall in front of Tandem Source blocked pump-logs; wait some minutes")
    assert err.endswith("What was fetched is kept, encrypted; continue with: tfx record long --resume.\n")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [path_of("long", Path("cassettes"))]
    assert [one.kind for one in failing.secrets() if len(one.value) > 3 and one.value.encode() in files[0].read_bytes()] == []
    for name, value in live.environment.items():
        monkeypatch.setenv(name, value)
    assert run([*long, "--resume", "--days", "3"]) == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run([*long, "--region", "eu", "--resume"]) == 2
    assert "is of something else (region us, not eu)" in capsys.readouterr().err
    no_room = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as full:
        full.setattr(store, "write_whole", Mock(side_effect=no_room))
        assert run(["record", "long", "--resume"]) == 2
    err = capsys.readouterr().err
    assert "cannot be written: No space left on device; name another folder, or make room there. What was fetched is kept" in err
    assert run(["record", "long", "--resume", "--cassettes", "elsewhere"]) == 0
    assert (tmp_path / "elsewhere" / "long.json").exists()
    assert [name for _, name, _ in live.requests] == [*LOGIN, "pump-logs", *LOGIN]
    assert not files[0].exists()


def test_a_refused_sign_in_leaves_nothing(
    live: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TFX_PASSWORD", "wrong&password")
    assert run(["record", "week"]) == 3
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert run(["record", "week", "--resume"]) == 2
    err = capsys.readouterr().err
    assert "there is no unfinished recording of this cassette to resume; record without --resume" in err
    assert "wrong&password" not in err


def test_no_network_is_one_paragraph(
    person: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as closed:  # bound and never listening: nobody else can take the port meanwhile
        closed.bind(("127.0.0.1", 0))
        for name, value in {"HTTPS_PROXY": f"http://127.0.0.1:{closed.getsockname()[1]}", "https_proxy": "", "NO_PROXY": ""}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("https_proxy")
        monkeypatch.setenv("TFX_EMAIL", person.email)
        monkeypatch.setenv("TFX_PASSWORD", person.password)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.setattr("tandem.asking.PATIENCE", 1)
        assert run(["record", "week", "--cassettes", str(tmp_path)]) == 3
    assert capsys.readouterr().err == (
        "tfx: sso.tandemdiabetes.com did not answer the sign-in page: the proxy cannot be reached; "
        "check the network and HTTPS_PROXY, then try again.\n"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["record", "../x"], "x"),
        (["record", "x", "--simulated", "--resume"], "leave --resume and --credentials out"),
        (["record", "x", "--fault", "login:1:500"], "--fault, --now and --history belong to the stand-in"),
        (["record", "x", "--days", "3", "--", "app.py"], "--report, --suggest, --leave-out-refused and --json go with -- PROGRAM"),
        (["record", "x", "--simulated", "--report", "cassettes/x.json"], "would replace cassettes/x.json, which this command"),
        (["record", "x", "--simulated", "--suggest", "r.md", "--report", "./r.md"], "the report r.md would replace r.md"),
        (["record", "x", "--simulated", "--suggest", "cassettes/x.json"], "the rules cassettes/x.json would replace"),
        (["record", "x", "--report", "r.txt"], "the report r.txt would be of no form tfx writes"),
        (["record", "x", "--", "ls"], "is not a Python program"),
        (["record", "x", "--simulated", "--since", "2027-01-01"], "would end (2026-11-18) before it begins (2027-01-01)"),
        (["record", "x", "--since", "yesterday"], "'yesterday' is not a date, such as 2026-03-01"),
        (["record", "x", "--simulated", "--fault", "nonsense"], "cannot read the fault"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("era", sampled(("2025",), rest=[("2026-10",)]))
def test_the_stand_in_recorded_twice_gives_the_same_bytes(
    era: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["record", "week", "--simulated", "--since", "2026-11-18", "--era", era, "--json", "--fault", "jwks:9:500"]
    assert run(command) == 0
    first = (tmp_path / "cassettes" / "week.json").read_bytes()
    assert run(command) == 0
    assert (tmp_path / "cassettes" / "week.json").read_bytes() == first
    out, err = capsys.readouterr()
    reports = out.splitlines()
    assert reports[0] == reports[1]
    assert reports[0].startswith('{"cassette": "cassettes/week.json", "region": "us", "era": "')
    never = "the fault jwks:9:500 was never met: the stand-in got fewer requests; remove the fault, or let the client ask more often"
    assert err == f"tfx: {never}.\n" * 2


def test_a_program_is_recorded_with_its_urllib_and_its_exit_code(live: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(APP)
    assert run(["record", "app", "--", "app.py", "one"]) == 5
    out, err = capfd.readouterr()
    assert out.startswith("keys 1 ['app.py', 'one']\ncassettes/app.json: 8 exchanges, 0 pump events (us, era 2026-10).")
    assert err == "tfx: the program ended with exit code 5; what it fetched is on the cassette.\n"
    assert [name for _, name, _ in live.requests] == [name for name in LOGIN if name != "discovery"] + ["pumper", "jwks"]


APP = """
import os, sys
from datetime import UTC, datetime
import jwt, requests
from tandem.client import TandemSource
from tandem.eras import ERAS
from tandem.regions import US

with requests.Session() as session:
    source = TandemSource(session, region=US, era=ERAS["2026-10"], clock=lambda: datetime.now(UTC))
    source.log_in(os.environ["TFX_EMAIL"], os.environ["TFX_PASSWORD"])
    source.pumper()
keys = jwt.PyJWKClient(US.issuer + "/.well-known/openid-configuration/jwks").get_jwk_set().keys
print("keys", len(keys), sys.argv, flush=True)
sys.exit(5)
"""


LONG = ["--since", "2024-01-01", "--until", "2026-11-18"]
WINDOWS = 38
KILLS = 2


@pytest.mark.proofs
@pytest.mark.slow
def test_killed_at_any_moment_it_loses_one_exchange_at_most(person: Account, tmp_path: Path) -> None:
    """kill -9 of a real recording at random moments, then resume until it is done: nothing in plain, the old cassette untouched."""
    moments = random.Random(20261118)
    cassettes = tmp_path / "cassettes"
    cassettes.mkdir()
    old = cassettes / "long.json"
    old.write_bytes(b"the old cassette")
    drip = [Fault.parse("pump-logs:1+:drip")]
    with running(person, now=lambda: datetime.now(UTC), faults=drip, pause=0.002) as stand_in:
        around = {**os.environ, **environment(stand_in, person, tmp_path)}
        command = [sys.executable, "-m", "tfx", "record", "long", *LONG, "--cassettes", str(cassettes)]
        asked = 0
        for kill in range(KILLS):
            child = subprocess.Popen([*command, *(["--resume"] if kill else [])], env=around, stdout=subprocess.DEVNULL)
            wait_for(stand_in, asked + moments.randrange(3, 14), child)
            time.sleep(moments.random() * 0.04)
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
            asked = len(stand_in.requests)
            assert old.read_bytes() == b"the old cassette"
            assert_nothing_plain(stand_in, tmp_path)
            # What the server had answered before the kill is kept, but for the one exchange under way.
            answered = sum(name == "pump-logs" for _, name, _ in stand_in.requests)
            assert kept(tmp_path, person) >= answered - 1 - kill
        done = subprocess.run([*command, "--resume"], env=around, capture_output=True, text=True, check=True)
        assert "pump events" in done.stdout
        fetched = sum(name == "pump-logs" for _, name, _ in stand_in.requests)
        assert WINDOWS <= fetched <= WINDOWS + KILLS  # one more for each kill at most
        assert_nothing_plain(stand_in, tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["long.json"]


def wait_for(stand_in: StandIn, requests: int, child: "subprocess.Popen[bytes]") -> None:
    """Until the stand-in has answered so many requests."""
    end = time.monotonic() + 20
    while len(stand_in.requests) < requests:
        assert time.monotonic() < end
        assert child.poll() is None
        time.sleep(0.005)


def kept(folder: Path, person: Account) -> int:
    """How many windows the unfinished recording holds."""
    (path,) = (folder / "state" / "tfx").iterdir()
    since, until = (date.fromisoformat(LONG[place]) for place in (1, 3))
    errand = Errand(region="us", era="2026-10", since=since, until=until)
    credentials = Credentials(email=person.email, password=person.password)
    copy = folder / "copy"
    copy.write_bytes(path.read_bytes())
    checkpoint, _, exchanges = Checkpoint.resume(copy, credentials, lambda _: errand, datetime.now(UTC))
    checkpoint.discard()
    return sum(is_had(one) and "pump-logs" in one.request.url for one in exchanges)


def assert_nothing_plain(stand_in: StandIn, folder: Path) -> None:
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert [one.kind for one in stand_in.secrets() if len(one.value) > 5 and one.value.encode() in data] == []


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    around = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "tfx", "record", "x", "--simulated", "--days", "90", "--cassettes", str(tmp_path / "cassettes")]
    with subprocess.Popen(command, env=around, stderr=subprocess.PIPE, text=True) as child:
        end = time.monotonic() + 20
        # The folder of the stand-in's certificate; before, Python tries the place with a file of its own.
        while not any(path.is_dir() for path in (tmp_path / "temporary").iterdir()):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.terminate()
        _, err = child.communicate()
    assert (child.returncode, err.strip()) == (143, "tfx: ended by SIGTERM; nothing was left half written.")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
