"""Stamps: every writing the service has comes back to the letter."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.stamp import Stamp
from tfx.errors import FormatError

WRITINGS = [
    ("2026-04-30T00:00:06", "pumpDateTime"),
    ("2026-04-30T00:00:06Z", "estimatedDateTime, which is not UTC"),
    ("2026-03-12T22:47:30.16", "lastUploadedAt: two digits"),
    ("2022-09-10T21:07:43.497", "uploadedTimeStamp: three"),
    ("2022-09-10T21:07:43.4970000", "seven, with zeros that must stay"),
    ("2026-02-10T12:24:16.063+00:00", "assignedAt"),
    ("1970-01-01", "dateOfBirth"),
    ("2199-12-31T23:59:59", "bogus far-future maxDateWithEvents"),
]


@pytest.mark.parametrize(("text", "why"), WRITINGS)
def test_a_stamp_is_written_as_it_was_read(text: str, why: str) -> None:
    assert str(Stamp.parse(text)) == text, why


@pytest.mark.parametrize(("text", "why"), WRITINGS)
@given(weeks=st.integers(-1500, 1500))
def test_whole_weeks_there_and_back_change_nothing_but_the_day(text: str, why: str, weeks: int) -> None:
    moved = Stamp.parse(text).shifted(timedelta(weeks=weeks))
    assert str(moved)[10:] == text[10:]
    assert moved.moment.weekday() == Stamp.parse(text).moment.weekday()
    assert str(moved.shifted(timedelta(weeks=-weeks))) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("2026-4-30", "one digit"),
        ("2026-02-30", "no such day"),
        ("2026-04-30T25:00:00", "no such hour"),
        ("2026-04-30 00:00:06", "a space"),
        ("2026-04-30T00:00:06.", "a point and no digits"),
        ("2026-04-30T00:00:06Z\n", "a line end"),
        ("٢٠٢٦-04-30", "other digits"),
        ("04-30-2026", "the retired controliq order"),
    ],
)
def test_anything_else_is_refused_without_quoting_it(text: str, why: str) -> None:
    with pytest.raises(FormatError) as caught:
        Stamp.parse(text)
    assert str(caught.value) == f"not a date or time as Tandem Source writes it ({len(text)} characters)", why


def test_moves_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(FormatError, match="whole days only"):
        Stamp.parse("2026-04-30").shifted(timedelta(hours=1))
    with pytest.raises(FormatError, match="out of the years 1 to 9999"):
        Stamp.parse("9999-12-31").shifted(timedelta(days=1))


def test_a_stamp_does_not_print_its_moment() -> None:
    assert repr(Stamp.parse("2026-04-30T00:00:06")) == "Stamp(date and time)"
    assert repr([Stamp.parse("1970-01-01")]) == "[Stamp(date)]"
