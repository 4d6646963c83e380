"""The laws of the sanitizer, over whole sessions with the stand-in."""

# one row of a table is one line, however wide

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any  # parsed JSON is asked by place here, and a wrong place fails the test
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import pytest

from sanitizer.check import looked_at
from sanitizer.scrub import Scrubbed, again, scrub
from tandem.endpoints import locate
from tandem.records import Records
from tfx.capture import Capture
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.exchange import Exchange
from tfx.signing import at_hash, s256
from tfx.store import dumps, loads

Session = Callable[..., Capture]
Done = Callable[..., Scrubbed]

WORLDS = [(era, region) for era in ("2025", "2026-07", "2026-10") for region in ("us", "eu")]


def named(cassette: Cassette | Capture, name: str) -> list[Exchange]:
    found = [(locate(one.request.method, one.request.url), one) for one in cassette.exchanges]
    return [one for place, one in found if place and place.endpoint.name == name]


def answer(exchange: Exchange) -> Any:
    return json.loads(decoded(exchange.response.headers, exchange.response.body))


@pytest.mark.parametrize(
    ("era", "region", "identity", "weeks"),
    [("2025", "us", 17, -40), ("2026-07", "eu", 5, 9), ("2026-10", "us", 2, 0)],  # every world and many people: tests/proofs
)
def test_two_people_weeks_apart_give_the_same_bytes(
    session: Session, scrubbed: Done, era: str, region: str, identity: int, weeks: int
) -> None:
    one = scrubbed(era, region)
    other = scrub(session(era, region, identity, weeks), name="x")
    assert dumps(one.cassette) == dumps(other.cassette)
    assert list(map(str, one.findings)) == list(map(str, other.findings)), "the findings say nothing of the person either"


def test_another_therapy_gives_another_cassette(scrubbed: Done) -> None:
    assert dumps(scrubbed().cassette) != dumps(scrubbed(therapy=2).cassette)


@pytest.mark.parametrize(("era", "region"), WORLDS)
def test_a_cassette_is_its_own_cassette(scrubbed: Done, era: str, region: str) -> None:
    cassette = scrubbed(era, region).cassette
    twice = again(loads(dumps(cassette), "x.json"))
    assert dumps(twice.cassette) == dumps(cassette)
    assert twice.findings == ()


@pytest.mark.parametrize(("era", "region"), WORLDS)
def test_what_comes_out_is_closed(scrubbed: Done, era: str, region: str) -> None:
    assert looked_at(scrubbed(era, region).cassette) == ()


def spellings(value: str) -> Iterator[bytes]:
    raw = value.encode()
    yield from (raw, raw.lower(), raw.upper(), raw[::-1], raw.hex().encode(), base64.b64encode(raw).rstrip(b"="))
    yield from (quote(value, safe="").encode(), value.replace("-", "").encode(), json.dumps(value)[1:-1].encode())


@pytest.mark.parametrize(("era", "region"), WORLDS)
def test_no_secret_of_the_account_is_in_the_text(session: Session, scrubbed: Done, era: str, region: str) -> None:
    capture = session(era, region)
    cassette = scrubbed(era, region).cassette
    text = dumps(cassette)
    for event in named(cassette, "pump-events"):
        text += Records.from_body(decoded(event.response.headers, event.response.body)).to_bytes()
    assert len(capture.seen) > 40
    found = {one.kind for one in capture.seen if len(one.value) > 4 for form in spellings(one.value) if form in text}
    assert found == set()


@pytest.mark.parametrize(("era", "region"), WORLDS)
def test_no_date_of_the_recording_is_in_the_text(scrubbed: Done, era: str, region: str) -> None:
    text = dumps(scrubbed(era, region).cassette).replace(f'"era": "{era}'.encode(), b"")
    assert set(re.findall(rb"\b(19\d\d|20\d\d)-\d\d-\d\d", text)) <= {b"1980", *(str(year).encode() for year in range(2019, 2025))}


@pytest.mark.parametrize("region", ["us", "eu"])
def test_the_signed_session_hangs_together(scrubbed: Done, region: str) -> None:
    cassette = scrubbed("2026-10", region).cassette
    authorize = parse_qs(urlsplit(named(cassette, "authorize")[0].request.url).query)
    location = named(cassette, "authorize")[0].response.headers.get("Location")
    (callback,) = named(cassette, f"callback-{region}")
    (token,) = named(cassette, "token")
    form = parse_qs(token.request.body.decode())
    tokens = answer(token)
    key = jwt.PyJWK.from_dict(answer(named(cassette, "jwks")[0])["keys"][0]).key
    claims = jwt.decode(tokens["id_token"], key, algorithms=["RS256"], audience=form["client_id"][0])
    assert authorize["code_challenge"] == [s256(form["code_verifier"][0])]
    assert location == callback.request.url, "the client follows the redirect to what was recorded"
    assert parse_qs(urlsplit(location).query)["code"] == form["code"]
    assert claims["at_hash"] == at_hash(tokens["access_token"])
    assert claims["iat"] < cassette.clock.timestamp() < claims["exp"]
    pumper = answer(named(cassette, "pumper")[0])
    assert named(cassette, "pumper")[0].request.url.endswith(claims["pumperId"])
    assert named(cassette, "pumper")[0].request.headers.get("Authorization") == f"Bearer {tokens['access_token']}"
    assert (claims["name"], claims["given_name"]) == (pumper["name"], pumper["firstName"])


def test_equal_in_is_equal_out_and_nothing_else(session: Session, scrubbed: Done) -> None:
    capture = session()
    before, after = leaves(capture), leaves(scrubbed().cassette)
    assert before.keys() == after.keys()
    pairs = {(before[place], after[place]) for place in before if re.search(r"(?i)id$|serial|email|name", place)}
    assert len(pairs) > 15
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)


def leaves(recording: Cassette | Capture) -> dict[str, str]:
    """The texts of the pumper and pumpers answers by place, profile names apart: theirs is a kind of its own."""
    found: dict[str, str] = {}

    def walk(value: Any, place: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{place}.{key}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{place}[{index}]")
        elif isinstance(value, str) and "profile[" not in place and "modelName" not in place:
            found[place] = value

    for name in ("pumper", "pumpers"):
        walk(answer(named(recording, name)[0]), name)
    return found


def test_every_event_moves_by_the_same_whole_weeks(session: Session, scrubbed: Done) -> None:
    capture = session()
    before = answer(named(capture, "pump-logs")[0])["events"]
    after = answer(named(scrubbed().cassette, "pump-logs")[0])["events"]
    assert len(before) == len(after) > 100
    moves = {
        datetime.fromisoformat(new["pumpDateTime"]) - datetime.fromisoformat(old["pumpDateTime"])
        for old, new in zip(before, after, strict=True)
    }
    assert moves == {timedelta(weeks=-124)}
    assert all(event["estimatedDateTime"] == event["pumpDateTime"] + "Z" for event in after)
    steps = {new["sequenceNumber"] - old["sequenceNumber"] for old, new in zip(before, after, strict=True)}
    assert len(steps) == 1, "sequence numbers keep their gaps and their order"


def test_therapy_numbers_keep_their_text_to_a_thousandth(session: Session, scrubbed: Done) -> None:
    def numbers(recording: Cassette | Capture) -> list[str]:
        events = answer(named(recording, "pump-logs")[0])["events"]
        kept = ("currentGlucoseDisplayValue", "insulinDelivered", "iob", "commandedRate", "carbAmount", "bg")
        found = [event["eventProperties"].get(name) for event in events for name in kept]
        return [json.dumps(round(one, 3) if isinstance(one, float) else one) for one in found]

    capture = session()
    assert numbers(capture) == numbers(scrubbed().cassette)
    assert "11.859778" in json.dumps(answer(named(capture, "pump-logs")[0]))
    assert b"11.859778" not in dumps(scrubbed().cassette)


@pytest.mark.parametrize("era", ["2025", "2026-10"])
def test_both_wires_tell_the_same_events(scrubbed: Done, era: str) -> None:
    cassette = scrubbed(era).cassette
    if era == "2025":
        body = named(cassette, "pump-events")[0].response
        records = Records.from_body(decoded(body.headers, body.body))
        assert int(records.sequence.min()) >= 1
        assert not records.select(57).payload.any(), "halves of profile names are zeroed"
        assert not records.select(69).payload.any()
    else:
        events = answer(named(cassette, "pump-logs")[0])["events"]
        texts = [event["eventProperties"] for event in events if event["eventCode"] in (57, 69)]
        assert texts
        assert not any(value for text in texts for value in text.values())


def test_the_recording_ends_in_the_anchor_week_down_to_the_minute(scrubbed: Done) -> None:
    clock = scrubbed().cassette.clock
    assert clock.isoformat() == "2024-07-03T20:30:00+00:00"  # a Wednesday, as 2026-11-18 was


def test_nothing_prints_what_it_holds(scrubbed: Done) -> None:
    done = scrubbed()
    assert repr(done.cassette) == "Cassette('x', 2026-10, us, 10 exchanges)"
