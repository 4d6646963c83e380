"""Dates stored as numbers move as dates do, by list and by numpy column alike."""

# ruff: noqa: DTZ001  # tables; and pump clocks have no zone

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.places.pumprecords import moved_days, moved_seconds
from sanitizer.replacements.moments import DAY, FIRST_DAY, LAST_DAY, NEVER_DAY, UNIX_OF_PUMP_EPOCH, Moments, unset_until

SHIFT = -868  # 124 weeks
NOW = 6_896  # 2026-11-18 in days since 2008

numbers = st.integers(0, 0xFFFFFFFF)
moments = st.builds(Moments, shift=st.integers(-400, 700).map(lambda weeks: weeks * 7), unset_until=st.integers(-1, 7_000))


@pytest.mark.parametrize(
    ("stored", "after", "_why"),
    [
        (NOW * DAY + 61, (NOW + SHIFT) * DAY + 61, "a day of the recording, time of day kept"),
        (0, 0, "no time"),
        (0xFFFFFFFF, 0xFFFFFFFF, "no time"),
        (4_394 * DAY + 5, FIRST_DAY * DAY + 5, "the factory date: shifted, it would tell the shift"),
        (20 * DAY, FIRST_DAY * DAY, "long before the window"),
        (40_000 * DAY + 9, NEVER_DAY * DAY + 9, "a bogus future"),
    ],
)
def test_pump_seconds(stored: int, after: int, _why: str) -> None:
    device = Moments(shift=SHIFT, unset_until=4_394 + 31)
    assert device.seconds([stored]) == [after]
    assert device.seconds([NOW * DAY, stored]) == [(NOW + SHIFT) * DAY, after], "among others too"


def test_unix_seconds_of_the_wall_clock_have_another_zero() -> None:
    stored = UNIX_OF_PUMP_EPOCH + NOW * DAY + 61
    assert Moments(shift=SHIFT).unix([stored, 0]) == [stored + SHIFT * DAY, 0]
    assert Moments(shift=SHIFT).unix([61]) == [UNIX_OF_PUMP_EPOCH + FIRST_DAY * DAY + (61 - UNIX_OF_PUMP_EPOCH) % DAY], "1970 is outside"


@given(moments, st.lists(numbers, max_size=8))
def test_lists_and_columns_agree(device: Moments, stored: list[int]) -> None:
    column = np.array(stored, np.int64)
    assert device.seconds(stored) == moved_seconds(column, device).tolist()
    assert device.unix(stored) == moved_seconds(column, device, UNIX_OF_PUMP_EPOCH).tolist()
    assert [device.day(value) for value in stored] == moved_days(column, device).tolist()


@given(moments, numbers)
def test_every_moment_ends_inside_the_window_and_stays_there(device: Moments, stored: int) -> None:
    (moved,) = device.seconds([stored])
    assert stored in (0, 0xFFFFFFFF) or FIRST_DAY <= moved // DAY <= LAST_DAY or moved // DAY == NEVER_DAY
    assert Moments(shift=0).seconds([moved]) == [moved]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2026, 11, 18)), st.integers(-100, 100))
def test_whole_weeks_apart_meet(moment: datetime, weeks: int) -> None:
    stored = int((moment - datetime(2008, 1, 1)) / timedelta(seconds=1))
    assert Moments(shift=SHIFT).seconds([stored]) == Moments(shift=SHIFT - weeks * 7).seconds([stored + weeks * 7 * DAY])


@pytest.mark.parametrize(
    ("changes", "until", "_why"),
    [
        ([], -1, "no date change at all"),
        ([(6_530, 6_531)], -1, "midnight, or a correction"),
        ([(6_531, 6_530)], -1, "back"),
        ([(4_394, 6_410)], 4_425, "the first setting of a new pump"),
        ([(4_394, 6_410), (6_530, 6_531), (4_394, 6_900)], 4_425, "set twice: the battery ran out"),
        ([(0, 6_410)], -1, "no date before"),
        ([(FIRST_DAY, 6_029)], FIRST_DAY, "on a cassette: the days behind the first are real ones"),
    ],
)
def test_how_long_a_clock_was_not_set(changes: list[tuple[int, int]], until: int, _why: str) -> None:
    assert unset_until(changes) == until


UNSET = [
    ("2020-01-12T03:04:05", True, "dated by the factory clock"),
    ("2026-11-18T03:04:05", False, "dated by a set clock"),
    ("2008-01-01T00:00:00", False, "no date: a sentinel"),
    ("nonsense", False, "left for the rule of dates to refuse"),
]


def test_a_text_dated_by_a_factory_clock_is_told() -> None:
    for text, unset, why in UNSET:
        assert Moments(shift=SHIFT, unset_until=4_425).is_unset(text) == unset, why
        assert not Moments(shift=SHIFT).is_unset(text), "a device that was always set has no such texts"
