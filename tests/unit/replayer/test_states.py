"""Named states: which of several answers to one question is given depends on what was answered before, and says so in the file."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import tape

import tfx
from replayer.replay import Replay
from tfx import store
from tfx.cassette import Cassette
from tfx.errors import CassetteError, MismatchError
from tfx.exchange import Exchange, Repeat, Request, State, Terms

URL = "https://sso.tandemdiabetes.com/"


def told(words: str, url: str = URL, *, when: State = "", then: State = "", repeat: Repeat = "once") -> Exchange:
    one = tape.exchange("GET", url, got=tape.HTML, answer=words.encode())
    return Exchange(request=one.request, response=one.response, terms=Terms(when=when, then=then, repeat=repeat))


def cassette(*exchanges: Exchange) -> Cassette:
    return tape.with_exchanges(tape.session(), *exchanges)


def heard(replay: Replay, *urls: str) -> str:
    return " ".join(replay.answer(Request(method="GET", url=url)).body.decode() for url in urls)


FLOW = cassette(
    told("limited", then="limited"),
    told("again", when="limited", repeat="last"),
    told("expired", f"{URL}data", when="start", repeat="last"),
    told("login", f"{URL}login", then="signed-in", repeat="last"),
    told("data", f"{URL}data", when="signed-in", repeat="last"),
    told("logout", f"{URL}logout", then="start"),
)


def test_an_answer_leads_to_the_state_in_which_another_answers() -> None:
    assert heard(Replay(FLOW), URL, URL, URL) == "limited again again"
    data, login = f"{URL}data", f"{URL}login"
    assert heard(Replay(FLOW), data, data, login, data, data, f"{URL}logout", data) == "expired expired login data data logout expired"


def test_what_answers_in_any_state_comes_after_what_answers_in_this() -> None:
    either = cassette(told("any", repeat="last"), told("begun", when="start"))
    assert heard(Replay(either), URL, URL, URL) == "begun any any"


def test_outside_its_state_an_exchange_answers_nothing_and_no_window_is_cut_from_it() -> None:
    session = tape.session()
    windows = [Exchange(request=one.request, response=one.response, terms=Terms(when="signed-in")) for one in session.exchanges[8:]]
    replay = Replay(cassette(*windows))
    for first, last in (tape.WINDOWS[0], ("2024-07-02", "2024-07-03")):
        with pytest.raises(MismatchError):
            replay.answer(replace(windows[0].request, url=tape.logs_url(first, last)))


def test_states_stand_in_the_file_and_only_those_there_are(tmp_path: Path) -> None:
    path = store.save(FLOW, tmp_path)
    assert store.load(path) == FLOW
    written = json.loads(path.read_text("utf-8"))
    assert written["exchanges"][1]["replay"] == {"repeat": "last", "ignore": [], "when": "limited"}
    schema = json.loads((Path(tfx.__file__).parent / "cassette.schema.json").read_text("utf-8"))
    jsonschema.validate(written, schema)
    # A name of somebody's own could be a person's.
    for name, value in (("when", "marisol"), ("then", "marisol"), ("note", "limited")):
        written["exchanges"][1]["replay"] = {"repeat": "last", "ignore": [], name: value}
        with pytest.raises(CassetteError):
            store.loads(json.dumps(written).encode(), "x.json", edited=True)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(written, schema)
