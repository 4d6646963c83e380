"""Every list is bounded: free length, order and repetition could spell a value in permitted numbers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sanitizer.check import looked_at
from sanitizer.policy.policy import policy, read, shipped
from sanitizer.policy.user_rules import extended
from sanitizer.scrub import Scrubbed, scrub
from tandem.endpoints import BY_NAME
from tandem.regions import REGIONS
from tfx.capture import Capture
from tfx.errors import UsageError
from tfx.jsonbody import Json

Build = Callable[..., Capture]
MAIL = [ord(letter) for letter in "zelmira@posthof.test"]
URL = BY_NAME["pumper"].url(REGIONS["us"], pumperId="7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904")


def segment(start: int, rate: int = 800) -> Json:
    return {"startTime": start, "basalRate": rate, "status": [0, 1, 2, 3]}


def pumper(segments: Json) -> Json:
    return {"pumps": [{"settings": {"details": {"profiles": {"profile": [{"timeDependentSegments": segments}]}}}}]}


def status(bits: Sequence[Json]) -> Json:
    return pumper([{"startTime": 0, "status": list(bits)}])


def devices(count: int) -> Json:
    return {"pumps": [{} for _ in range(count)]}


PADDING: Json = {"startTime": 0, "basalRate": 0, "status": []}
LISTS: tuple[tuple[Json, bool, str], ...] = (
    (status([0, 1, 2, 3]), True, "as the service sends it"),
    (status([]), True, "no bit is set"),
    (status(MAIL), False, "the letters of an address"),
    (status([1, 1, 3, 7, 4, 1]), False, "digits of a serial number, repeated"),
    (status([3, 1, 0]), False, "a mask in an order of its own"),
    (status([0, 8]), False, "no bit of a byte"),
    (status(list(range(8)) * 2500), False, "twenty thousand numbers"),
    (pumper([segment(0), segment(330), segment(690)]), True, "segments rise"),
    (pumper([segment(0), PADDING, PADDING]), True, "and are padded to sixteen"),
    (pumper([segment(60 * hour) for hour in range(17)]), False, "a pump has sixteen"),
    (pumper([segment(0), *(segment(code) for code in MAIL)]), False, "an address in starting times"),
    (pumper([segment(330), segment(330)]), False, "one time has one segment"),
    (devices(32), True, "pumps of a life"),
    (devices(33), False, "and more"),
)


def test_a_list_stands_as_the_service_makes_it_or_not_at_all(capture: Build) -> None:
    for value, stays, why in LISTS:
        done: Scrubbed = scrub(capture(URL, answer=json.dumps(value, separators=(",", ":")).encode()), name="x")
        assert (done.findings == ()) is stays, why
        text = json.dumps(json.loads(done.cassette.exchanges[0].response.body))
        assert (text == json.dumps(value)) is stays, why
        assert looked_at(done.cassette) == (), why
        before = capture(URL, answer=json.dumps(value, separators=(",", ":")).encode()).exchanges[0]
        broken = done.cassette.exchanges[0].replacing(response=before.response)
        assert (looked_at(replace(done.cassette, exchanges=(broken,))) == ()) is stays, why


def test_claims_stand_once() -> None:
    limit = (policy().claims.members or {})["amr"].limit
    assert limit
    assert not limit.trouble(["pwd", "mfa"])
    for value in (["pwd"] * 2, ["mfa", "pwd", "mfa"], ["pwd", "mfa", "external", "otp"]):
        assert limit.trouble(value), value


def test_no_list_is_without_a_bound() -> None:
    without = shipped().replace("issues = { most = 8, each-once = true }\n", "")
    assert without != shipped()
    with pytest.raises(UsageError, match=r"items of issues, but .lists. does not say how many"):
        read(without)
    own = extended('[endpoints.pumper.response]\n"colours[]" = "keep:small"\n').bodies["pumper", "response"].members or {}
    assert own["colours"].limit
    assert own["colours"].limit.trouble(MAIL)


WAITS = (
    ("0", "0"),
    ("7", "7"),
    ("61", "70"),
    ("347", "350"),
    ("3601", "7200"),
    ("86400", "86400"),
    ("94117", ""),
    ("11374829", ""),
    ("00012", "12"),
)


def test_a_wait_says_how_long_and_no_more(capture: Build) -> None:
    for before, after in WAITS:
        done = scrub(capture(URL, status=429, got=(("Retry-After", before),)), name="x")
        assert done.cassette.exchanges[0].response.headers.get("retry-after") == after
        assert looked_at(done.cassette) == ()
        raw = capture(URL, status=429, got=(("Retry-After", before),)).exchanges[0]
        whole = done.cassette.exchanges[0].replacing(response=raw.response)
        assert bool(looked_at(replace(done.cassette, exchanges=(whole,)))) is (before != after)


SETTINGS = (
    ("quickBolus", {"active": 94117, "incrementUnits": 41586, "incrementCarbs": 75309, "dataEntryType": 31487}),
    ("maxBolus", 94117),
    ("basalLimit", 41586),
)


def test_a_setting_has_the_room_that_the_pump_gives_it(capture: Build) -> None:
    url = BY_NAME["pump-event-metadata"].url(REGIONS["us"], pumperId="7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904")
    for name, value in SETTINGS:
        answer = json.dumps([{"lastUpload": {"settings": {"pumpSettings": {name: value}}}}]).encode()
        done = scrub(capture(url, answer=answer, era="2025"), name="x")
        assert done.findings
        for number in ("94117", "41586", "75309", "31487"):
            assert number.encode() not in done.cassette.exchanges[0].response.body
