"""The committed cassettes: each answers what was recorded, in order, and nothing on it is out of reach."""

from pathlib import Path

import pytest
import requests

from replayer.session import Replay, offline
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
