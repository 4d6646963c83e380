"""Windows cover a span exactly."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.windows import Window, windows
from tfx.errors import UsageError

days = st.dates(date(2008, 1, 1), date(2030, 12, 31))


@given(days, st.integers(0, 200), st.integers(1, 28))
def test_windows_cover_every_day_once(since: date, length: int, size: int) -> None:
    cut = windows(since, since + timedelta(days=length), size)
    covered = [window.since + timedelta(days=n) for window in cut for n in range(window.days)]
    assert covered == [since + timedelta(days=n) for n in range(length + 1)]
    assert all(window.days == size for window in cut[:-1])


@pytest.mark.parametrize(
    ("length", "cut", "why"),
    [
        (1, (1,), "a single day is a window"),
        (28, (28,), "exactly one full window, as tconnectsync cuts it"),
        (29, (28, 1), "one day more than the service answers at once"),
        (60, (28, 28, 4), "the rest comes last"),
    ],
)
def test_windows_are_cut_as_tconnectsync_cuts_them(length: int, cut: tuple[int, ...], why: str) -> None:
    since = date(2026, 10, 3)
    assert tuple(window.days for window in windows(since, since + timedelta(days=length - 1))) == cut, why


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot end \(2026-01-01\) before it begins \(2026-01-02\); swap"):
        Window(since=date(2026, 1, 2), until=date(2026, 1, 1))
    with pytest.raises(UsageError, match="at least one day, not 0"):
        windows(date(2026, 1, 1), date(2026, 1, 2), 0)
