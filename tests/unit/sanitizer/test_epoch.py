"""One epoch: dates move by whole weeks, sentinels stay, nothing leaves the window."""

# ruff: noqa: DTZ001  # tables; and pump clocks have no zone

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.replacements.epoch import (
    ANCHOR,
    COOKIE_EXPIRED,
    COOKIE_EXPIRES,
    EXPIRES,
    FIRST,
    ISSUED,
    LAST,
    NEVER,
    Epoch,
    Odd,
    cookie_expiry,
    is_inside,
)

CLOCK = datetime(2026, 11, 18, 20, 30, 5, tzinfo=UTC)  # a Wednesday; its Monday is 2026-11-16, 124 weeks after the anchor

MOVED = [
    ("2026-11-18", "2024-07-03", "a bare day"),
    ("2026-04-30T00:00:06", "2023-12-14T00:00:06", "a pump's wall time"),
    ("2026-04-30T00:00:06Z", "2023-12-14T00:00:06Z", "the same, said to be UTC"),
    ("2026-11-12T22:47:30.16", "2024-06-27T22:47:30.00", "two digits of fraction, as lastUploadedAt: zeros"),
    ("2026-11-10T21:07:43.497", "2024-06-25T21:07:43.000", "three"),
    ("2026-11-10T21:07:43.9087162", "2024-06-25T21:07:43.0000000", "seven, as .NET writes them; room for a serial number"),
    ("2026-02-10T12:24:16.063+00:00", "2023-09-26T12:24:16.000+00:00", "an offset, as assignedAt"),
    ("2026-02-10T12:24:16-00:00", "2023-09-26T12:24:16-00:00", "zero the other way"),
    ("2026-02-10T12:24:16-0800", "2023-09-26T12:24:16+0000", "an offset says where somebody lives"),
    ("2026-02-10T12:24:16.1+09:08", "2023-09-26T12:24:16.0+00:00", "or anything else of four digits"),
    ("1970-01-01T00:00:00.123456Z", "1970-01-01T00:00:00.000000Z", "a sentinel with something behind it"),
    ("2016-05-05T10:11:12", "2019-07-01T10:11:12", "before the window: its first day, time of day kept"),
    ("2077-01-01T00:00:00", "2099-12-31T00:00:00", "a bogus future: the fixed one"),
]
STAYS = [
    ("0001-01-01T00:00:00", ".NET's smallest date"),
    ("1970-01-01T00:00:00Z", "Unix zero"),
    ("2008-01-01T00:00:00", "the pump's zero"),
    ("9999-12-31", "SQL's for ever"),
]
NO_DATES = [
    "",
    "yesterday",
    "2026-13-01",
    "2026-02-30",
    "2026-1-1",
    "18.11.2026",
    "2026-11-18T",
    "2026-11-18T10:00:00 Marisol",
    "٢٠٢٦-11-18",
    "2026-11-18\n",
    "2026-11-18T90:87",
    "2026-11-18T10:60:00",
    "2026-11-18T10:00:71",
    "2026-11-18T10:00.624",
    "2026-11-18T10:00:00.٠٦",
    "2026-11-18T10:00:00+9",
]


@pytest.mark.parametrize(("before", "after", "_why"), MOVED)
def test_a_date_moves_and_keeps_its_spelling(before: str, after: str, _why: str) -> None:
    assert Epoch(CLOCK).iso(before) == after


@pytest.mark.parametrize(("text", "_why"), STAYS)
def test_what_says_no_date_stays(text: str, _why: str) -> None:
    assert Epoch(CLOCK).iso(text) == text


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_odd_and_not_inside(text: str) -> None:
    with pytest.raises(Odd):
        Epoch(CLOCK).iso(text)
    assert not is_inside(text)


def test_what_a_date_may_say_is_what_moving_leaves_of_it() -> None:
    for before, after, why in MOVED:
        assert is_inside(after), why
        changed = before[10:] != after[10:]
        assert is_inside(after[:10] + before[10:]) != changed, why


def test_an_odd_value_carries_no_text() -> None:
    with pytest.raises(Odd) as caught:
        Epoch(CLOCK).iso("Marisol")
    assert str(caught.value) == ""


@given(
    st.datetimes(min_value=datetime(2012, 1, 1), max_value=datetime(2090, 1, 1)), st.datetimes(datetime(2010, 1, 1), datetime(2098, 1, 1))
)
def test_every_date_ends_inside_the_window_and_stays_there(clock: datetime, moment: datetime) -> None:
    moved = Epoch(clock.replace(tzinfo=UTC)).iso(moment.isoformat())
    assert is_inside(moved)
    assert moved[10:19] == moment.isoformat()[10:19], "the time of day stays"
    assert not moved[19:].strip(".0"), "a fraction says nothing"
    assert Epoch(datetime.combine(ANCHOR, clock.time(), UTC)).iso(moved) == moved


@given(st.datetimes(min_value=datetime(2012, 1, 1), max_value=datetime(2090, 1, 1)), st.integers(-200, 200))
def test_recordings_whole_weeks_apart_meet(clock: datetime, weeks: int) -> None:
    aware = clock.replace(tzinfo=UTC)
    apart = timedelta(weeks=weeks)
    other = Epoch(aware + apart)
    assert Epoch(aware).clock(aware) == other.clock(aware + apart)
    earlier = clock.date() - timedelta(days=3)
    assert Epoch(aware).iso(earlier.isoformat()) == other.iso((earlier + apart).isoformat())


@given(st.datetimes(min_value=datetime(2012, 1, 1), max_value=datetime(2090, 1, 1)))
def test_the_shift_is_whole_weeks_and_lands_in_the_anchor_week(clock: datetime) -> None:
    epoch = Epoch(clock.replace(tzinfo=UTC))
    assert epoch.days % 7 == 0
    assert ANCHOR <= epoch.clock(clock.replace(tzinfo=UTC)).date() < ANCHOR + timedelta(days=7)


def test_the_clock_counts_in_utc() -> None:
    # Sunday evening in California is Monday in UTC, the next week.
    sunday = datetime(2026, 11, 15, 20, 0, tzinfo=timezone(timedelta(hours=-8)))
    assert Epoch(sunday).clock(sunday) == datetime(2024, 7, 1, 4, 0, tzinfo=UTC)


def test_the_window_is_what_the_decision_says() -> None:
    assert (date(2019, 7, 1), date(2024, 7, 1), date(2024, 7, 21), date(2099, 12, 31)) == (FIRST, ANCHOR, LAST, NEVER)
    assert FIRST.weekday() == ANCHOR.weekday() == 0
    assert datetime.fromtimestamp(ISSUED, UTC).isoformat() == "2024-06-30T00:00:00+00:00"
    assert datetime.fromtimestamp(EXPIRES, UTC).isoformat() == "2100-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "after", "_why"),
    [
        ("Thu, 19 Nov 2026 20:30:05 GMT", COOKIE_EXPIRES, "alive at the end of the recording: for ever"),
        ("Thu, 19-Nov-2026 20:30:05 GMT", COOKIE_EXPIRES, "with dashes, as Netscape wrote them"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", COOKIE_EXPIRED, "being deleted"),
        ("Wed, 18 Nov 2026 20:30:04 GMT", COOKIE_EXPIRED, "dead by a second"),
        ("soon", COOKIE_EXPIRED, "nobody can read it"),
        ("", COOKIE_EXPIRED, "nothing there"),
        (COOKIE_EXPIRES, COOKIE_EXPIRES, "already ours"),
        (COOKIE_EXPIRED, COOKIE_EXPIRED, "already ours"),
    ],
)
def test_a_cookie_is_alive_for_ever_or_deleted(text: str, after: str, _why: str) -> None:
    assert cookie_expiry(text, CLOCK) == after
