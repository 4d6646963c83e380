"""Both eras' bodies: what is read, and what becomes of the rest."""

import base64
import json
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.receive.batch import Received
from pipeline.receive.decode import received
from pipeline.store.reasons import UNREADABLE_EVENTS
from tandem.bff import events_from_records
from tandem.eras import ERAS
from tandem.records import Records
from tfx.jsonbody import Json

LEGACY, CURRENT = ERAS["2025"], ERAS["2026-10"]
DEVICE = "00000000-0000-4000-8000-000000000001"
# 399 of 2024-07-01 12:00:00, sequence 7: 120 mg/dL, rising 0.5 mg/dL/min.
READING = bytes.fromhex("018f1f09b74000000007") + bytes.fromhex("05010000007800201f09b73d00000061")


def event(**changes: Json) -> dict[str, Json]:
    (made,) = events_from_records(Records.parse(READING), device_assignment_id=DEVICE)
    return made | changes


GOOD = cast("dict[str, Json]", event()["eventProperties"])


def bff(*events: Json, **members: Json) -> Received:
    return received(CURRENT, json.dumps({"events": list(events), "clockChanges": []} | members).encode(), device=DEVICE)


def test_a_legacy_answer_is_its_records_in_group_0() -> None:
    read = received(LEGACY, json.dumps(base64.b64encode(READING * 2).decode()).encode())
    assert read.batch.records.to_bytes() == READING * 2
    assert read.batch.groups.tolist() == [0, 0]
    assert read.rejects == ()


def test_a_legacy_answer_may_be_spelled_as_json_allows() -> None:
    text = base64.b64encode(READING * 30).decode()
    for body in (json.dumps(text).replace("/", "\\/"), json.dumps(text).replace("A", "\\u0041"), f" {json.dumps(text)}\n"):
        assert received(LEGACY, body.encode()).batch.records.to_bytes() == READING * 30


def test_both_eras_read_the_same_record() -> None:
    assert bff(event()).batch.records == received(LEGACY, json.dumps(base64.b64encode(READING).decode()).encode()).batch.records


def test_an_empty_answer_is_no_event() -> None:
    for era, body in ((LEGACY, b'""'), (CURRENT, b'{"events":[],"clockChanges":[]}')):
        read = received(era, body)
        assert (len(read.batch), read.rejects) == (0, ())


@pytest.mark.parametrize("extra", [10, 13, 25])
def test_a_cut_record_is_kept_as_the_bytes_that_came(extra: int) -> None:
    read = received(LEGACY, json.dumps(base64.b64encode(READING + READING[:extra]).decode()).encode())
    assert read.batch.records.to_bytes() == READING
    assert [(one.reason, one.detail, one.raw) for one in read.rejects] == [
        ("truncated record", f"{extra} of 26 bytes", READING[:extra]),
    ]


@pytest.mark.parametrize(
    ("era", "body"),
    [
        pytest.param(LEGACY, b"<html>", id="a page instead of JSON"),
        pytest.param(LEGACY, b'"AY8!"', id="not base64"),
        pytest.param(LEGACY, b'{"events": []}', id="the other era's shape"),
        pytest.param(CURRENT, b"<html>", id="a page instead of JSON"),
        pytest.param(CURRENT, b'"AY8="', id="the other era's shape"),
        pytest.param(CURRENT, b'{"events": {}}', id="events that are no list"),
        pytest.param(CURRENT, b'{"events": [], "clockChanges": 3}', id="clock changes that are no list"),
        pytest.param(CURRENT, b"{}", id="nothing"),
        pytest.param(CURRENT, b'{"clockChanges": []}', id="no events member: not the same as no events"),
        pytest.param(CURRENT, b'{"Events": [], "clockChanges": []}', id="events by another name"),
        pytest.param(CURRENT, b"", id="an empty body"),
        pytest.param(LEGACY, b"", id="an empty body of the other era"),
        pytest.param(LEGACY, b'"', id="a string cut after its first quote: not the same as an empty string"),
        pytest.param(CURRENT, b"null", id="null"),
        pytest.param(LEGACY, b"null", id="null of the other era"),
    ],
)
def test_an_answer_of_another_shape_is_kept_whole(era: object, body: bytes) -> None:
    read = received(era, body)  # type: ignore[arg-type]  # parametrize hands on objects
    assert len(read.batch) == 0
    assert [(one.reason, one.raw) for one in read.rejects] == [("unreadable answer", body)]


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"eventCode": "399"}, "wrong type", "eventCode: not a whole number"),
        ({"eventCode": 4096}, "out of range", "eventCode: not a whole number from 0 to 4095"),
        ({"sequenceNumber": -1}, "out of range", "sequenceNumber: not a whole number from 0 to 4294967295"),
        ({"sequenceNumber": None}, "wrong type", "sequenceNumber: not a whole number"),
        ({"pumpDateTime": "yesterday"}, "unreadable time", "pumpDateTime: not a wall time like 2026-04-30T00:00:06"),
        (
            {"pumpDateTime": "1999-01-01T00:00:00"},
            "unreadable time",
            "pumpDateTime: pump seconds are between 2008 and 2144; one of these times is not",
        ),
        ({"eventProperties": None}, "not an object", "eventProperties: not an object"),
        ({"eventProperties": {}}, "missing field", "glucoseValueStatus: missing"),
        ({"eventProperties": GOOD | {"rate": "5"}}, "wrong type", "rate: not a whole number"),
        ({"eventProperties": GOOD | {"rate": 400}}, "out of range", "rate: not a whole number from -128 to 127"),
        (
            {"eventProperties": GOOD | {"spareZ99": 3}},
            "unknown field",
            "property of another name: not in the layout of that code, so a record cannot hold it",
        ),
        ({"deviceAssignmentId": "someone else's"}, "event of another pump", "deviceAssignmentId: not the device that was asked for"),
        ({"sequenceGroup": 1 << 40}, "out of range", "sequenceGroup: larger than any that was ever seen"),
    ],
)
def test_an_event_that_does_not_match_is_kept_as_it_came_and_the_others_go_on(changes: dict[str, Json], reason: str, detail: str) -> None:
    odd = event(**changes)
    read = bff(event(sequenceNumber=1), odd, event(sequenceNumber=2))
    assert read.batch.records.sequence.tolist() == [1, 2]
    (reject,) = read.rejects
    assert (reject.reason, reject.detail, json.loads(reject.raw or b"")) == (reason, detail, odd)


@pytest.mark.parametrize("field", [name for name in event() if name not in ("deviceAssignmentId", "estimatedDateTime")])
def test_a_field_that_is_not_there_is_named(field: str) -> None:
    bare = {name: value for name, value in event().items() if name != field}
    assert [(one.reason, one.detail) for one in bff(bare).rejects] == [("missing field", f"{field}: missing")]


def test_half_a_surrogate_pair_costs_its_event_at_most() -> None:
    body = json.dumps({"events": [event(note="\ud800"), event(eventProperties={"\udfff": "\ud800"})], "clockChanges": []}).encode()
    read = received(CURRENT, body)
    assert len(read.batch) >= 1
    assert not read.has_hole
    for one in read.rejects:
        assert one.detail.encode()
        assert b"\\ud" in (one.raw or b"")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"events": ' + b"[" * 100_000, id="deeper than anybody reads"),
        pytest.param(b'{"\xff": 1}', id="not UTF-8"),
        pytest.param(b'{"events": [], "events": []}', id="events twice: nobody knows which"),
    ],
)
def test_what_is_no_json_leaves_a_hole(body: bytes) -> None:
    read = received(CURRENT, body)
    assert read.has_hole
    assert [one.raw for one in read.rejects] == [body]


@pytest.mark.parametrize("levels", [300, 5_000, 100_000])
def test_lists_in_lists_without_end_cost_their_event_at_most_and_are_kept(levels: int) -> None:
    deep = "[" * levels + "]" * levels
    properties = cast("dict[str, Json]", event()["eventProperties"])
    odd = (event(mood="HERE"), event(eventProperties=properties | {"rate": "HERE"}), event(eventProperties="HERE"), "HERE")
    body = json.dumps({"events": [event(sequenceNumber=1), *odd, event(sequenceNumber=2)], "clockChanges": [], "tookMs": {"a": "HERE"}})
    read = received(CURRENT, body.replace('"HERE"', deep).encode(), device=DEVICE)
    assert read.batch.records.sequence.tolist() == [1, 7, 2]  # a new member costs no reading, however deep it is
    assert not read.has_hole
    kept = [one.raw or b"" for one in read.rejects]
    assert len(kept) == 5
    assert all(b"[" * (levels - 5) in raw for raw in kept)


def test_what_nests_deep_and_is_not_json_leaves_a_hole() -> None:
    for body in (
        b'{"events": [{"a": {"b": [' + b"[" * 5_000,
        b'{"events": [{"a": {"b": ' + b"[" * 5_000 + b'"\xff"' + b"]" * 5_000 + b"}}]}",
    ):
        assert [one.raw for one in received(CURRENT, body).rejects] == [body]


def test_a_whole_number_may_be_spelled_with_a_point_or_an_exponent() -> None:
    text = json.dumps({"events": [event()], "clockChanges": []})
    for said, other in (('"eventCode": 399', '"eventCode": 399.0'), ('"sequenceNumber": 7', '"sequenceNumber": 0.7e1')):
        assert said in text
        text = text.replace(said, other)
    text = text.replace('"currentGlucoseDisplayValue": 120', '"currentGlucoseDisplayValue": 1.2e2')
    read = received(CURRENT, text.encode(), device=DEVICE)
    assert (read.batch.records.to_bytes(), read.rejects) == (READING, ())


@pytest.mark.parametrize(
    ("spelled", "reason"),
    [("1.255e2", "wrong type"), ("1e400", "wrong type"), ("9007199254740993.0", "wrong type"), ("-1.0", "out of range")],
)
def test_a_number_that_is_not_whole_or_too_large_costs_its_event_only(spelled: str, reason: str) -> None:
    text = json.dumps({"events": [event(sequenceNumber=1), event(sequenceNumber="HERE")], "clockChanges": []}).replace('"HERE"', spelled)
    read = received(CURRENT, text.encode(), device=DEVICE)
    assert read.batch.records.sequence.tolist() == [1]
    assert [one.reason for one in read.rejects] == [reason]


ODD: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.integers(-(1 << 200), 1 << 200), st.floats(), st.text(st.characters(), max_size=3)
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=2),
    max_leaves=4,
)
PLACES = (None, "eventProperties", *event(), *cast("dict[str, Json]", event()["eventProperties"]))


def spoilt(place: str | None, value: Json) -> Json:
    """The event with something else in one place, or something else altogether."""
    if place is None or place in event():
        return value if place is None else event(**{place: value})
    return event(eventProperties=cast("dict[str, Json]", event()["eventProperties"]) | {place: value})


@given(some=st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=4, max_size=12))
def test_whatever_json_an_event_is_it_costs_itself_at_most_and_is_kept_as_it_came(some: list[tuple[str | None, Json]]) -> None:
    odd = [spoilt(place, value) for place, value in some]
    read = bff(event(sequenceNumber=1), *odd, event(sequenceNumber=2))
    lost = [one for one in read.rejects if one.reason in UNREADABLE_EVENTS]
    assert len(read.batch) + len(lost) == len(odd) + 2
    assert {1, 2} <= set(read.batch.records.sequence.tolist())
    came = {json.dumps(one) for one in odd}
    for one in read.rejects:
        assert json.dumps(json.loads(one.raw or b"")) in came
        one.detail.encode()


TWICE = [
    pytest.param('{"rate":1,"rate":1}', id="the same, of few members"),
    pytest.param(json.dumps(event()["eventProperties"])[:-1] + ',"rate":9}', id="another value"),
]


@pytest.mark.parametrize("properties", TWICE)
def test_a_member_that_is_there_twice_costs_its_event_and_both_are_kept(properties: str) -> None:
    said = {"events": [event(sequenceNumber=1), event(eventProperties="HERE")], "clockChanges": []}
    text = json.dumps(said).replace('"HERE"', properties)
    read = received(CURRENT, text.encode(), device=DEVICE)
    assert read.batch.records.sequence.tolist() == [1]
    (reject,) = read.rejects
    assert (reject.reason, reject.detail, reject.sequence) == ("field given twice", "eventProperties: a member is there twice", 7)
    assert properties.replace(" ", "").encode() in (reject.raw or b"")


def test_a_new_member_costs_no_reading() -> None:
    properties = event()["eventProperties"]
    assert isinstance(properties, dict)
    grown = event(eventProperties=properties | {"sensorMood": 3})
    read = bff(grown)
    assert read.batch.records.to_bytes() == READING
    (reject,) = read.rejects
    assert (reject.reason, reject.detail, json.loads(reject.raw or b"")) == ("unknown member", "sensorMood", grown)


def test_a_new_member_beside_the_properties_costs_no_reading_either() -> None:
    """It may mean anything, `isDeleted` for one: so it is kept."""
    properties = cast("dict[str, Json]", event()["eventProperties"])
    grown = event(isDeleted=True, eventProperties=properties | {"sensorMood": 3})
    read = bff(event(sequenceNumber=1), grown)
    assert read.batch.records.sequence.tolist() == [1, 7]
    assert not read.has_hole
    (reject,) = read.rejects
    assert (reject.reason, reject.detail, json.loads(reject.raw or b"")) == ("unknown member", "isDeleted, sensorMood", grown)


BESIDE: list[tuple[dict[str, Json], str, str]] = [
    ({"tookMs": 7}, "unknown member", "tookMs, beside the events"),
    ({"nextPage": None}, "unknown member", "nextPage, beside the events"),
    ({"truncated": False}, "unknown member", "truncated, beside the events"),
    ({"nextPage": "abc"}, "incomplete answer", "nextPage, beside the events"),
    ({"isTruncated": True}, "incomplete answer", "isTruncated, beside the events"),
    ({"logs": [{"eventCode": 3}]}, "incomplete answer", "logs, beside the events"),
]


def test_what_an_answer_says_beside_its_lists_is_kept_and_more_of_them_is_a_hole() -> None:
    for members, reason, detail in BESIDE:
        read = bff(event(), **members)
        assert read.batch.records.to_bytes() == READING
        assert [(one.reason, one.detail, json.loads(one.raw or b"")) for one in read.rejects] == [(reason, detail, members)]
        assert read.has_hole == (reason == "incomplete answer")


def test_an_answer_without_clock_changes_is_read_and_asked_for_again() -> None:
    read = received(CURRENT, json.dumps({"events": [event()]}).encode(), device=DEVICE)
    assert (len(read.batch), read.has_hole) == (1, True)
    assert [(one.reason, one.detail) for one in read.rejects] == [("incomplete answer", "clockChanges: missing")]


def test_a_member_out_of_range_costs_its_event_only() -> None:
    properties = event()["eventProperties"]
    assert isinstance(properties, dict)
    read = bff(event(sequenceNumber=1), event(eventProperties=properties | {"rate": 400}))
    assert read.batch.records.sequence.tolist() == [1]
    assert [one.sequence for one in read.rejects] == [7]


@pytest.mark.parametrize("spare", ["spareC9", "spareZ99"])
def test_a_spare_that_is_0_costs_nothing(spare: str) -> None:
    properties = event()["eventProperties"]
    assert isinstance(properties, dict)
    read = bff(event(eventProperties=properties | {spare: 0}))
    assert (read.batch.records.to_bytes(), read.rejects) == (READING, ())


def test_a_spare_no_record_can_hold_costs_its_event_only() -> None:
    properties = event()["eventProperties"]
    assert isinstance(properties, dict)
    events = [event(sequenceNumber=number) for number in range(8)]
    events[5] = event(eventProperties=properties | {"spareZ99": 3})
    read = bff(*events)
    assert read.batch.records.sequence.tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert [(one.reason, one.sequence) for one in read.rejects] == [("unknown field", 7)]
    assert "property of another name" in read.rejects[0].detail  # the name is the sender's word, and not told


def test_rejects_name_no_value() -> None:
    read = bff(event(eventProperties={"rate": "Jonathan"}), event(pumpDateTime="Jonathan"), "Jonathan")
    assert len(read.rejects) == 3
    assert not any("Jonathan" in one.detail for one in read.rejects)


def test_clock_changes_are_events_too() -> None:
    change = Records.build(code=13, seconds=500_000_000, sequence=3, columns={"timePrior": 7_200_000, "timeAfter": 3_600_000})
    (clock,) = events_from_records(change, device_assignment_id=DEVICE)
    read = bff(event(), clockChanges=[clock])
    assert sorted(read.batch.records.code.tolist()) == [13, 399]


def test_groups_stay_with_their_records(history: Records, as_answer: Callable[..., Received]) -> None:
    read = as_answer(history, "2026-10", group=2)
    assert read.batch.records == history
    assert np.unique(read.batch.groups).tolist() == [2]
    assert (read.batch.keys >> 32 == 2).all()
    assert ((read.batch.keys & 0xFFFFFFFF) == history.sequence).all()
