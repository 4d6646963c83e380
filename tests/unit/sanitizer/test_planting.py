"""A canary planted in every place no rule knows: it is removed and reported, or the capture is refused; it never passes through."""

# ruff: noqa: E501  # one row of a table is one line, however wide

import gzip
import json
import re
from collections.abc import Callable
from typing import cast

import jwt
import pytest
from pump_event import HTML, ID, JSON, LOGIN, LOGS, PUMPER, SOURCE, TOKEN, event

from sanitizer.check import looked_at
from sanitizer.policy.policy import policy
from sanitizer.policy.suggest import suggested
from sanitizer.scrub import Scrubbed, scrub
from tandem.records import Records
from tfx.capture import Capture
from tfx.errors import RefusedError
from tfx.store import dumps

Build = Callable[..., Capture]

CANARY = "Quetzalcoatl77"
EVENTS = f"{SOURCE}/api/reports/reportsfacade/pumpevents/{ID}/378904"
AUTHORIZE = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/authorize"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def logs(*events: object) -> bytes:
    return json.dumps({"events": events, "clockChanges": []}).encode()


def an_id_token(**claims: object) -> bytes:
    token = jwt.encode({"iss": "https://tdcservices.tandemdiabetes.com/accounts/api", **claims}, "k" * 32, algorithm="HS256")
    return json.dumps({"id_token": token}).encode()


REMOVED: dict[str, tuple[dict[str, object], str]] = {
    "a host": ({"url": f"https://{CANARY}.example.org/"}, "request"),
    "a host that is none": ({"url": f"https://[{CANARY}/"}, "request"),
    "a host of look-alikes": ({"url": f"https://{CANARY}\u2100.com/"}, "request"),
    "user information": ({"url": f"https://{CANARY}@sso.tandemdiabetes.com/"}, "request"),
    "an unencrypted scheme": ({"url": f"http://sso.tandemdiabetes.com/?x={CANARY}"}, "request"),
    "an endpoint": ({"url": f"{SOURCE}/api/{CANARY}"}, "request"),
    "a method": ({"url": PUMPER, "method": "PURGE"}, "request"),
    "an identifier in a path": ({"url": f"{SOURCE}/api/reports/bff/pumper/{CANARY}"}, "request path"),
    "a matrix parameter": ({"url": f"{PUMPER};s={CANARY}"}, "request path"),
    "a query key": ({"url": f"https://sso.tandemdiabetes.com/?{CANARY}=1"}, "request query.<another name 1>"),
    "a query value": ({"url": f"https://sso.tandemdiabetes.com/?login={CANARY}"}, "request query.<another name 1>"),
    "a second value of a key": ({"url": f"{AUTHORIZE}?scope=openid&scope={CANARY}"}, ""),
    "a query value out of its domain": ({"url": f"{AUTHORIZE}?prompt={CANARY}"}, "request query.prompt"),
    "a fragment": ({"url": f"https://sso.tandemdiabetes.com/#{CANARY}"}, "request fragment"),
    "a request header": ({"sent": (("X-Me", CANARY),)}, "request header.<another name 1>"),
    "a header's name": ({"sent": ((f"X-{CANARY}", "1"),)}, "request header.<another name 1>"),
    "a response header": ({"got": (HTML, ("X-Me", CANARY))}, "response header.<another name 1>"),
    "a known header out of its domain": ({"got": (HTML, ("Cache-Control", CANARY))}, "response header.Cache-Control"),
    "a challenge": ({"got": (HTML, ("WWW-Authenticate", f'Bearer error="invalid_token", error_description="{CANARY}"'))}, ""),
    "a basic login": ({"sent": (("Authorization", f"Basic {CANARY}"),)}, "request header.Authorization"),
    "a bearer token": ({"sent": (("Authorization", f"Bearer {CANARY}"),)}, ""),
    "a cookie": ({"sent": (("Cookie", f"idsrv={CANARY}"),)}, ""),
    "a cookie's name": ({"sent": (("Cookie", f"{CANARY}=1"),)}, ""),
    "a second Cookie line": ({"sent": (("Cookie", "culture=en"), ("Cookie", f"idsrv={CANARY}"))}, ""),
    "a set cookie": ({"got": (HTML, ("set-cookie", f"idsrv={CANARY}; path=/"))}, ""),
    "a cookie attribute": ({"got": (HTML, ("Set-Cookie", f"idsrv=1; Comment={CANARY}"))}, "response header.Set-Cookie attribute"),
    "a cookie path": ({"got": (HTML, ("Set-Cookie", f"idsrv=1; path=/{CANARY}"))}, "response header.Set-Cookie path"),
    "a redirect elsewhere": ({"status": 302, "got": (("Location", f"https://{CANARY}.example.org/"),)}, "response header.Location"),
    "a redirect's key": ({"status": 302, "got": (("Location", f"/?login_hint={CANARY}"),)}, "response header.Location query.login_hint"),
    "a URL in a URL": ({"status": 302, "got": (("Location", f"/?ReturnUrl=%2Faccounts%2Fapi%2Fconnect%2Fauthorize%2Fcallback%3Fstate%3D{CANARY}"),)}, ""),
    "a page": ({"got": (HTML,), "answer": f"<html>{CANARY}</html>".encode()}, ""),
    "a reason phrase": ({}, ""),
    "a password": ({"url": LOGIN, "method": "POST", "sent": (JSON,), "body": json.dumps({"username": "a", "password": CANARY}).encode()}, ""),
    "a member sent": ({"url": LOGIN, "method": "POST", "sent": (JSON,), "body": json.dumps({"otp": CANARY}).encode()}, "request body.<another name 1>"),
    "a form key": ({"url": TOKEN, "method": "POST", "sent": (FORM,), "body": f"assertion={CANARY}".encode()}, "request form.<another name 1>"),
    "an encoded form key": ({"url": TOKEN, "method": "POST", "sent": (FORM,), "body": f"pass%77ord={CANARY}".encode()}, "request form.password"),
    "a page sent": ({"sent": (HTML,), "body": CANARY.encode()}, "request body"),
    "a JSON leaf": ({"url": PUMPER, "answer": json.dumps({"deviceName": CANARY}).encode()}, "response body.<another name 1>"),
    "a JSON key": ({"url": PUMPER, "answer": json.dumps({CANARY: 1}).encode()}, "response body.<another name 1>"),
    "a container for a leaf": ({"url": PUMPER, "answer": json.dumps({"firstName": [CANARY]}).encode()}, "response body.firstName"),
    "a leaf for a container": ({"url": PUMPER, "answer": json.dumps({"pumps": CANARY}).encode()}, "response body.pumps"),
    "a bare text": ({"url": PUMPER, "answer": json.dumps(CANARY).encode()}, "response body"),
    "an array at the top": ({"url": PUMPER, "answer": json.dumps([{"firstName": CANARY}]).encode()}, "response body"),
    "a kept leaf out of its domain": ({"url": PUMPER, "answer": json.dumps({"pumps": [{"modelName": CANARY}]}).encode()}, "response body.pumps[0].modelName"),
    "a number as text": ({"url": PUMPER, "answer": json.dumps({"lowGlucoseThreshold": CANARY}).encode()}, "response body.lowGlucoseThreshold"),
    "an error body": ({"url": PUMPER, "status": 500, "answer": json.dumps({"message": CANARY}).encode()}, "response body.message"),
    "a key set": ({"url": f"{TOKEN[:-13]}.well-known/openid-configuration/jwks", "answer": json.dumps({"keys": [CANARY]}).encode()}, ""),
    "a claim": ({"url": TOKEN, "method": "POST", "answer": an_id_token(nick=CANARY)}, "response body.id_token.claims.<another name 1>"),
    "a claim out of its domain": ({"url": TOKEN, "method": "POST", "answer": an_id_token(idp=CANARY)}, "response body.id_token.claims.idp"),
    "a member of an event": ({"url": LOGS, "answer": logs(event(note=CANARY))}, "response body.events[].<another name 1>"),
    "an event's property": ({"url": LOGS, "answer": logs(event(eventProperties={"alarmId": 3, "text": CANARY}))}, "response body.events[].eventProperties.<another name 1>"),
    "a property out of its range": ({"url": LOGS, "answer": logs(event(eventProperties={"alarmId": CANARY}))}, "response body.events[].eventProperties.alarmId"),
    "an unknown event": ({"url": LOGS, "answer": logs(event(eventCode=4000, eventProperties={"spareA0": CANARY}))}, "response body.events[].eventCode"),
    "an event that is none": ({"url": LOGS, "answer": logs(CANARY)}, "response body.events[]"),
    "a list of no events": ({"url": LOGS, "answer": json.dumps({"other": [CANARY]}).encode()}, "response body.<another name 1>"),
    "an event's time": ({"url": LOGS, "answer": logs(event(pumpDateTime=CANARY))}, ""),
    "an event's device": ({"url": LOGS, "answer": logs(event(deviceAssignmentId=CANARY))}, "response body.events[].deviceAssignmentId"),
}  # fmt: skip


def forms(value: str) -> tuple[bytes, ...]:
    return value.encode(), value.lower().encode(), value.casefold().encode()


def clean(done: Scrubbed) -> None:
    text = dumps(done.cassette)
    said = " ".join(f"{finding} {finding.rule}" for finding in done.findings).encode() + repr(done.findings).encode()
    assert not any(form in text or form in said for form in forms(CANARY))


@pytest.mark.parametrize("where", REMOVED)
def test_what_no_rule_knows_never_passes_through(capture: Build, where: str) -> None:
    arguments, place = REMOVED[where]
    done = scrub(capture(**cast("dict[str, str]", arguments)), name="x")
    clean(done)
    if place:
        assert place in [finding.place.partition(" (")[0] for finding in done.findings]


def test_the_second_look_is_not_needed_but_agrees(capture: Build) -> None:
    for where in REMOVED:
        clean(scrub(capture(**cast("dict[str, str]", REMOVED[where][0]), seen=(CANARY,)), name="x"))


GZIP = ("Content-Encoding", "gzip")
REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "a content type": ({"got": (("Content-Type", "text/plain"),), "answer": CANARY.encode()}, "content type"),
    "no content type": ({"got": (), "answer": CANARY.encode()}, "content type"),
    "two content types": ({"got": (JSON, HTML), "answer": b"{}"}, "has two content types"),
    "a charset": ({"got": (("Content-Type", "application/json; charset=utf-16"),), "answer": b"{}"}, "another charset than UTF-8"),
    "an encoding": ({"got": (JSON, ("Content-Encoding", "zstd")), "answer": CANARY.encode()}, "content coding"),
    "three encodings": ({"got": (JSON, ("Content-Encoding", "gzip, gzip, gzip")), "answer": CANARY.encode()}, "stacked"),
    "damaged gzip": ({"got": (JSON, GZIP), "answer": gzip.compress(CANARY.encode())[:-4]}, "ends too early"),
    "bytes behind gzip": ({"got": (JSON, GZIP), "answer": gzip.compress(b"{}") + CANARY.encode()}, "followed by bytes"),
    "no JSON": ({"answer": CANARY.encode()}, "goes wrong"),
    "JSON cut off": ({"answer": f'{{"a": "{CANARY}'.encode()}, "JSON"),
    "a member twice": ({"answer": f'{{"name": "a", "name": "{CANARY}"}}'.encode()}, "names a member twice"),
    "no UTF-8": ({"answer": b'{"name": "' + CANARY.encode() + b'\xff"}'}, "UTF-8"),
    "JSON too deep": ({"answer": b"[" * 100 + b"]" * 100}, "deeper"),
    "no number": ({"answer": b'{"name": NaN}'}, "NaN"),
    "a form received": ({"got": (FORM,), "answer": f"a={CANARY}".encode()}, "form"),
    "a form in another script": ({"url": TOKEN, "method": "POST", "sent": (FORM,), "body": f"code=é{CANARY}".encode()}, "form"),
    "a token that is none": ({"url": TOKEN, "method": "POST", "answer": json.dumps({"id_token": CANARY}).encode()}, "not a token"),
    "an encrypted token": ({"url": TOKEN, "method": "POST", "answer": b'{"id_token": "e30.e30.e30.e30.e30"}'}, "not a token"),
    "no base64": ({"url": EVENTS, "answer": json.dumps(CANARY + "!").encode()}, "base64"),
    "no text of records": ({"url": EVENTS, "answer": json.dumps([CANARY]).encode()}, "base64"),
    "half a record": ({"url": EVENTS, "answer": json.dumps("AAAA").encode()}, "not base64 of whole pump records"),
}


@pytest.mark.parametrize("where", REFUSED)
def test_what_cannot_be_understood_is_refused(capture: Build, where: str) -> None:
    arguments, words = REFUSED[where]
    with pytest.raises(RefusedError, match=words) as caught:
        scrub(capture(**cast("dict[str, str]", arguments)), name="x")
    assert str(caught.value).startswith("#1 "), "the message says which exchange"
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None or CANARY not in str(caught.value.__cause__)


def test_a_capture_of_no_known_era_is_refused(capture: Build) -> None:
    with pytest.raises(RefusedError, match="no known era or region"):
        scrub(capture(era="1999"), name="x")


def test_an_unknown_event_keeps_its_place_and_loses_its_payload(capture: Build) -> None:
    known = Records.build(code=28, seconds=[596_000_000], sequence=[10], columns={"alarmId": [3]})
    unknown = Records.build(code=4000, seconds=[596_000_001], sequence=[11], columns={"spareA0": [65], "spareD15": [66]})
    body = Records.join([known, unknown]).to_body()
    done = scrub(capture(EVENTS, answer=body, era="2025"), name="x")
    after = Records.from_body(done.cassette.exchanges[0].response.body)
    assert after.code.tolist() == [28, 4095]
    assert after.sequence.tolist() == [1, 2]
    assert not after.payload[1].any()
    assert [str(finding) for finding in done.findings] == [
        "#1 response body[]: event 4000 is unknown to tfx; 4095 stands for it, and its payload is zeroed"
    ]


def test_a_payload_byte_without_a_field_is_zero(capture: Build) -> None:
    records = Records.build(code=28, seconds=[596_000_000], sequence=[10], columns={"alarmId": [3]})
    rows = records.rows.copy()
    rows[0, 14:] = 0x41
    done = scrub(capture(EVENTS, answer=Records(rows=rows).to_body(), era="2025"), name="x")
    after = Records.from_body(done.cassette.exchanges[0].response.body)
    assert after.columns(28)["alarmId"].tolist() == [3]
    assert not after.rows[0, 14:].any()


def test_a_finding_brings_the_rule_to_paste(capture: Build) -> None:
    answer = {"nickname": "Bo", "pumps": [{"color": 3, "soldAt": "2026-11-18T10:00:00", "batch": ID, "new": True}]}
    done = scrub(capture(PUMPER, answer=json.dumps(answer).encode()), name="x")
    assert [finding.rule for finding in done.findings] == [
        'endpoints.pumper.response."pumps[].color" = "keep:small"  # a small number',
        'endpoints.pumper.response."pumps[].soldAt" = "date"  # like a date',
        'endpoints.pumper.response."pumps[].batch" = "uuid"  # like a UUID',
        'endpoints.pumper.response."pumps[].new" = "keep:flag"  # yes or no',
        'endpoints.pumper.response."nickname" = "blank"  # text',
    ]
    written = json.loads(done.cassette.exchanges[0].response.body)
    assert written == {"unknown1": "", "pumps": [{"unknown1": 0, "unknown2": "", "unknown3": "", "unknown4": False}]}


PAGES = [
    ("https://sso.tandemdiabetes.com/", 200, "<html>sign in</html>", "<title>Tandem Diabetes Care</title>"),
    ("https://sso.tandemdiabetes.com/auth/callback", 200, "<html>welcome</html>", "<title>Tandem Source</title>"),
    (PUMPER, 403, "<html>The request is blocked. Reference 20261118T203005Z-1</html>", "<h2>The request is blocked.</h2>"),
    (PUMPER, 200, "<html>The request is blocked.</html>", "<h2>The request is blocked.</h2>"),
    (EVENTS, 404, "<html>404 nginx at 10.0.0.1</html>", "<h1>404 Not Found</h1>"),
    (AUTHORIZE, 400, "<html>unauthorized_client</html>", "<title>Tandem</title>"),
    (PUMPER, 200, "<html>We will be right back</html>", "<title>Tandem</title>"),
]


@pytest.mark.parametrize(("url", "status", "page", "kept"), PAGES)
def test_of_a_page_stays_that_there_was_one(capture: Build, url: str, status: int, page: str, kept: str) -> None:
    done = scrub(capture(url, status=status, got=(HTML,), answer=page.encode()), name="x")
    text = done.cassette.exchanges[0].response.body.decode()
    assert kept in text
    assert not re.search(r"Reference|10\.0\.0\.1|sign in|welcome|right back", text)
    assert looked_at(done.cassette) == ()


def test_a_name_that_holds_a_seen_value_is_not_shown(capture: Build) -> None:
    answer = json.dumps({"marisolPump": 1, "color": 2}).encode()
    done = scrub(capture(PUMPER, answer=answer, seen=("Marisol",)), name="x")
    assert [finding.place for finding in done.findings] == ["response body.<another name 1>", "response body.<another name 2>"]
    text = suggested(done.findings, policy())
    assert '"color"' in text
    assert "arisol" not in text


UNREADABLE = [
    ((("Content-Type", "application/json"),), b'{"lowGlucoseThreshold":' + b"9" * 5000 + b"}", "more digits than Python reads"),
    ((("Content-Type", "application/json"),), b"[" * 5000 + b"]" * 5000, "deeper than anything"),
]


@pytest.mark.parametrize(("got", "answer", "_why"), UNREADABLE)
def test_what_cannot_be_read_is_refused(capture: Build, got: tuple[tuple[str, str], ...], answer: bytes, _why: str) -> None:
    url = "https://source.tandemdiabetes.com/api/reports/bff/pumper/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
    with pytest.raises(RefusedError, match="nothing was written") as caught:
        scrub(capture(url, got=got, answer=answer), name="x")
    assert "9999" not in str(caught.value)


@pytest.mark.parametrize("expiry", ["Thu, 01 Jan 99999999999 00:00:00 GMT", "Thu, 01 Jan 2030 00:00:00 +9999999999999"])
def test_a_cookie_of_no_date_is_deleted(capture: Build, expiry: str) -> None:
    got = (("Content-Type", "text/html"), ("Set-Cookie", f"idsrv=abc; expires={expiry}"))
    done = scrub(capture(got=got, answer=b"<html>"), name="x").cassette
    assert done.exchanges[0].response.headers.get("set-cookie") == "idsrv=tfx-cookie-000001; expires=Thu, 01 Jan 1970 00:00:00 GMT"


def test_a_rule_that_breaks_refuses_without_a_word_of_the_value(capture: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise OverflowError("Marisol")

    monkeypatch.setattr("sanitizer.scrub.walked", breaks)
    with pytest.raises(RefusedError, match="cannot be understood") as caught:
        scrub(capture(), name="x")
    assert "Marisol" not in str(caught.value)


def test_a_name_nobody_knows_is_told_where_it_is_to_be_pasted_and_nowhere_else(capture: Build) -> None:
    answer = json.dumps({"kowalczyk": 1, "nickname": "x", "pumps": [{"kowalczyk": 2}]}).encode()
    lines = (("Zbyszek-Qwx", "1"), ("X-Forwarded-For", "1"), ("AcCePt-eNCodIng", "gzip"))
    page = (("Content-Type", "application/json"), ("Set-Cookie", "idsrv=1; JohnSmith=1; Priority=High"))
    asked = capture(f"{PUMPER}?bronzeSparrowLantern=1", sent=lines, got=page, answer=answer)
    done = scrub(asked, name="x")
    told = "\n".join(map(str, done.findings)) + "\n".join(place for _, place in done.touched)
    assert not re.search("kowalczyk|zbyszek|sparrow|smith", told, re.IGNORECASE)
    assert "AcCePt" not in told
    assert {"response body.nickname", "request header.x-forwarded-for"} <= {one.place for one in done.findings}
    assert [one.place for one in done.findings if "<" in one.place and "pumps" in one.place] == ["response body.pumps[0].<another name 3>"]
    assert '"kowalczyk" = "keep:small"' in suggested(done.findings, policy())
    assert done.cassette.exchanges[0].request.headers.get("accept-encoding") == "gzip"
    assert "Accept-Encoding" in [name for name, _ in done.cassette.exchanges[0].request.headers]
    assert looked_at(done.cassette) == ()
