"""The pump's clock: numbers to wall times and back, and what is no time at all."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tconnectsync.eventparser.raw_event import TANDEM_EPOCH

from tandem import clock
from tfx.errors import FormatError

moment = datetime.fromisoformat
SECONDS = st.integers(1, 0xFFFFFFFE)


@pytest.mark.parametrize(
    ("seconds", "expected", "why"),
    [
        (1, moment("2008-01-01T00:00:01"), "the first second that is a time"),
        (537_019_200, moment("2025-01-06T12:00:00"), "a Monday noon"),
        (0xFFFFFFFE, moment("2144-02-07T06:28:14"), "the last"),
        (0, None, "sentinel: never set"),
        (0xFFFFFFFF, None, "sentinel: none"),
    ],
)
def test_seconds_and_walls(seconds: int, expected: datetime | None, why: str) -> None:
    assert clock.walls([seconds]).astype("O").tolist() == [expected], why
    if expected is not None:
        assert clock.seconds_of(expected) == seconds


def test_the_epoch_is_that_of_tconnectsync() -> None:
    assert clock.UNIX_OF_PUMP_EPOCH == TANDEM_EPOCH
    assert clock.PUMP_EPOCH.replace(tzinfo=UTC).timestamp() == TANDEM_EPOCH


@given(st.lists(SECONDS))
def test_many_are_like_one(seconds: list[int]) -> None:
    walls = [clock.PUMP_EPOCH + timedelta(seconds=one) for one in seconds]
    assert clock.walls(seconds).astype("O").tolist() == walls
    assert clock.seconds_of_walls(clock.walls(seconds)).tolist() == seconds
    assert clock.texts(seconds) == [wall.isoformat() for wall in walls]
    assert clock.seconds_of_texts(clock.texts(seconds)).tolist() == seconds


def test_texts_lose_no_sentinel() -> None:
    assert clock.texts([0, 0xFFFFFFFF]) == ["2008-01-01T00:00:00", "2144-02-07T06:28:15"]
    assert clock.seconds_of_texts(clock.texts([0, 0xFFFFFFFF])).tolist() == [0, 0xFFFFFFFF]


@pytest.mark.parametrize(
    ("wall", "why"),
    [
        (moment("2007-12-31T00:00:00"), "before 2008"),
        (moment("2145-01-01T00:00:00"), "after 2144"),
        (moment("2025-01-01T00:00:00+00:00"), "a zone"),
        (moment("2025-01-01T00:00:00.000005"), "a fraction"),
    ],
)
def test_what_pump_seconds_cannot_say_is_refused(wall: datetime, why: str) -> None:
    with pytest.raises(FormatError):
        clock.seconds_of(wall)


def test_times_that_are_none_have_no_seconds() -> None:
    with pytest.raises(FormatError, match="pump seconds are between 2008 and 2144"):
        clock.seconds_of_walls([np.datetime64("NaT")])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-04-30T00:00:06Z", "a zone"),
        ("2026-04-30T00:00:06.5", "a fraction"),
        ("2026-04-30 00:00:06", "no T"),
        ("2026-04-30", "no time"),
        ("2026-13-30T00:00:06", "no such month"),
        ("2026-02-30T00:00:06", "no such day"),
        ("1999-04-30T00:00:06", "before the epoch"),
        ("NaT", "numpy's own word"),
        (5, "a number"),
        (None, "nothing"),
    ],
)
def test_other_texts_are_refused(text: object, why: str) -> None:
    with pytest.raises(FormatError):
        clock.seconds_of_texts(["2026-04-30T00:00:06", text])
