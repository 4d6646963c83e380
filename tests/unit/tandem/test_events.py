"""The event table: complete, without overlaps, and the same as tconnectsync's where tconnectsync is right."""

import re

import pytest
from tconnectsync.api.tandemsource import TandemSourceApi
from tconnectsync.eventparser.events import EVENT_IDS, EVENT_NAMES

from tandem.events import (
    CODES_WITHOUT_LAYOUT,
    DEFAULT_CODES,
    EVENTS,
    IDENTITY_CODES,
    PAYLOAD_LENGTH,
    PAYLOAD_START,
    RECORD_LENGTH,
    fields_of,
    spare_name,
    spare_offset,
)


def test_the_codes_and_names_are_those_of_tconnectsync() -> None:
    assert {f"LID_{event.name}": event.code for event in EVENTS.values()} == {name: kind.ID for name, kind in EVENT_NAMES.items()}
    assert set(EVENTS) == set(EVENT_IDS)
    assert len(EVENTS) == 59


def test_the_default_codes_are_those_of_tconnectsync_in_its_order() -> None:
    assert list(DEFAULT_CODES) == TandemSourceApi.DEFAULT_EVENT_IDS
    assert len(DEFAULT_CODES) == 64
    assert CODES_WITHOUT_LAYOUT == (57, 69, 558, 559, 562, 563, 564, 565, 566)


def test_no_two_fields_share_a_byte_and_all_lie_in_the_payload() -> None:
    for code in EVENTS:
        taken = [field.offset + byte for field in EVENTS[code].fields for byte in range(field.width)]
        assert len(taken) == len(set(taken)), code
        assert set(taken) <= set(range(PAYLOAD_START, RECORD_LENGTH)), code
        assert sorted((*taken, *EVENTS[code].unnamed)) == list(range(PAYLOAD_START, RECORD_LENGTH)), code


def test_fields_stand_in_little_endian_order() -> None:
    for code in EVENTS:
        lowest = [min(_little_endian(field.offset + byte) for byte in range(field.width)) for field in EVENTS[code].fields]
        assert lowest == sorted(lowest), code


def _little_endian(offset: int) -> int:
    return next(index for index in range(PAYLOAD_LENGTH) if spare_offset(index) == offset)


@pytest.mark.parametrize(
    ("name", "offset", "why"),
    [
        ("spareA3", 10, "last byte of the first little-endian word is the first in the stream"),
        ("spareA2", 11, "one before"),
        ("spareB6", 15, "second word: bytes 4 to 7 lie at 17 to 14"),
        ("spareD15", 22, "where 256 and 399 have reservedD15"),
        ("spareD12", 25, "first byte of the last word is the last of the record"),
    ],
)
def test_spares_are_named_after_their_byte(name: str, offset: int, why: str) -> None:
    assert spare_name(offset) == name, why
    assert spare_offset(int(name[6:])) == offset, why


def test_named_spares_start_at_the_byte_of_their_name() -> None:
    for code in EVENTS:
        for field in EVENTS[code].fields:
            found = re.fullmatch(r"(?:spare|reserved)([A-D])(\d+)", field.name)
            if found:
                assert spare_offset(int(found[2])) == field.offset + field.width - 1, code
                assert "ABCD"[int(found[2]) // 4] == found[1], code


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        (13, "timePrior", "ms_of_day"),
        (14, "dateAfter", "pump_days"),
        (399, "egvTimeStamp", "pump_seconds"),
        (480, "egvTimeStamp", "pump_seconds"),
        (477, "sessionStartTime", "unix_wall"),
        (447, "sessionStartTime", "device_counter"),
        (394, "cgmTimestamp", "device_counter"),
        (55, "bolusId", "none"),
    ],
)
def test_times_are_told_from_durations(code: int, name: str, kind: str) -> None:
    assert EVENTS[code].field(name).time == kind


def test_an_unknown_field_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="bolus"):
        EVENTS[55].field("bolus")


def test_a_code_without_layout_is_sixteen_bytes_and_the_identities_are_among_them() -> None:
    assert {field.offset for field in fields_of(57)} == set(range(PAYLOAD_START, RECORD_LENGTH))
    assert not set(IDENTITY_CODES) & set(EVENTS)


@pytest.mark.parametrize(
    ("code", "name", "bounds"),
    [
        (280, "bolusId", (0, 65535)),
        (399, "rate", (-128, 127)),
        (480, "rate", (-32768, 32767)),
        (399, "egvTimeStamp", (0, 0xFFFFFFFF)),
        (20, "iob", (0, 0)),
    ],
)
def test_bounds_are_those_of_the_type(code: int, name: str, bounds: tuple[int, int]) -> None:
    assert EVENTS[code].field(name).bounds == bounds
