"""Instants: the standard library's answer for every ordinary time, and marks where there is more than one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.clock import PUMP_EPOCH, seconds_of
from tandem.clocklife import ClockChange, life
from tandem.instants import (
    AMBIGUOUS,
    ASSUMED,
    BY_CLOCK_CHANGE,
    MISSING,
    NOT_A_TIME,
    SURE,
    clock_changes,
    instants,
)
from tandem.records import Records

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Casablanca"), ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia"), ZoneInfo("Europe/Istanbul"),  # no summer time, and another offset once
]  # fmt: skip


def wall(seconds: int) -> datetime:
    return PUMP_EPOCH + timedelta(seconds=seconds)


def at(text: str) -> int:
    return seconds_of(datetime.fromisoformat(text))


def utc(moments: np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]) -> list[str]:
    return [str(moment) for moment in moments.astype("datetime64[s]")]


@given(st.lists(st.integers(1, 1_500_000_000), min_size=1), st.sampled_from(ZONES))
def test_every_instant_is_the_standard_librarys(seconds: list[int], zone: ZoneInfo) -> None:
    found = instants(seconds, zone)
    expected = [moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None) for moment in map(wall, seconds)]
    assert found.utc.astype("O").tolist() == expected


@given(st.integers(at("2025-01-01T00:00:00"), at("2026-12-31T00:00:00")), st.sampled_from(ZONES))
def test_a_time_is_marked_exactly_where_the_two_folds_differ(seconds: int, zone: ZoneInfo) -> None:
    moment = wall(seconds)
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    expected = SURE if first == second else AMBIGUOUS if first > second else MISSING
    assert instants([seconds], zone).status.tolist() == [expected]


@pytest.mark.parametrize(
    ("text", "zone", "instant", "status", "why"),
    [
        ("2025-10-26T01:59:59", BERLIN, "2025-10-25T23:59:59", SURE, "before the repeated hour"),
        ("2025-10-26T02:00:00", BERLIN, "2025-10-26T00:00:00", AMBIGUOUS, "its first second, first time round"),
        ("2025-10-26T03:00:00", BERLIN, "2025-10-26T02:00:00", SURE, "after it"),
        ("2025-03-30T02:30:00", BERLIN, "2025-03-30T01:30:00", MISSING, "skipped: the pump was not set yet"),
        ("2025-03-30T03:00:00", BERLIN, "2025-03-30T01:00:00", SURE, "after the gap"),
        ("2025-11-02T01:30:00", NEW_YORK, "2025-11-02T05:30:00", AMBIGUOUS, "the American one is a week later"),
    ],
)
def test_hours_that_repeat_or_miss(text: str, zone: ZoneInfo, instant: str, status: int, why: str) -> None:
    found = instants([at(text)], zone)
    assert (utc(found.utc), found.status.tolist()) == ([instant], [status]), why


def test_sentinels_have_no_instant() -> None:
    found = instants([0, 0xFFFFFFFF, 1], BERLIN)
    assert np.isnat(found.utc).tolist() == [True, True, False]
    assert found.status.tolist() == [NOT_A_TIME, NOT_A_TIME, SURE]
    assert np.isnat(instants([0], BERLIN).utc).all()
    assert instants([], BERLIN).utc.shape == (0,)


def test_a_clock_change_in_the_repeated_hour_tells_its_two_rounds_apart() -> None:
    change = ClockChange(sequence=102, shift=-3600, seconds=at("2025-10-26T02:00:05"))
    walls = [at("2025-10-26T02:10:00"), at("2025-10-26T02:50:00"), at("2025-10-26T02:10:00"), at("2025-10-26T02:50:00")]
    found = instants(walls, BERLIN, sequence=[100, 101, 103, 104], changes=[change])
    assert utc(found.utc) == ["2025-10-26T00:10:00", "2025-10-26T00:50:00", "2025-10-26T01:10:00", "2025-10-26T01:50:00"]
    assert found.status.tolist() == [BY_CLOCK_CHANGE] * 4


def test_a_clock_set_late_keeps_the_old_offset_until_then() -> None:
    change = ClockChange(sequence=102, shift=-3621, seconds=at("2025-11-02T15:27:37"))
    walls = [at("2025-07-01T12:00:00"), at("2025-11-02T16:27:00"), at("2025-11-02T15:28:00")]
    found = instants(walls, NEW_YORK, sequence=[100, 101, 103], changes=[change])
    # It was 21 seconds fast before; since when, nobody knows.
    assert utc(found.utc) == ["2025-07-01T15:59:39", "2025-11-02T20:26:39", "2025-11-02T20:28:00"]
    assert found.status.tolist() == [BY_CLOCK_CHANGE, BY_CLOCK_CHANGE, SURE]


def test_a_clock_set_early_has_the_new_offset_from_then_on() -> None:
    change = ClockChange(sequence=102, shift=3600, seconds=at("2025-03-29T23:00:00"))
    walls = [at("2025-03-29T21:59:00"), at("2025-03-29T23:01:00"), at("2025-03-30T02:30:00")]
    found = instants(walls, BERLIN, sequence=[101, 103, 104], changes=[change])
    assert utc(found.utc) == ["2025-03-29T20:59:00", "2025-03-29T21:01:00", "2025-03-30T00:30:00"]
    assert found.status.tolist() == [SURE, BY_CLOCK_CHANGE, BY_CLOCK_CHANGE]


@pytest.mark.parametrize(
    ("shift", "when", "after", "status", "why"),
    [
        (3600, "2025-10-26T02:00:05", "2025-10-25T23:10:00", ASSUMED, "the wrong way"),
        (-7 * 3600, "2025-10-26T02:00:05", "2025-10-26T08:10:00", ASSUMED, "travel"),
        (-3600, "2025-11-20T02:00:05", "2025-11-20T01:10:00", SURE, "winter time, weeks late"),
        (-3600, "2025-07-20T02:00:05", "2025-07-20T01:10:00", ASSUMED, "an hour in summer: it goes on from where it was"),
    ],
)
def test_time_goes_on_over_any_setting(shift: int, when: str, after: str, status: int, why: str) -> None:
    change = ClockChange(sequence=102, shift=shift, seconds=at(when))
    found = instants([at(when) - shift, at(when), at(when) + 595], BERLIN, sequence=[101, 102, 103], changes=[change])
    assert found.utc[0] == found.utc[1], why
    assert utc(found.utc)[2] == after, why
    assert found.status.tolist()[2] == status, why


def test_clock_changes_are_read_from_records() -> None:
    hour = 3_600_000
    changes = Records.build(
        code=13,
        seconds=[at("2025-10-25T23:30:00"), at("2025-03-30T03:10:00")],
        sequence=[900, 100],
        columns={"timePrior": [hour // 2, 2 * hour + hour // 6], "timeAfter": [23 * hour + hour // 2, 3 * hour + hour // 6]},
    )
    date = Records.build(code=14, seconds=at("2025-10-25T23:30:00"), sequence=901, columns={"datePrior": 6508, "dateAfter": 6507})
    others = Records.build(code=14, seconds=5, sequence=5)
    found = clock_changes(Records.join([others, changes, date]))
    assert found == (
        ClockChange(sequence=100, shift=3600, seconds=at("2025-03-30T03:10:00")),
        ClockChange(sequence=900, shift=23 * 3600, seconds=at("2025-10-25T23:30:00")),
        ClockChange(sequence=901, shift=-24 * 3600, seconds=at("2025-10-25T23:30:00")),
    )
    assert [change.shift for change in life(BERLIN, found).changes] == [3600, -3600], "a date and a time set together are one setting"


def test_nothing_is_carried_across_a_break_and_nothing_is_sure_before_the_next_setting() -> None:
    shown = ["2021-06-10T08:00:00", "2008-01-01T00:00:10", "2021-06-12T12:20:00", "2021-06-12T12:30:00"]
    seconds = [at(text) for text in shown]
    setting = ClockChange(sequence=3, shift=seconds[2] - at("2008-01-01T00:20:00"), seconds=seconds[2])
    found = instants(seconds, BERLIN, sequence=[1, 2, 3, 4], changes=[setting], breaks=[2])
    assert utc(found.utc) == ["2021-06-10T06:00:00", "2021-06-12T10:00:10", "2021-06-12T10:20:00", "2021-06-12T10:30:00"]
    assert found.status.tolist() == [SURE, ASSUMED, SURE, SURE]
    unset = instants(seconds, BERLIN, sequence=[1, 2, 3, 4], breaks=[2])
    assert unset.status.tolist() == [SURE, ASSUMED, ASSUMED, ASSUMED]
