"""A recording with synthetic values is a recording like any other: the real client, the replay and the pipeline read it."""

from pathlib import Path

import pytest

from replayer.session import offline
from tfx import cli
from tfx.store import load


@pytest.mark.proofs  # slow; its parts have cheaper tests
def test_everybody_reads_a_synthetic_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["record", "week", "--simulated", "--days", "1", "--values", "synthetic"]) == 0
    assert "The amounts of glucose, insulin and carbohydrate are invented" in capsys.readouterr().out
    recorded = tmp_path / "cassettes" / "week.json"
    cassette = load(recorded)
    assert cassette.values == "synthetic"

    monkeypatch.setenv("CACHE_CREDENTIALS", "false")  # read at import
    from tconnectsync.api.tandemsource import TandemSourceApi

    day = cassette.clock.date().isoformat()
    with offline(recorded):
        source = TandemSourceApi("anyone@example.invalid", "any password", "US")
        newest = max(source.get_pumper()["pumps"], key=lambda pump: pump["maxDateOfEvents"] or "")
        events = list(source.pump_events(newest["assignmentId"], day, day))
    readings = [event.currentGlucoseDisplayValue for event in events if type(event).__name__ == "LidCgmDataG7"]
    assert len(readings) > 50
    assert min(filter(None, readings)) >= 40

    assert cli.run(["pipeline", "run", "--cassette", str(recorded)]) == 0
    assert "glucose" in capsys.readouterr().out
    assert cli.run(["sanitize", "--check", str(recorded)]) == 0
