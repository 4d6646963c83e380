"""Stand-ins are numbered as they appear, and a file where they are not was not made by tfx."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.check import check, looked_at
from sanitizer.replacements.ordinal_order import OrdinalOrder
from sanitizer.scrub import Scrubbed, again, scrub
from tfx.capture import Capture
from tfx.exchange import Headers
from tfx.store import dumps, loads

Done = Callable[..., Scrubbed]
Session = Callable[..., Capture]
Build = Callable[..., Capture]
HOST = "https://source.tandemdiabetes.com/api"
PUMPER = f"{HOST}/reports/bff/pumper/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
SAYS = "a stand-in out of order; they are numbered from 1 as they appear, without gaps"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4)), max_size=9))
def test_turns_are_kept_where_none_skips(ordinals: list[tuple[str, int]]) -> None:
    order, met, told = OrdinalOrder(), {"a": 0, "b": 0}, set()
    for name, number in ordinals:
        skips = number > met[name] + 1 and name not in told
        assert order.are_kept([(name, number)]) is not skips
        met[name] = max(met[name], number)
        told |= {name} if skips else set()


SKIPS = [
    (r"Given1\b", "Given4471", "a given name"),
    (r"Family1\b", "Family4471", "a family name"),
    (r"Profile1\b", "Profile4471", "a profile"),
    (r"user1@", "user4471@", "an address"),
    (r"90000001", "90000447", "a serial number"),
    (r"000000000001\b", "000000004471", "a UUID"),
    (r'"0{39}1"', '"' + "4471".zfill(40) + '"', "a hash of settings"),
    (r"tfx-cookie-000001", "tfx-cookie-004471", "a cookie"),
    (r"tfx-code-000001", "tfx-code-004471", "a code"),
    (r"tfx-access-token-000000000001", "tfx-access-token-000000000471", "an access token"),
    (r"tfx-verifier-0{29}1", "tfx-verifier-" + "471".zfill(30), "a verifier"),
    (r"tfx-session-state-000001", "tfx-session-state-004471", "a state of the session"),
    (r'"bolusId":1\b', '"bolusId":4471', "a bolus"),
    (r"\b900001\b", "900447", "the number of a device"),
]


def sealed(text: str) -> bytes:
    blank = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, text)
    return blank.replace("0" * 64, sha256(blank.encode()).hexdigest(), 1).encode()


def test_a_stand_in_that_skips_is_found_whatever_its_kind(scrubbed: Done) -> None:
    texts = [dumps(scrubbed(era).cassette).decode() for era in ("2026-10", "2025")]
    for pattern, skip, why in SKIPS:
        text = next((one for one in texts if re.search(pattern, one)), "")
        assert text, f"{why} stands on a cassette"
        found = check(sealed(re.sub(pattern, skip, text)))
        assert any(one.kind == SAYS or "not rebased" in one.kind for one in found), why


def test_two_that_stand_in_each_others_place_are_found(scrubbed: Done) -> None:
    text = dumps(scrubbed().cassette).decode()
    swapped = text.replace("Profile1", "Profile0").replace("Profile2", "Profile1").replace("Profile0", "Profile2")
    assert [one.kind for one in check(sealed(swapped))] == [SAYS]


def test_a_cassette_that_lost_an_exchange_is_numbered_anew(scrubbed: Done) -> None:
    whole = scrubbed().cassette
    for index in range(len(whole.exchanges)):
        less = replace(whole, exchanges=whole.exchanges[:index] + whole.exchanges[index + 1 :])
        assert looked_at(again(less).cassette) == (), index
    first_gone = replace(whole, exchanges=whole.exchanges[1:])
    assert SAYS in {one.kind for one in looked_at(first_gone)}, "as it stands it is not"


def test_what_is_thrown_away_leaves_no_gap(capture: Build) -> None:
    one = capture(PUMPER).exchanges[0]
    refused = one.replacing(
        request=replace(one.request, url=PUMPER.replace("7d9f", "8d9f"), headers=Headers([("Authorization", "Bearer abc.def")])),
        response=replace(one.response, headers=Headers([("Content-Type", "text/plain")]), body=b"x"),
    )
    late = one.replacing(
        request=replace(one.request, headers=Headers([("Content-Type", "text/plain")]), body=b"x", url=refused.request.url)
    )
    other = f"{HOST}/reports/reportsfacade/pumpevents/8d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904/none?minDate=2026-11-01"
    nowhere = one.replacing(request=replace(one.request, url=other))
    pointing = one.replacing(response=replace(one.response, headers=Headers([("Location", other), ("Content-Type", "application/json")])))
    another = one.replacing(request=replace(one.request, url=PUMPER.replace("7d9f", "9d9f")))
    for thrown, why in ((refused, "an answer"), (late, "a body that is sent"), (nowhere, "a path"), (pointing, "a link")):
        found = scrub(replace(capture(PUMPER), exchanges=(thrown, one, another)), name="x", leaves_out=True)
        assert found.findings, why
        assert looked_at(found.cassette) == (), why
        assert again(found.cassette).cassette == found.cassette, why


def test_events_that_are_thrown_away_are_not_counted_from(capture: Build) -> None:
    """Sequence numbers count from the smallest of all that were recorded; that one may stand in what is left out in the end."""
    url = f"{HOST}/reports/bff/pump-logs/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
    events = [
        json.dumps({"events": [{"eventCode": 28, "sequenceGroup": 0, "sequenceNumber": number, "eventProperties": {}}]}).encode()
        for number in (50, 90)
    ]
    first, second = (capture(url, answer=answer).exchanges[0] for answer in events)
    thrown = first.replacing(request=replace(first.request, headers=Headers([("Content-Type", "text/plain")]), body=b"x"))
    done = scrub(replace(capture(url), exchanges=(thrown, second)), name="x", leaves_out=True)
    assert done.left_out == 1
    assert json.loads(done.cassette.exchanges[0].response.body)["events"][0]["sequenceNumber"] == 1
    assert looked_at(done.cassette) == ()


def test_events_of_other_shapes_are_numbered_as_they_stand(capture: Build) -> None:
    ids = [f"7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab90{number}" for number in range(3)]
    events = [{"deviceAssignmentId": one} | ({"note": "x"} if number == 1 else {}) for number, one in enumerate(ids)]
    url = f"{HOST}/reports/bff/pump-logs/{ids[0]}?pumperId={ids[0]}"
    done = scrub(capture(url, answer=json.dumps({"events": events}).encode()), name="x").cassette
    assert looked_at(done) == ()
    assert loads(dumps(done), "x") == done


def test_a_number_in_two_lengths_is_one_when_it_is_sanitized_again(capture: Build) -> None:
    body = json.dumps({"pumps": [{"serialNumber": "0871624"}, {"serialNumber": "871624"}, {"serialNumber": "871625"}]}).encode()
    done = scrub(capture(PUMPER, answer=body), name="x").cassette
    found = json.loads(done.exchanges[0].response.body)["pumps"]
    assert [one["serialNumber"] for one in found] == ["9000001", "900001", "900002"]
    assert again(done).cassette == done


@pytest.mark.parametrize(("key", "kinds"), [("unknown1", []), ("unknown4471", ["a member without a rule"])])
def test_a_member_nobody_knows_is_numbered_too(capture: Build, key: str, kinds: list[str]) -> None:
    done = scrub(capture(PUMPER, answer=b'{"nick":"Bo"}'), name="x").cassette
    exchange = done.exchanges[0]
    changed = exchange.replacing(response=replace(exchange.response, body=json.dumps({key: ""}, separators=(",", ":")).encode()))
    assert [one.kind for one in looked_at(replace(done, exchanges=(changed,)))] == kinds
