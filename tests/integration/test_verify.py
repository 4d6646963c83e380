"""`tfx verify` against the stand-in over real HTTPS: simulated, and as somebody with an account of his own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sampling import sampled

from simulator.account import account
from simulator.proxy import running
from tandem.faults import Fault
from tfx.cli import run

CASSETTES = Path(__file__).parents[2] / "cassettes"


@pytest.mark.parametrize(
    ("name", "options"),
    sampled(
        ("session-eu", ["--seed", "8", "--history", "1"]),
        rest=[("session-us", ["--seed", "7"]), ("session-2025", ["--seed", "9", "--fault", "pump-events:1:drip"])],
    ),
)
def test_another_person_is_no_drift(name: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CASSETTES / f"{name}.json"), "--simulated", *options]) == 0
    assert capsys.readouterr() == ("", "tfx: no drift\n")


def test_another_era_is_drift(capsys: pytest.CaptureFixture[str]) -> None:
    old = str(CASSETTES / "session-2025.json")
    assert run(["verify", old, "--simulated", "--era", "2026-10", "--history", "1"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "changed: the service era (2025 before, 2026-10 now)"
    assert "added: GET source.tandemdiabetes.com/api/reports/bff/pump-logs/{assignmentId} the request itself" in out
    assert err == "tfx: 5 differences\n"
    assert run(["verify", str(CASSETTES / "session-us.json"), "--simulated", "--era", "2026-07", "--history", "1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"kind": "changed", "where": "the service", "what": "era", "detail": "2026-10 before, 2026-07 now"}
    ]


def test_a_live_account_is_verified_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = account(now=datetime.now(UTC), days=0.25)
    command = ["verify", str(CASSETTES / "session-us.json")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TFX_EMAIL", person.email)
    monkeypatch.setenv("TFX_PASSWORD", person.password)
    faults = [Fault.parse("login:2:403-waf")]
    with running(person, now=lambda: datetime.now(UTC), faults=faults) as stand_in:
        for name, value in stand_in.environment.items():
            monkeypatch.setenv(name, value)
        assert run(command) == 0
        assert capsys.readouterr() == ("", "tfx: no drift\n")
        assert run(command) == 3
        assert capsys.readouterr().err.startswith("tfx: the firewall in front of Tandem Source blocked the login")
        monkeypatch.setenv("TFX_PASSWORD", "wrong&password")
        assert run(command) == 3
        assert "refused the e-mail address or the password" in capsys.readouterr().err
    assert list(tmp_path.rglob("*")) == []
