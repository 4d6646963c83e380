"""What the check passes, sanitizing again does not change, not by one byte: cassettes edited at random."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from edits import EDITS
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.check import looked_at
from sanitizer.scrub import again, scrub
from simulator.account import account
from simulator.session import captured_session
from tfx.cassette import Cassette
from tfx.store import dumps

pytestmark = pytest.mark.proofs

NOW = datetime(2026, 11, 18, 20, 30, 5, tzinfo=UTC)


@cache
def clean(era: str) -> Cassette:
    """A session of few events, every answer in its own bytes."""
    person = account(identity=1, therapy=1, now=NOW, days=0.25, density=0.01, region="us")
    done = scrub(captured_session(person, era=era, region="us", now=NOW), name="x").cassette
    return replace(done, rules={})


@pytest.mark.parametrize("era", ["2026-10", "2025"])
@settings(max_examples=60)
@given(data=st.data())
def test_what_the_check_passes_stays_as_it_is(era: str, data: st.DataObject) -> None:
    exchanges = list(clean(era).exchanges)
    index = data.draw(st.integers(0, len(exchanges) - 1))
    exchanges[index] = EDITS[data.draw(st.sampled_from(sorted(EDITS)))](exchanges[index], data.draw)
    edited = replace(clean(era), exchanges=tuple(exchanges))
    # What the head counts is tests/proofs/test_own_check.py's; an edit that takes a place away has it counted anew.
    if {finding.place for finding in looked_at(edited)} <= {"rules"}:
        assert dumps(replace(again(edited).cassette, rules={})) == dumps(edited)
