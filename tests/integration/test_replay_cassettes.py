"""The committed cassettes: each answers what was recorded, in order, and nothing on it is out of reach."""

import json
from datetime import date
from pathlib import Path

import pytest
import requests

from replayer.matching.keys import question_of
from replayer.replay import Replay
from replayer.session import offline
from tandem.client import TandemSource
from tandem.eras import ERAS
from tandem.records import Records
from tandem.regions import REGIONS
from tandem.windows import Window
from tfx import store
from tfx.codec import decoded

CASSETTES = sorted((Path(__file__).parents[2] / "cassettes").glob("*.json"))


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_a_cassette_answers_its_own_requests_byte_for_byte(path: Path) -> None:
    cassette = store.load(path)
    replay = Replay(cassette, strict_windows=True)
    for exchange in cassette.exchanges:
        assert replay.answer(exchange.request) == exchange.response
    replay.check(all_used=True)


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_requests_sees_the_recorded_session(path: Path) -> None:
    cassette = store.load(path)
    with offline(path) as replay:
        session = requests.Session()
        for exchange in cassette.exchanges:
            headers = {name: value for name, value in exchange.request.headers if name.lower() != "content-length"}
            asked = requests.Request(exchange.request.method, exchange.request.url, headers=headers, data=exchange.request.body).prepare()
            got = session.send(asked, allow_redirects=False)
            assert (got.status_code, got.reason) == (exchange.response.status, exchange.response.reason)
            assert got.content == decoded(exchange.response.headers, exchange.response.body)
    replay.check(all_used=True)


def test_the_real_client_keeps_no_tokens_while_a_cassette_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CACHE_CREDENTIALS", raising=False)
    tandemsource = pytest.importorskip("tconnectsync.api.tandemsource")
    monkeypatch.setattr(tandemsource, "CACHE_CREDENTIALS", True)  # its default, whoever imported it first
    monkeypatch.setattr(tandemsource, "CACHE_CREDENTIALS_PATH", str(tmp_path / "tokens"))
    for _ in range(2):
        with offline(next(path for path in CASSETTES if path.stem == "session-us")) as replay:
            tandemsource.TandemSourceApi("anyone@example.invalid", "any password", "US")
        assert [replay.label(number).partition(" ")[0] for number in replay.used[:2]] == ["GET", "POST"], "it signed in"
        assert not list(tmp_path.iterdir())
    assert tandemsource.CACHE_CREDENTIALS, "given back afterwards"


@pytest.mark.cassette("session-us", as_era="2025")
def test_our_own_client_of_2025_reads_a_recording_of_2026(cassette: Replay) -> None:
    recorded = store.load(next(path for path in CASSETTES if path.stem == "session-us"))
    last = question_of(recorded.exchanges[-1].request)
    first, end = (date.fromisoformat(last.values(name)[0][:10]) for name in ("startDate", "endDate"))
    client = TandemSource(requests.Session(), region=REGIONS["us"], era=ERAS["2025"], clock=lambda: recorded.clock)
    client.log_in("anyone@example.invalid", "any password")
    pumps = client.pump_event_metadata()
    newest = max(pumps, key=lambda pump: str(pump["maxDateWithEvents"]))
    found = Records.from_body(client.pump_events(str(newest["tconnectDeviceId"]), Window(since=first, until=end)))
    answer = json.loads(decoded(recorded.exchanges[-1].response.headers, recorded.exchanges[-1].response.body))
    numbers = [event["sequenceNumber"] for event in (*answer["events"], *answer["clockChanges"])]
    assert found.sequence.tolist() == sorted(numbers)
    assert cassette.cassette.era == "2025"
