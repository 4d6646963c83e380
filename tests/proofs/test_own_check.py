"""What the sanitizer writes passes its own check and stays as it is when sanitized again, whatever the recording was like."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from edits import ODD
from hypothesis import given, settings
from hypothesis import strategies as st
from leaks import CARRIERS, SECRETS

from sanitizer.check import check
from sanitizer.files.era import eras_of
from sanitizer.formats import har
from sanitizer.formats.recording import capture_of
from sanitizer.policy.policy import Policy, policy
from sanitizer.policy.user_rules import extended
from sanitizer.scrub import again, scrub
from simulator.account import account
from simulator.session import captured_session
from tfx.capture import Capture
from tfx.cassette import KEEP, VALUES, Cassette
from tfx.errors import LeakError, RefusedError, TfxError
from tfx.exchange import Exchange
from tfx.store import dumps

pytestmark = pytest.mark.proofs

NOW = datetime(2026, 11, 18, 20, 30, 5, tzinfo=UTC)
RULES = """
domains.level = { from_to = [0, 10] }
endpoints.pumper.response."pumps[].level" = "keep:level"
endpoints.pumper.response."note" = "session"
claims."groups[]" = "session"
headers.response.x-note = "blank"
headers.request.drop = ["x-note"]
"""


@cache
def recorded(era: str) -> Capture:
    """A session of few events."""
    person = account(identity=1, therapy=1, now=NOW, days=0.25, density=0.01, region="us")
    return captured_session(person, era=era, region="us", now=NOW)


@cache
def own_rules(*, are_given: bool) -> Policy:
    return extended(RULES) if are_given else policy()


def imported(exchanges: Sequence[Exchange], era: str) -> Capture:
    """What a HAR file of them gives."""
    told = max(eras_of(exchanges), default=era)
    held = Cassette(name="x", era=told, region="us", clock=NOW, policy=1, exchanges=tuple(exchanges))
    return capture_of(har.read(json.loads(har.write(held)), "x.har"), "x.har", era=told)


def lasts(capture: Capture, values: str = KEEP, rules: Policy | None = None) -> None:
    try:
        done = scrub(capture, name="x", values=values, rules=rules, leaves_out=True).cassette
    except (RefusedError, LeakError):
        return  # whether it has to be is another proof's
    text = dumps(done)
    assert check(text, rules=rules) == ()
    assert dumps(again(done, rules=rules).cassette) == text


@pytest.mark.parametrize("era", ["2025", "2026-07", "2026-10"])
@settings(max_examples=15)
@given(data=st.data())
def test_what_was_recorded_oddly(era: str, data: st.DataObject) -> None:
    exchanges = list(recorded(era).exchanges)
    for _ in range(data.draw(st.integers(1, 5))):
        index = data.draw(st.integers(0, len(exchanges) - 1))
        exchanges[index] = ODD[data.draw(st.sampled_from(sorted(ODD)))](exchanges[index], data.draw)
        match data.draw(st.sampled_from(["", "", "gone", "twice", "planted"])):
            case "gone" if len(exchanges) > 1:
                del exchanges[index]
            case "twice":
                exchanges.insert(data.draw(st.integers(0, len(exchanges))), exchanges[index])
            case "planted":
                carrier = CARRIERS[data.draw(st.sampled_from(sorted(CARRIERS)))]
                exchanges.insert(index, carrier(data.draw(st.sampled_from(sorted(SECRETS.values())))))
    capture = replace(recorded(era), exchanges=tuple(exchanges))
    if data.draw(st.booleans()):
        try:
            capture = imported(exchanges, era)
        except TfxError:
            return
    lasts(capture, data.draw(st.sampled_from(VALUES)), own_rules(are_given=data.draw(st.booleans())))


@pytest.mark.parametrize("carrier", sorted(CARRIERS))
def test_what_hides_something_beside_a_session(carrier: str) -> None:
    """In front and in the middle, so that its stand-ins come before and after those of the session."""
    exchanges = recorded("2026-10").exchanges
    odd = CARRIERS[carrier](SECRETS["serial"])
    for index in (0, len(exchanges) // 2):
        lasts(replace(recorded("2026-10"), exchanges=(*exchanges[:index], odd, *exchanges[index:])))
