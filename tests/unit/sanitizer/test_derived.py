"""Values derived from others follow their replacement or are removed; dates lie in the synthetic window."""

# one row of a table is one line, however wide

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest

from sanitizer.check import looked_at
from sanitizer.formats import har
from sanitizer.replacements.epoch import EXPIRES, FIRST, ISSUED, LAST, NEVER
from sanitizer.scrub import Scrubbed, again, scrub
from tandem.events import EVENTS
from tandem.records import Records
from tfx.capture import Capture
from tfx.codec import decoded
from tfx.errors import LeakError
from tfx.exchange import Exchange
from tfx.jsonbody import Json
from tfx.signing import at_hash, claims_of, sign

Build = Callable[..., Capture]
Done = Callable[..., Scrubbed]

HOST = "https://source.tandemdiabetes.com/api/reports"
PUMPER = f"{HOST}/bff/pumper/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
TOKEN = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/token"
SECRET = "9a1f4e7cb02d5836e4f7a90c1d2b3856fa70"


def answer(done: Scrubbed) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(done.cassette.exchanges[0].response.body)
    return found


def half(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def test_a_hash_of_the_settings_is_equal_where_it_was(capture: Build) -> None:
    hashes = ["AB" * 20, "CD" * 20, "ab" * 20]
    body = json.dumps({"pumps": [{"settings": {"settingsHash": one}} for one in hashes]}).encode()
    pumps = answer(scrub(capture(PUMPER, answer=body), name="x"))["pumps"]
    assert [one["settings"]["settingsHash"] for one in pumps] == ["0" * 39 + "1", "0" * 39 + "2", "0" * 39 + "1"]  # type: ignore[index,union-attr,call-overload]  # parsed JSON


def test_the_hash_of_a_token_follows_it_and_that_of_a_code_goes(capture: Build) -> None:
    token = {"access_token": SECRET, "id_token": sign({"at_hash": half(SECRET), "c_hash": half("59B88C97-1")})}
    done = scrub(capture(TOKEN, method="POST", answer=json.dumps(token).encode()), name="x")
    claims = claims_of(str(answer(done)["id_token"]))
    assert claims == {"at_hash": at_hash("tfx-access-token-000000000001"), "unknown1": ""}
    other = {**answer(done), "id_token": sign({**claims, "at_hash": at_hash("tfx-access-token-000000000002")})}
    before = done.cassette.exchanges[0]
    broken = before.replacing(
        response=scrub(capture(TOKEN, method="POST", answer=json.dumps(other).encode()), name="x").cassette.exchanges[0].response
    )
    assert looked_at(again(done.cassette).cassette) == () == looked_at(done.cassette)
    assert claims_of(str(json.loads(broken.response.body)["id_token"]))["at_hash"] == claims["at_hash"], "made anew"


GONE = [
    ("an ETag", {"got": (("Content-Type", "application/json"), ("ETag", f'"{half(SECRET)}"'))}, half(SECRET)),
    ("a digest", {"got": (("Content-Type", "application/json"), ("Content-MD5", half(SECRET)))}, half(SECRET)),
    ("initials", {"answer": b'{"initials":"Q.Z."}'}, "Q.Z."),
    ("a number with its last digits shown", {"answer": '{"serialMasked":"••••1624"}'.encode()}, "1624"),
    ("the local part of an address", {"answer": b'{"userName":"marisol.quintanilla"}'}, "marisol"),
    ("the size of a name", {"answer": b'{"nameLength":19477}'}, "19477"),
    ("a date of birth as an age", {"answer": b'{"ageInDays":14139}'}, "14139"),
]


@pytest.mark.parametrize(("why", "carrier", "derived"), GONE)
def test_what_is_derived_and_has_no_rule_goes(capture: Build, why: str, carrier: dict[str, object], derived: str) -> None:
    done = scrub(capture(PUMPER, **carrier), name="x")
    exchange = done.cassette.exchanges[0]
    assert derived not in f"{list(exchange.response.headers)} {exchange.response.body.decode()}", why
    assert looked_at(done.cassette) == ()


def test_the_local_part_of_an_address_is_another_stand_in_than_the_address(capture: Build) -> None:
    token = {"id_token": sign({"email": "marisol.quintanilla@example.org", "preferred_username": "marisol.quintanilla"})}
    claims = claims_of(str(answer(scrub(capture(TOKEN, method="POST", answer=json.dumps(token).encode()), name="x"))["id_token"]))
    assert claims == {"email": "user1@example.invalid", "preferred_username": "user2@example.invalid"}


def test_lengths_and_sizes_are_those_of_what_stands_there(capture: Build) -> None:
    body = json.dumps({"firstName": "Marisol-Esperanza", "lastName": "Q"}).encode()
    got = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    done = scrub(capture(PUMPER, answer=body, got=got), name="x")
    response = done.cassette.exchanges[0].response
    assert response.headers.get("content-length") == str(len(response.body)) != str(len(body))
    entry = json.loads(har.write(done.cassette))["log"]["entries"][0]["response"]
    assert (entry["bodySize"], entry["content"]["size"]) == (len(response.body), len(response.body))


@pytest.mark.parametrize("shown", ["****1624", "xx1624", "••••1624"])
def test_masked_digits_are_found_by_the_second_look(capture: Build, monkeypatch: pytest.MonkeyPatch, shown: str) -> None:
    monkeypatch.setattr("sanitizer.policy.policy.Domain.holds", lambda *_: True)
    body = json.dumps({"pumps": [{"modelName": shown}]}).encode()
    with pytest.raises(LeakError, match="masked"):
        scrub(capture(PUMPER, answer=body, seen=("10871624",)), name="x")


# --- dates

DATE = re.compile(r"(?<![\d.])(\d{4})-(\d\d)-(\d\d)")
WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}")
STAND_INS = range(900_000_000, 900_001_000)
"""Of uploads."""
EVERYBODYS = {date(1980, 1, 1), date(2100, 1, 1), date(1970, 1, 1), NEVER}


def leaves(value: Json) -> Iterator[str | float]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield from leaves(claims_of(value)) if value.startswith("ey") else (value,)
    elif value is not None:
        yield value


def days(exchange: Exchange) -> Iterator[date]:
    """Every day that a finished exchange tells in any way, by what it looks like and not by the rules."""
    request, response = exchange.request, exchange.response
    texts = [request.url, *(value for _, value in (*request.headers, *response.headers))]
    body = decoded(response.headers, response.body)
    numbers: list[float] = []
    if body[:1] in (b"{", b"["):
        found = list(leaves(json.loads(body)))
        texts += [one for one in found if isinstance(one, str)]
        numbers += [one for one in found if not isinstance(one, str)]
    elif body[:1] == b'"':
        records = Records.from_body(body)
        yield from (date(2008, 1, 1) + timedelta(seconds=one) for one in records.seconds.tolist() if one)
        for code, _, group in records.groups():
            columns = group.columns(code)
            dated = {field.name: field.time for field in EVENTS[code].fields} if code in EVENTS else {}
            numbers += [one for name, time in dated.items() if time in ("pump_seconds", "unix_wall") for one in columns[name].tolist()]
            yield from (
                date(2008, 1, 1) + timedelta(days=one)
                for name, time in dated.items()
                if time == "pump_days"
                for one in columns[name].tolist()
                if one
            )
    for text in texts:
        yield from (date(*map(int, parts)) for parts in DATE.findall(text))
        yield from (datetime.strptime(one[5:], "%d %b %Y").replace(tzinfo=UTC).date() for one in WEEKDAY.findall(text))
    for number in {one for one in numbers if (300_000_000 < one < 0xFFFFFFFF or one > 1e11) and one not in STAND_INS}:
        since = date(2008, 1, 1) if number < 1e9 else date(1970, 1, 1)
        yield since + timedelta(seconds=number if number < 1e11 else number / 1000)


@pytest.mark.parametrize("era", ["2026-10", "2026-07", "2025"])
def test_no_day_of_a_cassette_lies_outside_the_window(scrubbed: Done, era: str) -> None:
    told = {day for one in scrubbed(era).cassette.exchanges for day in days(one)}
    assert len(told) > 5
    assert {day for day in told if not FIRST <= day <= LAST} <= EVERYBODYS


DATED = [
    (
        "a query",
        {"url": f"{HOST}/bff/pump-logs/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904?startDate=2026-11-01T00:00:00Z&endDate=2026-11-18"},
        "2026",
    ),
    ("a date of the answer", {"got": (("Content-Type", "application/json"), ("Date", "Wed, 18 Nov 2026 20:30:05 GMT"))}, "2026"),
    ("when to come back", {"got": (("Content-Type", "application/json"), ("Retry-After", "Wed, 18 Nov 2026 20:30:05 GMT"))}, "2026"),
    (
        "a cookie's expiry",
        {"got": (("Content-Type", "application/json"), ("Set-Cookie", "culture=x; expires=Wed, 18 Nov 2026 22:30:05 GMT"))},
        "2026",
    ),
    ("a cookie's age", {"got": (("Content-Type", "application/json"), ("Set-Cookie", "culture=x; max-age=86399"))}, "86399"),
    ("an upload", {"answer": b'{"pumps":[{"lastUploadDate":"2026-11-18T20:30:05.123Z"}]}'}, "2026"),
    (
        "a token's times",
        {
            "url": TOKEN,
            "method": "POST",
            "answer": json.dumps({"id_token": sign({"iat": 1795033805, "exp": 1795037405, "auth_time": 1795033801})}).encode(),
        },
        "1795",
    ),
    ("milliseconds nobody knows", {"answer": b'{"savedAt":1795033805123}'}, "1795"),
]


@pytest.mark.parametrize(("why", "carrier", "told"), DATED)
def test_whoever_carries_a_date_it_is_moved_or_gone(capture: Build, why: str, carrier: dict[str, object], told: str) -> None:
    done = scrub(capture(**({"url": PUMPER} | carrier)), name="x")
    exchange = done.cassette.exchanges[0]
    claims = claims_of(str(answer(done)["id_token"])) if "token" in why else {}
    assert told not in f"{exchange.request.url} {list(exchange.response.headers)} {exchange.response.body.decode()} {claims}", why
    assert set(claims.values()) <= {ISSUED, EXPIRES}
    assert {day for day in days(exchange) if not FIRST <= day <= LAST} <= EVERYBODYS, why
    assert looked_at(done.cassette) == ()
