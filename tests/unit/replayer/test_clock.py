"""The clock of a replay: set to an instant, it leaves everything else of time alone."""

import time
from datetime import UTC, datetime

import pytest

from replayer.clock import start


@pytest.mark.parametrize("virtual", [False, True])
def test_the_time_zone_of_the_process_stays(virtual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    stop = start(datetime(2024, 7, 3, 12, 0, tzinfo=UTC), virtual=virtual)
    try:
        assert (time.tzname[0], time.localtime().tm_hour) == ("EST", 8)
    finally:
        stop()
        monkeypatch.undo()
        time.tzset()
