"""The bff's JSON and records: the same events, either way, with nothing lost and nothing let through unseen."""

import json
import struct

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tconnectsync.eventparser import generic
from tconnectsync.eventparser.events import EVENT_IDS, _norm

from tandem.bff import columns_from_events, events_from_records, parts_of_answer, records_from_events
from tandem.events import EVENTS
from tandem.records import Records
from tfx.errors import FormatError
from tfx.jsonbody import Json

DEVICE = "00000000-0000-4000-8000-000000000001"
UNKNOWN = (57, 4000)


def seeded(code: int, count: int = 40) -> Records:
    """Random records of one code; floats finite, as JSON wants them."""
    rows = np.random.default_rng(code).integers(0, 256, (count, 26), dtype=np.uint8)
    some = Records(rows=rows).with_header(code=code, source=0)
    floats = {
        field.name: np.nan_to_num(some.columns(code)[field.name], posinf=0, neginf=0)
        for field in (EVENTS[code].fields if code in EVENTS else ())
        if field.type == "float32"
    }
    return some.with_columns(code, floats)


def written(records: Records) -> list[Json]:
    """As events travel: through JSON text."""
    return list(orjson.loads(orjson.dumps(events_from_records(records, device_assignment_id=DEVICE))))


def bolus(**changes: Json) -> dict[str, Json]:
    """A made-up event 280; `changes` replace members of the event or, if it has none of that name, of its properties."""
    properties: dict[str, Json] = {
        "bolusId": 12,
        "bolusDeliveryStatus": 0,
        "bolusType": [0, 3],
        "bolusSource": 7,
        "remoteId": 0,
        "requestedNow": 500,
        "requestedLater": 0,
        "correction": 500,
        "extendedDurationRequested": 0,
        "deliveredTotal": 500,
    }
    event: dict[str, Json] = {
        "deviceAssignmentId": DEVICE,
        "eventCode": 280,
        "sequenceGroup": 0,
        "sequenceNumber": 77,
        "pumpDateTime": "2025-01-06T12:00:00",
        "eventProperties": properties,
        "estimatedDateTime": "2025-01-06T12:00:00Z",
    }
    for name, value in changes.items():
        (event if name in event else properties)[name] = value
    return event


def test_an_event_and_its_record_by_hand() -> None:
    record = "0118" "20024340" "0000004d" "0900000c" "01f40007" "01f40000" "01f40000"  # fmt: skip
    assert records_from_events([bolus()]).to_bytes().hex() == record
    back = events_from_records(Records.parse(bytes.fromhex(record)), device_assignment_id=DEVICE)
    assert back == [bolus()]
    assert json.dumps(back) == json.dumps([bolus()])


def test_records_survive_json() -> None:
    for code in (*EVENTS, *UNKNOWN):
        some = seeded(code)
        assert records_from_events(written(some)) == some, code


@given(st.sampled_from([*EVENTS, *UNKNOWN]), st.binary(min_size=24, max_size=24))
def test_any_payload_survives_json_or_is_refused(code: int, rest: bytes) -> None:
    some = Records.parse(struct.pack(">H", code) + rest)
    finite = all(np.isfinite(column).all() for column in some.columns(code).values())
    if finite:
        assert records_from_events(written(some)) == some
    else:
        with pytest.raises(FormatError, match=f"event {code}: .* is not a finite number, which JSON cannot hold"):
            written(some)


def test_json_survives_records() -> None:
    for code in (*EVENTS, *UNKNOWN):
        events = written(seeded(code))
        assert orjson.dumps(written(records_from_events(events))) == orjson.dumps(events), code


def test_mixed_codes_keep_their_order() -> None:
    mixed = Records.join([seeded(code, 2) for code in (399, 4000, 4, 399, 280)])
    assert records_from_events(written(mixed)) == mixed


@pytest.mark.parametrize(
    ("stored", "text", "why"),
    [
        (0.0, b"0", "integral"),
        (30.0, b"30", "integral"),
        (-1.0, b"-1", "the sentinel of 63 primeSize"),
        (1.8189592, b"1.8189592", "shortest text of a 32-bit float"),
        (0.1, b"0.1", "not 0.10000000149011612"),
        (-0.0, b"-0.0", "the sign would be lost in 0"),
        (16777215.0, b"16777215", "the last whole number of full precision"),
        (123456789.0, b"123456790.0", "beyond, digits are those of the float"),
    ],
)
def test_floats_are_written_shortest(stored: float, text: bytes, why: str) -> None:
    some = Records.build(code=33, seconds=1, sequence=1, columns={"v2Volume": stored})
    (event,) = events_from_records(some, device_assignment_id=DEVICE)
    properties = event["eventProperties"]
    assert isinstance(properties, dict)
    assert orjson.dumps(properties["v2Volume"]) == text, why


def test_tconnectsync_reads_the_same_from_our_json_as_from_the_record() -> None:
    for code in EVENTS:
        some = seeded(code, 10)
        for number, event in enumerate(written(some)):
            assert isinstance(event, dict)
            properties = event["eventProperties"]
            assert isinstance(properties, dict)
            ours = {_norm(name): value for name, value in properties.items()}
            from_json = generic.Event(event)
            from_bytes = generic.Event(bytearray(some.take(slice(number, number + 1)).to_bytes()))
            assert from_json.raw.timestampRaw == from_bytes.raw.timestampRaw, code
            assert from_json.seqNum == from_bytes.seqNum, code
            for name in set(EVENT_IDS[code].__dataclass_fields__) - {"raw"}:
                theirs = getattr(from_json, name)
                if code == 81 and name.startswith("battery"):
                    continue  # its layout is wrong: tandem/events.py
                if code == 90 and name.startswith("feature"):
                    assert theirs == ours[_norm(name)], "a list is left a list"
                    continue
                assert np.float32(theirs) == np.float32(getattr(from_bytes, name)), name


def test_spare_bytes_no_member_covers_are_written_only_where_they_hold_something() -> None:
    plain = Records.build(code=28, seconds=1, sequence=1, columns={"alarmId": 18})
    odd = plain.with_payload(np.array([*plain.payload[0][:15], 9], np.uint8))
    first, second = written(Records.join([plain, odd]))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["eventProperties"] == {"alarmId": 18}
    assert second["eventProperties"] == {"alarmId": 18, "spareD12": 9}


def test_a_code_without_layout_is_sixteen_bytes() -> None:
    (event,) = written(Records.build(code=57, seconds=1, sequence=1).with_payload(np.arange(16, dtype=np.uint8)))
    assert isinstance(event, dict)
    properties = event["eventProperties"]
    assert isinstance(properties, dict)
    assert list(properties.items())[:5] == [("spareA0", 3), ("spareA1", 2), ("spareA2", 1), ("spareA3", 0), ("spareB4", 7)]


def test_a_source_nibble_is_refused_not_dropped() -> None:
    with pytest.raises(FormatError, match="records with a source other than 0 have no JSON form"):
        written(seeded(4).with_header(source=1))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (bolus(bolusId=65536), "event 1 (code 280): property bolusId: not a whole number from 0 to 65535"),
        (bolus(bolusId=-1), "event 1 (code 280): property bolusId: not a whole number from 0 to 65535"),
        (bolus(bolusId=1 << 70), "event 1 (code 280): property bolusId: not a whole number from 0 to 65535"),
        (bolus(bolusId=1.5), "event 1 (code 280): property bolusId: not a whole number"),
        (bolus(bolusId=True), "event 1 (code 280): property bolusId: not a whole number"),
        (bolus(bolusId="12"), "event 1 (code 280): property bolusId: not a whole number"),
        (bolus(bolusId=None), "event 1 (code 280): property bolusId: not a whole number"),
        (bolus(bolusType=9), "event 1 (code 280): property bolusType: not a rising list of bit numbers from 0 to 7"),
        (bolus(bolusType=[8]), "event 1 (code 280): property bolusType: not a rising list of bit numbers from 0 to 7"),
        (bolus(bolusType=[3, 0]), "event 1 (code 280): property bolusType: not a rising list of bit numbers from 0 to 7"),
        (bolus(bolusType=[1, 1]), "event 1 (code 280): property bolusType: not a rising list of bit numbers from 0 to 7"),
        (bolus(bolusType=[False]), "event 1 (code 280): property bolusType: not a rising list of bit numbers from 0 to 7"),
        (bolus(bolusType=[1 << 70]), "event 1 (code 280): property bolusType: not a rising list of bit numbers from 0 to 7"),
        (bolus(eventProperties={}), "event 1 (code 280): property bolusId: missing"),
        (bolus(eventProperties=[]), "event 1 (code 280): eventProperties: not an object"),
        (bolus(marisol=1), "event 1 (code 280), property of another name: not in the layout of that code, so a record cannot hold it"),
        (bolus(spareD12=1), "event 1 (code 280), property spareD12: not in the layout of that code, so a record cannot hold it"),
        (bolus(eventCode=4096), "event 1: eventCode: not a whole number from 0 to 4095"),
        (bolus(eventCode="280"), "event 1: eventCode: not a whole number"),
        ([], "event 1: not an object"),
        ({}, "event 1: eventCode: missing"),
        ({"eventCode": 280}, "event 1 (code 280): sequenceNumber: missing"),
        (bolus(sequenceNumber=None), "event 1 (code 280): sequenceNumber: not a whole number"),
        (bolus(sequenceNumber=1 << 32), "event 1 (code 280): sequenceNumber: not a whole number from 0 to 4294967295"),
        (bolus(sequenceNumber=1 << 70), "event 1 (code 280): sequenceNumber: not a whole number from 0 to 4294967295"),
        (bolus(pumpDateTime="2025-01-06T12:00:00Z"), "event 1 (code 280): pumpDateTime: not a wall time like 2026-04-30T00:00:06"),
        (bolus(pumpDateTime="2025-01-06T12:00:00.5"), "event 1 (code 280): pumpDateTime: not a wall time like 2026-04-30T00:00:06"),
        (
            bolus(eventCode=28, eventProperties={"alarmId": 1, "spareD12": 0}),  # it would not come back
            "event 1 (code 28), property spareD12: not a whole number from 1 to 255, so a record cannot hold it",
        ),
        (bolus(eventCode=57), "event 1 (code 57), property bolusId: not in the layout of that code, so a record cannot hold it"),
        (
            bolus(eventCode=57, eventProperties={"spareA0": 1}),
            "event 1 (code 57): a code without a layout is sixteen spares, not 1 members",
        ),
    ],
)
def test_what_a_record_cannot_hold_is_named(event: Json, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        records_from_events([bolus(), event, bolus()])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.1, None),
        (float(np.float32(0.1)), None),
        (0.123456789012, "property iob: more digits than a 32-bit float can hold"),
        (1e39, "property iob: more than a 32-bit float can hold"),
        (10**400, "property iob: more than a 32-bit float can hold"),
        (16777217, "property iob: more digits than a 32-bit float can hold"),
        ("0.1", "property iob: not a number"),
    ],
)
def test_floats_must_be_32_bit_floats(value: Json, message: str | None) -> None:
    event: dict[str, Json] = {
        **bolus(eventCode=20),
        "eventProperties": {"bolusId": 1, "completionStatus": 3, "iob": value, "insulinDelivered": 1, "insulinRequested": 1},
    }
    rejected = columns_from_events([event]).rejected
    assert [one.reason for one in rejected] == ([] if message is None else [f"event 0 (code 20): {message}"])


def test_one_bad_event_does_not_take_the_others_along() -> None:
    events: list[Json] = [bolus(sequenceNumber=number) for number in range(20)]
    events[7] = bolus(bolusId=-1)
    events[13] = bolus(pumpDateTime="soon")
    events.append("no event")
    reading = columns_from_events(events)
    assert [one.index for one in reading.rejected] == [7, 13, 20]
    assert reading.columns[280].sequence.tolist() == [number for number in range(20) if number not in (7, 13)]
    assert reading.columns[280].index.tolist() == reading.columns[280].sequence.tolist()


def test_members_the_layout_does_not_know_are_kept_beside_the_columns() -> None:
    reading = columns_from_events([bolus(), bolus(flavour="new"), bolus(eventCode=562, eventProperties={"a": 1})])
    assert not reading.rejected
    assert reading.columns[280].extras == {1: {"flavour": "new"}}
    assert reading.columns[562].extras == {2: {"a": 1}}
    assert not reading.columns[562].properties


def test_absent_spares_count_as_zero() -> None:
    event = bolus(eventCode=370, eventProperties={"dalertId": 9, "sensorType": 3})
    alert = bolus(eventCode=371, eventProperties={"dalertId": 9, "sensorType": 3, "ackSource": 0})
    reading = columns_from_events([event, alert])
    assert not reading.rejected
    assert reading.columns[371].properties["spareA2"].tolist() == [0]


def test_no_events_are_no_records() -> None:
    assert len(records_from_events([])) == 0
    assert events_from_records(Records.parse(b""), device_assignment_id=DEVICE) == []


def test_an_answer_has_events_and_clock_changes() -> None:
    assert parts_of_answer({"events": [bolus()], "clockChanges": []}) == ([bolus()], [])


@pytest.mark.parametrize(
    "answer", [[], {}, {"events": []}, {"events": [], "clockChanges": None}, {"events": [], "clockChanges": [], "more": 1}]
)
def test_another_answer_is_refused(answer: Json) -> None:
    with pytest.raises(FormatError, match=r"of a pump-logs answer are lists|a pump-logs answer is an object"):
        parts_of_answer(answer)
