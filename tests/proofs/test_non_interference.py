"""Who somebody is never shows: many people, weeks, eras and regions give the same bytes as the first of each."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from sanitizer.scrub import scrub
from simulator.account import account
from simulator.session import captured_session
from tfx.store import dumps

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
PEOPLE = ((2, 0), (17, -40), (5, 9), (23, 300), (41, -80), (99, 1))
"""Identity, and the weeks its session lies from the first's."""


@pytest.mark.parametrize(("era", "region"), list(product(("2025", "2026-07", "2026-10"), ("us", "eu"))))
def test_any_two_people_any_weeks_apart_give_the_same_bytes(era: str, region: str) -> None:
    expected = _cassette(era, region, 1, 0)
    for identity, weeks in PEOPLE:
        assert _cassette(era, region, identity, weeks) == expected, (identity, weeks)


def _cassette(era: str, region: str, identity: int, weeks: int) -> tuple[bytes, list[str]]:
    now = NOW + timedelta(weeks=weeks)
    person = account(identity=identity, now=now, days=0.5, region=region)
    scrubbed = scrub(captured_session(person, era=era, region=region, now=now), name="x")
    return dumps(scrubbed.cassette), list(map(str, scrubbed.findings))
