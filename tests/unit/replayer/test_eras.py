"""A recording of one era served as another: what that era's own recording of the same therapy would have answered."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import tape
from hypothesis import given, settings
from hypothesis import strategies as st

from replayer.eras.convert import as_era
from replayer.replay import Replay
from simulator.account import account
from simulator.session import captured_session
from tandem.bff import events_from_records
from tandem.endpoints import BY_NAME, locate
from tandem.eras import ERAS
from tandem.pumplists import GAPS
from tandem.records import Records
from tandem.regions import REGIONS, client_id_of
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.errors import CassetteError, MismatchError, UsageError
from tfx.exchange import Exchange, Headers, Request, Response

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
US = REGIONS["us"]
PAIRS = tuple(permutations(ERAS, 2))


def recorded(era: str) -> Cassette:
    capture = captured_session(account(now=NOW, days=0.5), era=era, now=NOW)
    return Cassette(name="session", era=era, region="us", clock=NOW, policy=1, exchanges=capture.exchanges)


@pytest.fixture(scope="module")
def every() -> Mapping[str, Cassette]:
    """The same therapy, recorded in each era."""
    return {era: recorded(era) for era in ERAS}


def endpoint(exchange: Exchange) -> str:
    place = locate(exchange.request.method, exchange.request.url)
    assert place
    return place.endpoint.name


def body(exchange: Exchange) -> object:
    found: object = json.loads(decoded(exchange.response.headers, exchange.response.body))
    return found


def differences(one: object, other: object, at: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from differences(one.get(name, "absent"), other.get(name, "absent"), f"{at}.{name}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for pair in zip(one, other, strict=True):
            yield from differences(*pair, at)
    elif one != other:
        yield at


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_it_is_what_that_era_would_have_answered(every: Mapping[str, Cassette], old: str, new: str) -> None:
    made, real = as_era(every[old], new), every[new]
    assert [endpoint(one) for one in made.exchanges] == [endpoint(one) for one in real.exchanges]
    for one, other in zip(made.exchanges, real.exchanges, strict=True):
        name = endpoint(one)
        if name in ("pump-events", "pump-logs"):
            assert parse_qsl(urlsplit(one.request.url).query) == parse_qsl(urlsplit(other.request.url).query)
            assert body(one) == body(other)
        if name in GAPS:
            both_json = ERAS[old].wire == ERAS[new].wire
            assert set(differences(body(one), body(other))) == (set() if both_json else GAPS[name])


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_the_sign_in_is_that_eras(old: str, new: str) -> None:
    made = as_era(tape.session(old), new)
    mine = client_id_of(US, new)
    for exchange in (made.exchanges[2], made.exchanges[4]):
        sent = exchange.request.url + exchange.request.body.decode()
        assert f"client_id={mine}" in sent
    token = json.loads(made.exchanges[4].response.body)["id_token"]
    key = jwt.PyJWKSet.from_dict(json.loads(made.exchanges[6].response.body)).keys[0].key
    assert jwt.decode(token, key, algorithms=["RS256"], audience=mine, issuer=US.issuer)["pumperId"] == tape.PERSON


def test_there_and_back_gives_the_same_events(every: Mapping[str, Cassette]) -> None:
    back = as_era(as_era(every["2026-10"], "2025"), "2026-10")
    assert [body(one) for one in back.exchanges if endpoint(one) == "pump-logs"] == [
        body(one) for one in every["2026-10"].exchanges if endpoint(one) == "pump-logs"
    ]


def test_the_same_era_is_the_same_cassette() -> None:
    cassette = tape.session()
    assert as_era(cassette, "2026-10") is cassette
    with pytest.raises(UsageError, match="no era is called '2024'; it is one of: 2025, 2026-07, 2026-10"):
        as_era(cassette, "2024")


SECONDS = 520_000_000
CODES = st.sampled_from([4, 5, 13, 14, 20, 399])


@st.composite
def histories(draw: st.DrawFn) -> Records:
    codes = draw(st.lists(CODES, max_size=12))
    made = [Records.build(code=code, seconds=[SECONDS + 3600 * at], sequence=[at + 1], columns={}) for at, code in enumerate(codes)]
    return Records.join(made)


@given(histories())
@settings(max_examples=20)
def test_whatever_the_events_the_bytes_are_the_pumps(records: Records) -> None:
    events = events_from_records(records, device_assignment_id=tape.PUMP)
    is_change = [event["eventCode"] in (13, 14) for event in events]
    answer = {
        "events": [event for event, change in zip(events, is_change, strict=True) if not change],
        "clockChanges": [event for event, change in zip(events, is_change, strict=True) if change],
    }
    one = logs("2024-06-01", "2024-07-31", answer)
    made = as_era(replace(tape.session(), exchanges=(one,)), "2025").exchanges[0]
    assert Records.from_body(made.response.body) == records
    back = as_era(replace(tape.session("2025"), exchanges=(made,)), "2026-10").exchanges[0]
    stand_in = {"deviceAssignmentId": "00000000-0000-4000-8000-000000900001"}
    assert json.loads(back.response.body) == {name: [{**event, **stand_in} for event in listed] for name, listed in answer.items()}


def logs(first: str, last: str, answer: object, **more: str) -> Exchange:
    sent = tape.data_headers("us")
    return tape.exchange("GET", tape.logs_url(first, last, **more), sent=sent, got=tape.JSON, answer=tape.as_json(answer))


def answered(replay: Replay, url: str) -> Response:
    return replay.answer(Request(method="GET", url=url, headers=Headers(tape.data_headers("us"))))


def events_url(first: str, last: str, codes: str = "") -> str:
    url = BY_NAME["pump-events"].url(US, pumperId=tape.PERSON, tconnectDeviceId="900001")
    return f"{url}?minDate={first}&maxDate={last}{codes}"


def test_a_code_without_a_place_in_a_record_was_not_recorded() -> None:
    """Nothing is dropped in silence: who asks for the codes there are gets them, who asks for all hears of it."""
    records = Records.build(code=4, seconds=[SECONDS], sequence=[1], columns={})
    events = events_from_records(records, device_assignment_id=tape.PUMP)
    strange = {**events[0], "eventCode": 57, "sequenceNumber": 2, "eventProperties": {"name": "x"}}
    cassette = replace(tape.session(), exchanges=(logs("2024-06-01", "2024-07-31", {"events": [*events, strange], "clockChanges": []}),))
    replay = Replay(cassette, as_era="2025", signed_in=True)
    assert Records.from_body(answered(replay, events_url("2024-06-02", "2024-07-01", "&eventIds=4%2C5")).body) == records
    for codes in ("", "&eventIds=4,57"):
        with pytest.raises(MismatchError, match=r"holds only some event codes of this pump.*query\.eventIds"):
            answered(replay, events_url("2024-06-02", "2024-07-01", codes))


def test_some_codes_are_not_all_codes() -> None:
    some = tape.logs("2024-07-01", "2024-07-02", eventCodes="399")
    whole = tape.logs("2024-07-01", "2024-07-04")
    with pytest.raises(CassetteError, match="exchange #1 holds only some event codes of 2024-07-01T00:00:00 to 2024-07-02T23:59:59"):
        as_era(replace(tape.session(), exchanges=(some,)), "2026-07")
    assert len(as_era(replace(tape.session(), exchanges=(some, whole)), "2026-07").exchanges) == 1


@pytest.mark.parametrize(
    ("exchange", "count", "why"),
    [
        (tape.logs("2024-07-01", "2024-07-02").replacing(response=Response(status=500)), 1, "a failure is a failure in any era"),
        (tape.logs("2024-07-01", "2024-07-02").replacing(response=Response(status=401)), 1, "an expired token, too"),
        (tape.logs("2024-07-01", "2024-07-02").replacing(response=Response(status=403)), 0, "2025 had no such firewall"),
        (tape.logs("2024-07-01", "2024-07-02", eventIds="4").replacing(response=Response(status=400)), 0, "no such question"),
    ],
)
def test_what_belongs_to_an_era_alone_is_left_out(exchange: Exchange, count: int, why: str) -> None:
    made = as_era(replace(tape.session(), exchanges=(exchange,)), "2025").exchanges
    assert [one.response.status for one in made] == [exchange.response.status] * count, why


@pytest.mark.parametrize(
    ("old", "new", "url", "status", "why"),
    [
        ("2025", "2026-10", events_url("2024-07-01", "2024-07-02"), 404, "the reportsfacade is gone"),
        ("2026-07", "2026-10", tape.logs_url("2024-07-01", "2024-07-02", eventIds="399"), 400, "eventIds is eventCodes now"),
        ("2026-10", "2026-07", tape.logs_url("2024-07-01", "2024-07-02", eventIds="399"), 200, "and was eventIds then"),
        ("2026-10", "2025", tape.logs_url("2024-07-01", "2024-07-02"), 404, "there was no bff yet"),
        ("2026-10", "2026-07", tape.logs_url("2024-07-01", "2024-07-02", eventCodes="399"), 200, "a key nobody knew yet was ignored"),
        ("2026-10", "2026-07", tape.logs_url("2024-07-02", "2024-07-03", eventCodes="4", x="", eventIds="5"), 200, "and for other days"),
        ("2026-07", "2026-10", tape.logs_url("2024-07-01", "2024-07-02", eventCodes="399", x="1"), 400, "since then none is"),
        ("2026-10", "2025", f"{BY_NAME['pump-event-metadata'].url(US, pumperId=tape.PERSON)}?x=1&x", 200, "nor did the facade"),
        ("2026-07", "2026-10", f"{BY_NAME['pumper'].url(US, pumperId=tape.PERSON)}?x=1", 200, "the list of pumps looks at none"),
    ],
)
def test_a_client_of_another_era_hears_what_it_would_have_heard(old: str, new: str, url: str, status: int, why: str) -> None:
    found = answered(Replay(tape.session(old), as_era=new, signed_in=True), url)
    assert found.status == status, why
    if status == 400:
        assert json.loads(found.body)["issues"][0]["keys"] == ["x" if "&x=" in url else "eventIds"]


@pytest.mark.parametrize("era", ["2025", "2026-10"])
def test_an_answer_that_is_none_is_named(era: str) -> None:
    session = tape.session(era)
    broken = session.exchanges[-1].replacing(response=replace(session.exchanges[-1].response, body=b"[7"))
    with pytest.raises(CassetteError, match=r"exchange #\d+ "):
        as_era(replace(session, exchanges=(*session.exchanges[:-1], broken)), "2026-07" if era == "2025" else "2025")


def pumps(answer: object, era: str) -> Exchange:
    url = BY_NAME["pumper" if era != "2025" else "pump-event-metadata"].url(US, pumperId=tape.PERSON)
    return tape.exchange("GET", url, sent=tape.data_headers("us"), got=tape.JSON, answer=tape.as_json(answer))


@pytest.mark.parametrize(
    ("era", "answer", "why"),
    [
        ("2026-10", {"pumps": 7}, "no list"),
        ("2026-10", [], "no object"),
        ("2026-10", {"pumps": [7]}, "no pump"),
        ("2026-10", {"pumps": [{"lastUploadDate": "2024-07-01T00:00:00Z", "settings": {"details": {}}}]}, "no profiles"),
        ("2025", {"tconnectDeviceId": 1}, "no list"),
        ("2025", [{"lastUpload": {"settings": {"profiles": {"profile": [{"tDependentSegs": 7}]}}}}], "no segments"),
    ],
)
def test_a_list_of_pumps_that_is_none_is_named(era: str, answer: object, why: str) -> None:
    with pytest.raises(CassetteError, match=r"session (holds a list of pumps that is none|cannot be served as of)"):
        as_era(replace(tape.session(era), exchanges=(pumps(answer, era),)), "2025" if era != "2025" else "2026-10")


def test_a_pump_that_told_little_tells_as_little() -> None:
    """No person was recorded, no settings were uploaded, and ids need not be numbers."""
    told = [{"tconnectDeviceId": "x", "serialNumber": "90000001", "patientName": "Given1 Family1", "lastUpload": None}]
    made = body(as_era(replace(tape.session("2025"), exchanges=(pumps(told, "2025"),)), "2026-10").exchanges[0])
    assert isinstance(made, dict)
    assert (made["firstName"], made["lastName"], made["country"], made["lowGlucoseThreshold"]) == ("Given1", "Family1", None, None)
    assert made["pumps"][0]["assignmentId"] == "00000000-0000-4000-8000-000000900001"
    assert (made["pumps"][0]["settings"], made["pumps"][0]["lastUploadDate"]) == (None, None)
