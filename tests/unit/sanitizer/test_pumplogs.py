"""Pump events: each mark is treated by its rule, in JSON and in 26-byte records alike."""

# ruff: noqa: E501  # one row of a table is one line, however wide

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.check import looked_at
from sanitizer.policy.policy import policy
from sanitizer.replacements.devices import WIDEST_GAP, Device
from sanitizer.replacements.fields import Context, bits_of, column_of, layout, ranges, treatment
from sanitizer.replacements.leaves import are_codes, codes
from sanitizer.run import Run
from sanitizer.scrub import scrub
from tandem.bff import events_from_records, records_from_events
from tandem.events import EVENTS
from tandem.records import Records
from tfx.capture import Capture
from tfx.exchange import Exchange
from tfx.jsonbody import Json

Build = Callable[..., Capture]
Properties = dict[str, Json]

ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
LOGS = f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ID}"
EVENTS_URL = f"https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{ID}/378904"
NOW = 596_059_200  # 2026-11-20 16:00 in pump seconds
THEN = NOW - 124 * 7 * 86_400
WALL = 1_199_145_600

FATES: list[tuple[int, Properties, Properties, str]] = [
    (280, {"bolusId": 4000, "remoteId": 7, "requestedNow": 1500, "bolusType": [0, 3]}, {"bolusId": 1, "remoteId": 0, "requestedNow": 1500, "bolusType": [0, 3]}, "I: zero; bolusId: rebased; the rest: therapy"),
    (20, {"insulinDelivered": 1.8189592, "iob": 0}, {"insulinDelivered": 1.819, "iob": 0}, "numbers have a dose's digits"),
    (399, {"egvTimeStamp": NOW, "currentGlucoseDisplayValue": 120, "rate": -3}, {"egvTimeStamp": THEN, "currentGlucoseDisplayValue": 120, "rate": -3}, "D, pump seconds"),
    (399, {"egvTimeStamp": 0}, {"egvTimeStamp": 0}, "no time"),
    (477, {"sessionStartTime": WALL + NOW, "sessionJoinTime": 0xFFFFFFFF}, {"sessionStartTime": WALL + THEN, "sessionJoinTime": 0xFFFFFFFF}, "D, Unix seconds"),
    (14, {"datePrior": 6897, "dateAfter": 6898, "rawRtcTime": 5}, {"datePrior": 6029, "dateAfter": 6030, "rawRtcTime": 1}, "D, days; C, a counter"),
    (14, {"datePrior": 4394, "dateAfter": 6898}, {"datePrior": 4199, "dateAfter": 6030}, "the factory date is the first of the window"),
    (13, {"timePrior": 3_600_999, "timeAfter": 7_200_000}, {"timePrior": 3_600_000, "timeAfter": 7_200_000}, "times of day, to the second"),
    (447, {"currentTransmitterTime": 864_001, "sessionStartTime": 0, "sessionStopTime": 0xFFFFFFFF, "sessionDuration": 10}, {"currentTransmitterTime": 1, "sessionStartTime": 0, "sessionStopTime": 0xFFFFFFFF, "sessionDuration": 10}, "C: 1, sentinels stay"),
    (394, {"cgmTimestamp": 248, "sessionSignature": 117}, {"cgmTimestamp": 1, "sessionSignature": 0}, "C and I"),
    (5, {"alarmId": 3, "faultLocatorData": 90871624, "param1": 9, "param2": 2.5}, {"alarmId": 3, "faultLocatorData": 0, "param1": 0, "param2": 0}, "?: opaque words"),
    (307, {"armPartNumber": 1003244}, {"armPartNumber": 1003244}, "V: kept"),
    (36, {"negotiatedCurrent": 499.6}, {"negotiatedCurrent": 500}, "a current has whole milliamperes"),
    (313, {"weight": 150, "weightUnit": 1}, {"weight": 150, "weightUnit": 1}, "W: kept"),
    (279, {"commandedRate": 800, "reservedA2": 5, "spareA3": 6}, {"commandedRate": 800, "reservedA2": 0, "spareA3": 0}, "spares: zero"),
]  # fmt: skip


def through(capture: Build, code: int, properties: Properties) -> Properties:
    event = {
        "deviceAssignmentId": ID,
        "eventCode": code,
        "sequenceGroup": 0,
        "sequenceNumber": 4711,
        "pumpDateTime": "2026-11-20T16:00:00",
        "eventProperties": properties,
        "estimatedDateTime": "2026-11-20T16:00:00Z",
    }
    done = scrub(capture(LOGS, answer=json.dumps({"events": [event], "clockChanges": []}).encode()), name="x")
    assert done.findings == ()
    after = json.loads(done.cassette.exchanges[0].response.body)["events"][0]
    assert list(after) == list(event), "the order of members stays"
    assert (after["sequenceNumber"], after["pumpDateTime"]) == (1, "2024-07-05T16:00:00")
    return cast("Properties", after["eventProperties"])


@pytest.mark.parametrize(("code", "before", "after", "_why"), FATES)
def test_the_fate_of_a_property(capture: Build, code: int, before: Properties, after: Properties, _why: str) -> None:
    assert json.dumps(through(capture, code, before)) == json.dumps(after)


@pytest.mark.parametrize(("code", "before", "after", "_why"), FATES)
def test_the_fate_of_a_field_of_a_record(capture: Build, code: int, before: Properties, after: Properties, _why: str) -> None:
    full: Properties = {field.name: [] if field.meaning == "bitmask" else 0 for field in EVENTS[code].fields}
    event: Properties = {"eventCode": code, "sequenceGroup": 0, "sequenceNumber": 4711, "pumpDateTime": "2026-11-20T16:00:00"}
    records = records_from_events([{**event, "eventProperties": {**full, **before}}])
    done = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x")
    found = Records.from_body(done.cassette.exchanges[0].response.body)
    (written,) = events_from_records(found, device_assignment_id=ID)
    assert (written["sequenceNumber"], written["pumpDateTime"]) == (1, "2024-07-05T16:00:00")
    properties = cast("Properties", written["eventProperties"])
    assert {name: properties[name] for name in after} == after


KEPT_WITHIN = [
    (399, {"currentGlucoseDisplayValue": 70_000}, "beyond 16 bits"),
    (399, {"rate": -129}, "beyond a signed byte"),
    (399, {"interval": True}, "a flag is no number"),
    (399, {"interval": 1.0}, "a float is no whole number"),
    (399, {"cgmDataType": [3, 1]}, "bits out of order"),
    (399, {"cgmDataType": [9]}, "a bit too many"),
    (399, {"cgmDataType": 3}, "no list of bits"),
    (20, {"iob": 1e30}, "beyond any dose"),
    (33, {"v2Volume": 90871.625}, "beyond any cartridge"),
    (3, {"commandedBasalRate": 101}, "beyond any rate"),
    (48, {"carbs": 1001.5}, "beyond any meal"),
    (307, {"armPartNumber": 90_871_624}, "a serial number for a part number"),
    (63, {"position": 90_871_624}, "a serial number for a position"),
    (28, {"alarmId": 90_871_624}, "a serial number for an alarm"),
    (64, {"carbRatio": 90_871_624}, "a serial number for a ratio"),
    (13, {"timePrior": 86_400_000}, "beyond a day"),
    (399, {"egvTimeStamp": "2026"}, "a text for a number"),
    (280, {"bolusId": 70_000}, "beyond 16 bits"),
]


@pytest.mark.parametrize(("code", "properties", "_why"), KEPT_WITHIN)
def test_a_value_its_field_cannot_hold_is_blanked(capture: Build, code: int, properties: Properties, _why: str) -> None:
    event = {"deviceAssignmentId": ID, "eventCode": code, "sequenceGroup": 0, "sequenceNumber": 1, "eventProperties": properties}
    done = scrub(capture(LOGS, answer=json.dumps({"events": [event]}).encode()), name="x")
    after = json.loads(done.cassette.exchanges[0].response.body)["events"][0]["eventProperties"]
    assert not any(after.values())
    assert len(done.findings) == 1


ENVELOPES: list[tuple[str, Json, Json, str, str]] = [
    ("pumpDateTime", "2026-13-45T99:99:99", "", "not a date; blanked", "no date"),
    ("estimatedDateTime", 20261118, 0, "not a date; blanked", "a number"),
    ("sequenceNumber", 1 << 70, 0, "not a sequence number; blanked", "longer than any"),
    ("sequenceNumber", "Marisol", "", "not a sequence number; blanked", "a text"),
    ("sequenceGroup", -5, 0, "not a sequence group; blanked", "below zero"),
    ("eventCode", "28", "", "not an event code; blanked", "a text"),
    ("eventCode", -1, 4095, "not an event code; blanked", "below zero"),
    ("pumpDateTime", None, None, "", "nothing at all"),
    ("sequenceNumber", "", "", "", "a blank"),
]


def test_an_envelope_that_is_none_is_blanked_and_that_is_said(capture: Build) -> None:
    for name, before, after, said, why in ENVELOPES:
        event = {"eventCode": 28, "sequenceGroup": 0, "sequenceNumber": 7, "pumpDateTime": "2026-11-18T10:00:00", "eventProperties": {}}
        done = scrub(capture(LOGS, answer=json.dumps({"events": [event | {name: before}]}).encode()), name="x")
        assert [(one.place, one.kind) for one in done.findings] == [(f"response body.events[].{name}", said)] * bool(said), why
        found = json.loads(done.cassette.exchanges[0].response.body)["events"][0]
        assert found[name] == after, why
        assert type(found[name]) is type(after), why
        assert looked_at(done.cassette) == (), why


def test_a_time_in_utc_moves_with_the_pumps_and_a_day_in_utc_is_no_date(capture: Build) -> None:
    for when, after in (("2026-11-18T10:00:00", "2024-07-03T10:00:00Z"), ("2026-11-18", ""), ("2026-11-18T10:00:00Z", "")):
        event = {"eventCode": 28, "sequenceGroup": 0, "sequenceNumber": 7, "pumpDateTime": when, "estimatedDateTime": f"{when}Z"}
        done = scrub(capture(LOGS, answer=json.dumps({"events": [event]}).encode()), name="x")
        assert json.loads(done.cassette.exchanges[0].response.body)["events"][0]["estimatedDateTime"] == after
        assert looked_at(done.cassette) == ()


def test_what_stands_behind_a_day_is_read_even_where_the_clock_was_never_set(capture: Build) -> None:
    def event(when: str, properties: Json) -> Json:
        code = 14 if properties else 28
        return {"eventCode": code, "sequenceGroup": 0, "sequenceNumber": 1, "pumpDateTime": when, "eventProperties": properties}

    listed = [event("2026-11-18T03:04:05", {"datePrior": 4394, "dateAfter": 6896}), event("2020-01-12T03:04:05.9087", {})]
    body = json.dumps({"events": [*listed, event("2020-01-13 Marisol", {})]}).encode()
    after = json.loads(scrub(capture(LOGS, answer=body), name="x").cassette.exchanges[0].response.body)["events"]
    assert [one["pumpDateTime"] for one in after] == ["2024-07-03T03:04:05", "2019-07-01T03:04:05.0000", ""]


def test_one_odd_value_does_not_hide_the_others(capture: Build) -> None:
    def event(stamp: Json) -> Json:
        return {
            "deviceAssignmentId": ID,
            "eventCode": 399,
            "sequenceGroup": 0,
            "sequenceNumber": 1,
            "eventProperties": {"egvTimeStamp": stamp},
        }

    body = json.dumps({"events": [event(NOW), event("odd"), event(NOW + 1)]}).encode()
    after = json.loads(scrub(capture(LOGS, answer=body), name="x").cassette.exchanges[0].response.body)["events"]
    assert [one["eventProperties"]["egvTimeStamp"] for one in after] == [THEN, "", THEN + 1]


def test_the_smallest_number_of_the_whole_recording_is_the_base_and_the_gap_behind_it_is_narrow(capture: Build) -> None:
    def answer(*numbers: int, changes: tuple[int, ...] = ()) -> bytes:
        def event(number: int) -> Json:
            return {"deviceAssignmentId": ID, "eventCode": 28, "sequenceGroup": 0, "sequenceNumber": number}

        return json.dumps({"events": list(map(event, numbers)), "clockChanges": list(map(event, changes))}).encode()

    first, second = capture(LOGS, answer=answer(500, 502)), capture(LOGS, answer=answer(503, changes=(95,)))
    both = Capture(exchanges=first.exchanges + second.exchanges, era="2026-10", region="us", clock=first.clock)
    one, other = (json.loads(exchange.response.body) for exchange in scrub(both, name="x").cassette.exchanges)
    assert [event["sequenceNumber"] for event in (*one["events"], *other["events"], *other["clockChanges"])] == [100, 102, 103, 1]


def test_a_float_of_a_record_lies_in_its_fields_bounds_and_a_blank_is_reported(capture: Build) -> None:
    columns: dict[str, list[float]] = {
        "iob": [1.5, 90_871.625, float("nan")],
        "insulinDelivered": [50, -2, -1],
        "insulinRequested": [0, 50.5, float("inf")],
    }
    records = Records.build(code=20, seconds=[NOW] * 3, sequence=[1, 2, 3], columns=columns)
    done = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x")
    after = Records.from_body(done.cassette.exchanges[0].response.body).columns(20)
    assert after["iob"].tolist() == [1.5, 0, 0]
    assert after["insulinDelivered"].tolist() == [50, 0, -1]
    assert after["insulinRequested"].tolist() == [0, 0, 0]
    names = sorted(columns, key=[field.name for field in EVENTS[20].fields].index)
    assert [str(one) for one in done.findings] == [
        f"#1 response body[].{name}: not what event 20 can hold there; blanked" for name in names
    ]


MOST: list[tuple[int, str, tuple[float, float, float]]] = [
    (3, "commandedBasalRate", (15, 15.5, 0.763)),
    (279, "profileBasalRate", (15_000, 15_001, 65_535)),
    (279, "algorithmRate", (15_000, 19_809, 65_535)),  # 19809: two letters
    (280, "requestedNow", (25_000, 25_001, 65_535)),
    (280, "deliveredTotal", (50_000, 50_001, 0)),
    (20, "insulinRequested", (50, 113.748, 1.5)),
    (21, "insulinDelivered", (50, 113.748, 1.5)),
    (55, "bolusSize", (50, 113.748, 1.5)),
    (59, "bolexSize", (50, 113.748, 1.5)),
    (66, "totalBolusSize", (50, 113.748, 1.5)),
    (66, "correctionBolusSize", (50, 113.748, -1.5)),
    (61, "infusionSetType", (15, 106, 0)),
]


def test_rates_and_boluses_end_where_a_pump_s_settings_do(capture: Build) -> None:
    for code, name, (most, beyond, other) in MOST:
        columns = {name: [most, beyond, other]}
        records = Records.build(code=code, seconds=[NOW] * 3, sequence=[1, 2, 3], columns=columns)
        done = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x")
        after = Records.from_body(done.cassette.exchanges[0].response.body).columns(code)[name].tolist()
        assert after == pytest.approx([most, 0, other]), name
        assert [str(one) for one in done.findings] == [f"#1 response body[].{name}: not what event {code} can hold there; blanked"]


def test_no_kept_field_has_room_for_a_serial_number() -> None:
    for event in EVENTS.values():
        for field in event.fields:
            if treatment(policy(), field) == "keep" and field.meaning != "bitmask":
                wide = [one for one in ranges(policy(), field) if one[0] < one[1]]
                assert not any(low < 99_999_999 and high >= 10_000_000 for low, high in wide), field.name


def test_a_sequence_group_is_its_place_among_those_met(capture: Build) -> None:
    def event(group: Json, number: int) -> Json:
        return {"deviceAssignmentId": ID, "eventCode": 28, "sequenceGroup": group, "sequenceNumber": number}

    groups: list[Json] = [90_871_624, 7, "x", 7, 1 << 63, 1 << 62]
    for status in (200, 302):
        body = json.dumps({"events": [event(group, 900 + at) for at, group in enumerate(groups)]}).encode()
        after = json.loads(scrub(capture(LOGS, answer=body, status=status), name="x").cassette.exchanges[0].response.body)["events"]
        assert [(one["sequenceGroup"], one["sequenceNumber"]) for one in after] == [(2, 1), (1, 1), ("", 1), (1, 3), (0, 3), (3, 1)]


def test_sequence_groups_count_apart(capture: Build) -> None:
    def event(group: int, number: int) -> Json:
        return {"deviceAssignmentId": ID, "eventCode": 28, "sequenceGroup": group, "sequenceNumber": number}

    body = json.dumps({"events": [event(0, 900), event(1, 7), event(0, 901), event(1, 9)]}).encode()
    after = json.loads(scrub(capture(LOGS, answer=body), name="x").cassette.exchanges[0].response.body)["events"]
    assert [(one["sequenceGroup"], one["sequenceNumber"]) for one in after] == [(0, 1), (1, 1), (0, 2), (1, 3)]


def test_no_bolus_is_not_the_first_bolus() -> None:
    device = Device()
    device.meet_bolus(0, 5, 0)
    device.meet_bolus(0, 9, 4001)
    device.meet_bolus(0, 7, 4000)
    assert device.boluses([4000, 4001]) == [1, 2]


def test_the_upper_bits_of_the_source_go(capture: Build) -> None:
    records = Records.build(code=28, seconds=[NOW], sequence=[1], source=0xF)
    done = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x")
    found = Records.from_body(done.cassette.exchanges[0].response.body)
    assert (found.source.tolist(), found.code.tolist()) == ([1], [28])


@given(st.integers(1, 65_535), st.lists(st.integers(0, 65_535), max_size=6))
def test_bolus_ids_are_a_ring_and_none_stays_none(first: int, ids: list[int]) -> None:
    def counted(values: list[int]) -> list[int]:
        device = Device()
        for sequence, value in enumerate(values, 1):
            device.meet_bolus(0, sequence, value)
        return device.boluses(values)

    rebased = counted([first, 0, *ids])
    assert rebased[:2] == [1, 0]
    assert {*rebased, 0} == set(range(len({first, 0, *ids}))), "none is left out"
    behind = [(one - first) % 65_535 for one in (first, *ids) if one]
    assert [sorted({*behind}).index(one) + 1 for one in behind] == [one for one in rebased if one], "in their order"
    assert counted(rebased) == rebased


def test_a_clock_change_in_a_record_keeps_no_milliseconds(capture: Build) -> None:
    records = Records.build(code=13, seconds=NOW, sequence=1, columns={"timePrior": 18_994_053, "timeAfter": 86_400_053})
    done = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x")
    after = Records.from_body(done.cassette.exchanges[0].response.body).columns(13)
    assert (after["timePrior"].tolist(), after["timeAfter"].tolist()) == ([18_994_000], [0])
    assert looked_at(done.cassette) == ()


@given(st.integers(0, 4095), st.binary(min_size=16, max_size=16), st.integers(1, 0xFFFFFFFE))
def test_any_record_twice_is_a_record_once(code: int, payload: bytes, seconds: int) -> None:
    from datetime import UTC, datetime

    from tfx.exchange import Headers, Request, Response

    records = Records.build(code=code, seconds=[seconds], sequence=[9]).with_payload(np.frombuffer(payload, np.uint8))
    exchange = Exchange(
        request=Request(method="GET", url=EVENTS_URL),
        response=Response(status=200, headers=Headers([("Content-Type", "application/json")]), body=records.to_body()),
    )
    capture = Capture(exchanges=(exchange,), era="2025", region="us", clock=datetime(2026, 11, 20, tzinfo=UTC))
    once = scrub(capture, name="x").cassette
    twice = scrub(Capture(exchanges=once.exchanges, era="2025", region="us", clock=once.clock), name="x").cassette
    assert once.exchanges == twice.exchanges


def test_every_mark_in_the_table_has_a_fate() -> None:
    fates = {
        field.mark or "none": treatment(policy(), field) for event in EVENTS.values() for field in event.fields if field.origin != "spare"
    }
    assert fates.keys() >= {"none", "C", "D", "I", "V", "W", "?"}
    dated = [field for event in EVENTS.values() for field in event.fields if treatment(policy(), field) == "date"]
    assert all(field.time in ("pump_seconds", "pump_days", "unix_wall", "ms_of_day") for field in dated)
    kept = [field for event in EVENTS.values() for field in event.fields if treatment(policy(), field) == "keep"]
    assert not [field.name for field in kept if field.time != "none"], "nothing that tells a time is kept as it is"


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (1.8189592, "1.819"),
        (0.028, "0.028"),
        (198.625, "198.625"),
        (905.56643, "None"),
        (200.90556643, "200.906"),
        (1.1374829, "1.137"),
        (30.0, "30"),
        (-0.0, "0"),
        (29.99996, "30"),
    ],
)
def test_a_float_has_the_digits_of_a_dose(value: float, after: str) -> None:
    field = layout(33)["v2Volume"]
    column = column_of(policy(), field)
    context = Context(device=Device(), moments=Device().moments(0))
    found = column([30, value], context)
    assert str(found and found[1]) == after
    assert found is None or column(found, context) is found


@pytest.mark.parametrize(("text", "known"), [("20,4000,21", "20,21"), ("20,20,57", "20,57"), ("90556643,28", "28"), ("", "")])
def test_only_known_event_codes_are_asked_for(text: str, known: str) -> None:
    run = Run(policy=policy(), clock=datetime(2026, 11, 18, tzinfo=UTC))
    assert codes(text, "", run) == known
    assert are_codes(known)
    assert are_codes(text) == (text == known)


NUMBERS = st.lists(st.integers(1, 400) | st.integers(1, 0xFFFFFFFF), min_size=1, max_size=12, unique=True)


@given(NUMBERS, st.integers(0, 3))
def test_sequence_numbers_keep_their_order_and_no_gap_tells_a_number(numbers: list[int], group: int) -> None:
    device = Device()
    device.meet(group, numbers)
    after = device.sequences(group, numbers)
    assert sorted(range(len(numbers)), key=after.__getitem__) == sorted(range(len(numbers)), key=numbers.__getitem__)
    rebased = sorted(after)
    assert rebased[0] == 1
    assert len(set(rebased)) == len(rebased)
    assert max((after - before for before, after in pairwise(rebased)), default=0) <= WIDEST_GAP
    again = Device()
    again.meet(group, after)
    assert again.sequences(group, after) == after
    assert device.sequences(group, [0]) == [0], "a blank is no number"


def test_an_outlier_among_sequence_numbers_does_not_stand_in_either_carrier(capture: Build) -> None:
    numbers = [500, 502, 73_519_285, 0x5A627973]  # an identifier, and `Zbys`
    events = [{"deviceAssignmentId": ID, "eventCode": 28, "sequenceGroup": 3, "sequenceNumber": number} for number in numbers]
    done = scrub(capture(LOGS, answer=json.dumps({"events": events}).encode()), name="x").cassette
    after = json.loads(done.exchanges[0].response.body)["events"]
    assert [one["sequenceNumber"] for one in after] == [1, 3, 102, 201]
    records = Records.build(code=28, seconds=[NOW] * 4, sequence=numbers)
    old = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x").cassette
    assert Records.from_body(old.exchanges[0].response.body).sequence.tolist() == [1, 3, 102, 201]
    wide = Records.build(code=28, seconds=[NOW] * 2, sequence=[1, 102])
    forged = replace(old, exchanges=(old.exchanges[0].replacing(response=replace(old.exchanges[0].response, body=wide.to_body())),))
    assert any("record of event 28" in str(finding) for finding in looked_at(forged))


AMOUNT_UNITS = {"units", "units/h", "milliunits", "milliunits/h", "g", "g/u", "mAh", "counts"}


def test_no_kept_field_but_an_amount_has_room_for_six_digits() -> None:
    room: dict[str, int] = {}
    for event in EVENTS.values():
        for field in event.fields:
            if treatment(policy(), field) == "keep" and field.unit not in AMOUNT_UNITS and field.type != "float32":
                inside = ranges(policy(), field)
                values = 1 << len(bits_of(inside)) if field.meaning == "bitmask" else sum(int(high - low) + 1 for low, high in inside)
                room[field.name] = max(room.get(field.name, 0), values)
    assert max(room.values()) < 60_000
    assert not [name for name, values in room.items() if values > 20_010 and "art" not in name], room


@pytest.mark.parametrize("code", [3, 11, 20, 60, 61, 90, 99, 140, 191, 203, 256, 279, 307, 313, 371])
def test_a_state_out_of_its_range_goes_from_both_carriers(capture: Build, code: int) -> None:
    fields = [one for one in EVENTS[code].fields if treatment(policy(), one) == "keep" and not one.unit and one.width > 1]
    columns = {one.name: [one.bounds[1]] for one in EVENTS[code].fields if one in fields or one.mark == "V"}
    records = Records.build(code=code, seconds=[NOW], sequence=[1], columns=columns)
    old = scrub(capture(EVENTS_URL, answer=records.to_body(), era="2025"), name="x")
    after = Records.from_body(old.cassette.exchanges[0].response.body).columns(code)
    assert not any(after[name].any() for name in columns)
    assert len(old.findings) == len(fields)
    new = scrub(capture(LOGS, answer=json.dumps({"events": events_from_records(records, device_assignment_id=ID)}).encode()), name="x")
    properties = json.loads(new.cassette.exchanges[0].response.body)["events"][0]["eventProperties"]
    assert not any(properties[name] for name in columns if name in properties)
    assert len(new.findings) == len(fields)
