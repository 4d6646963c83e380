"""Records: bytes in, columns out, bytes back; against tconnectsync's parser field by field."""

import base64
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tconnectsync.eventparser.events import EVENT_IDS
from tconnectsync.eventparser.generic import Event, Events

from tandem.clock import texts
from tandem.events import EVENTS, RECORD_LENGTH
from tandem.records import Records
from tfx.errors import FormatError

CODES = st.one_of(st.sampled_from(sorted(EVENTS)), st.integers(0, 0xFFF))
STREAMS = st.lists(
    st.builds(
        lambda source, code, rest: struct.pack(">H", source << 12 | code) + rest,
        st.integers(0, 15),
        CODES,
        st.binary(min_size=24, max_size=24),
    ),
    max_size=30,
).map(b"".join)

# 399, 2025-12-05 06:17:39, sequence 7; rate -3, back-fill, 145 mg/dL: made up, laid out by hand.
READING = bytes.fromhex("018f" "21b8f683" "00000007" "fd020000" "0091bf20" "21b8f600" "000001e2")  # fmt: skip


def records(code: int, count: int = 1, seed: int = 0) -> Records:
    rows = np.random.default_rng(seed).integers(0, 256, (count, RECORD_LENGTH), dtype=np.uint8)
    return Records(rows=rows).with_header(code=code, source=0)


def test_a_record_by_hand() -> None:
    reading = Records.parse(READING)
    assert (reading.code.item(), reading.source.item(), reading.sequence.item()) == (399, 0, 7)
    assert texts(reading.seconds) == ["2025-12-05T06:17:39"]
    decoded = {name: column.item() for name, column in reading.columns(399).items()}
    assert decoded == {
        "glucoseValueStatus": 0,
        "cgmDataType": 2,
        "rate": -3,
        "algorithmState": 32,
        "rssi": -65,
        "currentGlucoseDisplayValue": 145,
        "egvTimeStamp": 0x21B8F600,
        "egvInfoBitmask": 0x1E2,
        "interval": 0,
        "reservedD15": 0,
    }


def test_the_battery_of_81_is_read_as_the_pump_writes_it() -> None:
    record = Records.parse(bytes.fromhex("0051" "21b8f683" "00000008" + "00" * 12 + "0f404100"))  # fmt: skip
    battery = {name: column.item() for name, column in record.columns(81).items() if name.startswith("battery")}
    assert battery == {"batteryStatus": 0, "batteryChargePercent": 65, "batteryLipoMilliVolts": 3904}


@given(STREAMS)
def test_bytes_survive_parsing_unknown_codes_included(stream: bytes) -> None:
    parsed = Records.parse(stream)
    assert parsed.to_bytes() == stream
    assert Records.from_base64(parsed.to_base64()) == parsed
    assert Records.from_body(parsed.to_body()) == parsed
    assert Records.join([parsed.take(slice(0, 3)), parsed.take(slice(3, None))]) == parsed


@given(STREAMS)
def test_groups_hold_every_record_once_in_order(stream: bytes) -> None:
    parsed = Records.parse(stream)
    rows = np.zeros_like(parsed.rows)
    for code, which, group in parsed.groups():
        assert (np.diff(which) > 0).all()
        assert group == parsed.select(code)
        rows[which] = group.rows
    assert Records(rows=rows) == parsed


def test_writing_the_decoded_columns_changes_nothing() -> None:
    for code in (*EVENTS, 57, 4000):
        some = records(code, count=200, seed=code)
        assert some.with_columns(code, some.columns(code)) == some, code


def test_building_from_columns_gives_the_same_fields() -> None:
    for code in (*EVENTS, 57, 4000):
        some = records(code, count=50, seed=code)
        built = Records.build(code=code, seconds=some.seconds, sequence=some.sequence, columns=some.columns(code))
        named = [field.offset + byte for field in (EVENTS[code].fields if code in EVENTS else ()) for byte in range(field.width)]
        assert (built.rows[:, :10] == some.rows[:, :10]).all(), code
        assert (built.rows[:, named] == some.rows[:, named]).all(), code
        if code not in EVENTS:
            assert built == some, code


@pytest.mark.parametrize("bits", ["7fc00001", "7f800001", "ffc12345", "80000000", "7f800000", "00000001"])
def test_odd_floats_keep_their_bits(bits: str) -> None:
    some = records(4).with_payload(np.frombuffer(bytes.fromhex("00" * 12 + bits), np.uint8))
    assert some.with_columns(4, some.columns(4)).to_bytes()[-4:].hex() == bits


def test_tconnectsync_decodes_the_same_values() -> None:
    for code in EVENTS:
        some = records(code, count=25, seed=code + 1)
        columns = some.columns(code)
        if code == 81:  # its published battery layout is wrong; these are the bytes it takes them from
            word = some.payload[:, 12:].astype(int)
            columns = {name: column for name, column in columns.items() if not name.startswith("battery")}
            columns |= {"batteryChargePercentMSBRaw": word[:, 0], "batteryChargePercentLSBRaw": word[:, 1]}
            columns |= {"batteryLipoMilliVolts": word[:, 2] * 256 + word[:, 3]}
        theirs = list(Events(some.to_bytes()))
        known = set(EVENT_IDS[code].__dataclass_fields__) - {"raw"}
        ours = {name if name in known else f"{name}Raw": column for name, column in columns.items()}
        assert known <= set(ours), code
        assert [event.raw.timestampRaw for event in theirs] == some.seconds.tolist(), code
        assert [event.seqNum for event in theirs] == some.sequence.tolist(), code
        for name in known:
            np.testing.assert_array_equal([getattr(event, name) for event in theirs], ours[name], err_msg=name)


def test_tconnectsync_hands_unknown_codes_on_with_the_same_header() -> None:
    raw = Event(bytearray(records(4000, seed=3).to_bytes()))
    some = records(4000, seed=3)
    assert (raw.id, raw.timestampRaw, raw.seqNum) == (some.code.item(), some.seconds.item(), some.sequence.item())


def test_replacing_one_field_touches_no_other_byte() -> None:
    mixed = Records.join([records(399, 3, seed=1), records(280, 2, seed=2), records(4000, 1, seed=3)])
    changed = mixed.with_columns(280, {"bolusId": [1, 2]})
    places = np.argwhere(changed.rows != mixed.rows)
    assert {tuple(place) for place in places.tolist()} <= {(3, 12), (3, 13), (4, 12), (4, 13)}
    assert changed.columns(280)["bolusId"].tolist() == [1, 2]


def test_replacing_the_header_keeps_payloads_and_the_rest_of_the_header() -> None:
    some = records(256, 4, seed=9).with_header(source=1)
    moved = some.with_header(seconds=some.seconds // 2, sequence=np.arange(4))
    assert moved.seconds.tolist() == (some.seconds // 2).tolist()
    assert moved.sequence.tolist() == [0, 1, 2, 3]
    assert (moved.payload == some.payload).all()
    assert moved.source.tolist() == [1] * 4
    assert moved.code.tolist() == [256] * 4


def test_records_cannot_be_written_to() -> None:
    some = records(4)
    with pytest.raises(ValueError, match="read-only"):
        some.rows[0, 0] = 1


def test_the_repr_shows_a_count_only() -> None:
    assert repr(records(4, 3)) == "Records(3)"


def test_no_records_are_records_too() -> None:
    none = Records.parse(b"")
    assert none.to_body() == b'""'
    assert Records.from_body(b'""') == none
    assert none.columns(399)["rate"].shape == (0,)
    assert list(none.groups()) == []
    assert Records.join([]) == none
    assert Records.build(code=399, seconds=[], sequence=[]) == none


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the pumpevents answer of 0 bytes is not JSON; fetch that window again"),
        (b"[]", "the pumpevents answer is a JSON list, not a string of base64"),
        (b'"AA=A"', "the pump event stream is not base64 (4 characters); fetch that window again"),
        (
            json.dumps(base64.b64encode(bytes(30)).decode()).encode(),
            "the pump event stream of 30 bytes ends inside a record: 4 of 26 bytes at offset 26 (record 1); fetch that window again",
        ),
    ],
)
def test_a_broken_body_is_named_as_such(body: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Records.from_body(body)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"bolusid": 1}, "event 21 has no field bolusid; it has completionStatus, bolusId, iob, insulinDelivered, insulinRequested"),
        ({"bolusId": 65536}, "event 21, field bolusId: a number is outside 0 to 65535"),
        ({"bolusId": [-1, 0]}, "event 21, field bolusId: a number is outside 0 to 65535"),
        ({"bolusId": 1.5}, "event 21, field bolusId: not whole numbers"),
        ({"bolusId": [1, 2, 3]}, "event 21, field bolusId: 3 numbers for 2 records"),
        ({"iob": 1e39}, "event 21, field iob: a number is beyond what 32-bit floats hold"),
        ({"iob": "1"}, "event 21, field iob: not numbers"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        records(21, 2).with_columns(21, columns)  # type: ignore[arg-type]  # wrong on purpose
    assert str(caught.value) == message


def test_build_refuses_uneven_columns_and_shapes() -> None:
    with pytest.raises(FormatError, match="columns for event 279 are of different lengths"):
        Records.build(code=279, seconds=[1, 2], sequence=[1, 2, 3])
    with pytest.raises(FormatError, match=r"rows of 26 bytes, not an array of shape \(1, 25\)"):
        Records(rows=np.zeros((1, 25), np.uint8))
