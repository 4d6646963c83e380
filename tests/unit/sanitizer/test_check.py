"""The check needs no secrets: a clean cassette broken in any place is found out, and the place is named."""

# ruff: noqa: E501  # one row of a table is one line, however wide

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any  # parsed JSON is asked by place here, and a wrong place fails the test

import jwt
import pytest

from replayer.matching.keys import checked_ignore
from sanitizer.check import COUNTED, check, looked_at
from sanitizer.places.visitors import KEPT
from sanitizer.replacements.actions import ACTIONS
from sanitizer.scrub import Scrubbed, again, scrub
from tandem.endpoints import locate
from tandem.records import Records
from tfx.capture import Capture
from tfx.cassette import Cassette
from tfx.codec import decoded, encoded
from tfx.errors import CassetteError, RefusedError, UsageError
from tfx.exchange import Exchange, Headers, Terms
from tfx.jsonbody import write
from tfx.signing import claims_of, sign
from tfx.store import dumps

Done = Callable[..., Scrubbed]
Breaking = Callable[[Any], object]


@pytest.fixture(scope="module")
def clean(scrubbed: Done) -> Cassette:
    return replace(scrubbed().cassette, name="week")


def position(cassette: Cassette, name: str) -> int:
    places = [locate(one.request.method, one.request.url) for one in cassette.exchanges]
    return next(index for index, place in enumerate(places) if place and place.endpoint.name == name)


def changed(cassette: Cassette, index: int, exchange: Exchange) -> Cassette:
    return replace(cassette, exchanges=(*cassette.exchanges[:index], exchange, *cassette.exchanges[index + 1 :]))


def with_answer(cassette: Cassette, name: str, breaking: Breaking) -> Cassette:
    index = position(cassette, name)
    exchange = cassette.exchanges[index]
    value = json.loads(decoded(exchange.response.headers, exchange.response.body))
    breaking(value)
    body = encoded(exchange.response.headers, write(value))
    return changed(cassette, index, exchange.replacing(response=replace(exchange.response, body=body)))


def found(cassette: Cassette) -> list[str]:
    return [str(finding) for finding in looked_at(cassette)]


def test_a_clean_cassette_has_no_finding(clean: Cassette) -> None:
    assert found(clean) == []
    assert check(dumps(clean)) == ()


def put(path: str, value: Any) -> Breaking:
    def breaking(found: Any) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            found = found[part]
        found[last] = value

    return breaking


LEAVES = [
    ("pumper", "pumps.0.serialNumber", "10871624", "response body.pumps[0].serialNumber: not a stand-in serial"),
    ("pumper", "pumps.1.assignmentId", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "response body.pumps[1].assignmentId: not a stand-in UUID"),
    ("pumper", "firstName", "Marisol", "response body.firstName: not a stand-in given name"),
    ("pumper", "name", "Given1 Quintanilla", "response body.name: not a stand-in name"),
    ("pumper", "dateOfBirth", "1987-03-04", "response body.dateOfBirth: not the constant birth date"),
    ("pumper", "country", "US-CA", "response body.country: more than a country"),
    ("pumper", "country", "ZQ", "response body.country: more than a country"),
    ("pumper", "pumps.0.modelNumber", "1049999", "response body.pumps[0].modelNumber: outside its domain"),
    ("pumpers", "account.preferredLanguage", "zq-ZW", "response body.account.preferredLanguage: outside its domain"),
    ("pumper", "lowGlucoseThreshold", 5000, "response body.lowGlucoseThreshold: outside its domain"),
    ("pumper", "pumps.0.modelName", "Marisol's pump", "response body.pumps[0].modelName: outside its domain"),
    ("pumper", "pumps.0.maxDateOfEvents", "2026-11-18T10:00:00", "response body.pumps[0].maxDateOfEvents: a date outside the synthetic window"),
    ("pumper", "pumps.0.settings.settingsHash", "AB" * 20, "response body.pumps[0].settings.settingsHash: not a stand-in hash"),
    ("pumper", "pumps.0.settings.details.profiles.profile.0.name", "School", "response body.pumps[0].settings.details.profiles.profile[0].name: not a stand-in profile name"),
    ("pumper", "nickname", "Bo", "response body.nickname: a member without a rule"),
    ("pumper", "Marisol99", 1, "response body.<another name 1>: a member without a rule"),
    ("pumper", "firstName", ["Marisol"], "response body.firstName: a container where a leaf is expected"),
    ("pumpers", "account.email", "user1@example.org", "response body.account.email: not a stand-in e-mail address"),
    ("token", "access_token", "abc", "response body.access_token: not a stand-in access token"),
    ("token", "id_token", "abc", "response body.id_token: not a token that can be read"),
    ("jwks", "keys.0.kid", "9664264F", "response body: not the published key set"),
    ("pump-logs", "events.3.pumpDateTime", "2026-11-18T10:00:00", "response body.events[].pumpDateTime: a date outside the synthetic window"),
    ("pump-logs", "events.3.deviceAssignmentId", "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", "response body.events[].deviceAssignmentId: not a stand-in UUID"),
    ("pump-logs", "events.3.pumpDateTime", "2024-07-02T10:00:00.063", "response body.events[].pumpDateTime: a date outside the synthetic window"),
    ("pump-logs", "events.3.sequenceGroup", 9, "response body.events[].sequenceGroup: a sequence group that is not rebased"),
    ("pump-logs", "events.3.note", "x", "response body.events[].<another name 1>: a member without a rule"),
    ("pump-logs", "events.3", "x", "response body.events[]: an event that is not an object"),
    ("pump-logs", "other", [1], "response body.<another name 1>: a member without a rule"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "expected"), LEAVES)
def test_a_leaf_put_back_is_found(clean: Cassette, name: str, path: str, value: Any, expected: str) -> None:
    expected = f"#{position(clean, name) + 1} {expected}"
    assert expected in found(with_answer(clean, name, put(path, value)))


def events_of(value: Any, code: int) -> dict[str, Any]:
    events = value["events"]
    return next(event["eventProperties"] for event in events if event["eventCode"] == code)


PROPERTIES = [
    (5, "param1", 77, "not zero (event 5)"),
    (57, "spareA0", False, "a payload byte that is not zero"),
    (280, "remoteId", 7, "not zero (event 280)"),
    (280, "requestedNow", 70000, "not what event 280 can hold there"),
    (399, "egvTimeStamp", 596_000_000, "a date outside the synthetic window (event 399)"),
    (399, "interval", True, "not what event 399 can hold there"),
    (394, "cgmTimestamp", 51767, "a device counter that links (event 394)"),
    (20, "insulinDelivered", 90_871.625, "not what event 20 can hold there"),
    (20, "insulinDelivered", 1e30, "not what event 20 can hold there"),
    (20, "insulinDelivered", 1.1374829, "outside its domain (event 20)"),
    (20, "note", "x", "a property event 20 does not have"),
]


@pytest.mark.parametrize(("code", "name", "value", "kind"), PROPERTIES)
def test_a_property_put_back_is_found(clean: Cassette, code: int, name: str, value: Any, kind: str) -> None:
    broken = with_answer(clean, "pump-logs", lambda found: events_of(found, code).update({name: value}))
    assert [line.partition(": ")[2] for line in found(broken)] == [kind]


def test_a_pump_whose_numbers_were_not_rebased_is_found(clean: Cassette) -> None:
    def further(value: Any) -> None:
        for listed in value.values():
            for event in listed:
                event["sequenceNumber"] += 1000

    assert any("a sequence number that is not rebased" in line for line in found(with_answer(clean, "pump-logs", further)))


LINES = [
    ("request", "X-Me", "1", "request header.<another name 1>: a header without a rule"),
    ("request", "Host", "sso.tandemdiabetes.com", "request header.Host: a header that no cassette has"),
    ("request", "User-Agent", "Mozilla/5.0", "request header.User-Agent: not the literal"),
    ("request", "Cookie", "idsrv=abc", "request header.Cookie value: not a stand-in cookie value"),
    ("request", "Cookie", "Marisol=tfx-cookie-000001", "request header.Cookie name: not a stand-in cookie name"),
    ("request", "Authorization", "Bearer abc", "request header.Authorization: not a stand-in bearer token"),
    ("response", "Date", "Wed, 18 Nov 2026 20:30:05 GMT", "response header.Date: a header that no cassette has"),
    ("response", "Location", "https://evil.example.org/", "response header.Location: a URL outside Tandem Source"),
    ("response", "Set-Cookie", "idsrv=tfx-cookie-000001; expires=Thu, 19 Nov 2026 20:30:05 GMT", "response header.Set-Cookie: not written as the sanitizer writes it"),
    ("response", "Retry-After", "Wed, 18 Nov 2026 20:30:05 GMT", "response header.Retry-After: not a round number of seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("way", "name", "value", "expected"), LINES)
def test_a_line_put_back_is_found(clean: Cassette, way: str, name: str, value: str, expected: str) -> None:
    exchange = clean.exchanges[0]
    if way == "request":
        done = exchange.replacing(
            request=replace(exchange.request, headers=Headers([*exchange.request.headers.without(name), (name, value)]))
        )
    else:
        headers = Headers([*exchange.response.headers.without(name), (name, value)])
        status = 429 if name == "Retry-After" else exchange.response.status
        done = exchange.replacing(response=replace(exchange.response, headers=headers, status=status))
    assert f"#1 {expected}" in found(changed(clean, 0, done))


URLS = [
    ("https://sso.tandemdiabetes.com/?login=1", "request query.<another name 1>: a key without a rule"),
    ("https://example.org/", "request: a request that tfx has no rules for (GET another host/)"),
    ("https://SSO.tandemdiabetes.com/", "request url: not written as the sanitizer writes it"),
    ("https://sso.tandemdiabetes.com/?", "request url: not written as the sanitizer writes it"),
    (
        "https://source.tandemdiabetes.com/api/pumpers/pumpers/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904",
        "request path.pumperId: not a stand-in UUID",
    ),
]


@pytest.mark.parametrize(("url", "expected"), URLS)
def test_a_url_put_back_is_found(clean: Cassette, url: str, expected: str) -> None:
    exchange = clean.exchanges[0]
    broken = changed(clean, 0, exchange.replacing(request=replace(exchange.request, url=url)))
    assert f"#1 {expected}" in found(broken)


def test_a_page_put_back_is_found(clean: Cassette) -> None:
    exchange = clean.exchanges[0]
    body = encoded(exchange.response.headers, b"<html>Marisol</html>")
    broken = changed(clean, 0, exchange.replacing(response=replace(exchange.response, body=body)))
    assert found(broken) == ["#1 response body: a page that is not one of the literal ones"]


def test_a_token_of_somebody_else_is_found(clean: Cassette) -> None:
    def swap(value: Any) -> None:
        claims = claims_of(str(value["id_token"]))
        value["id_token"] = jwt.encode(claims, "k" * 32, algorithm="HS256")

    assert [line.partition(": ")[2] for line in found(with_answer(clean, "token", swap))] == [
        "a token that is not signed with the published test key"
    ]


@pytest.mark.parametrize(
    ("claim", "value", "kind"),
    [
        ("email", "marisol@example.org", "not a stand-in e-mail address"),
        ("iat", 1_795_000_000, "not the constant issue time"),
        ("nick", "Bo", "a member without a rule"),
    ],
)
def test_a_claim_signed_with_our_own_key_is_looked_at_too(clean: Cassette, claim: str, value: Any, kind: str) -> None:
    def swap(found: Any) -> None:
        found["id_token"] = sign({**claims_of(str(found["id_token"])), claim: value})

    assert [line.partition(": ")[2] for line in found(with_answer(clean, "token", swap))] == [kind]


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [(2, b"\x23\x86\x00\x00", 28), (20, b"\x01", 28), (10, b"\x41", 4095), (0, b"\x0f\xfe", 28), (10, b"Jona", 57)],
)
def test_a_byte_put_back_into_a_record_is_found(scrubbed: Done, offset: int, value: bytes, code: int) -> None:
    cassette = scrubbed("2025").cassette
    index = position(cassette, "pump-events")
    response = cassette.exchanges[index].response
    records = Records.from_body(decoded(response.headers, response.body))
    rows = records.rows.copy()
    which = int(records.positions(code)[0])
    rows[which, offset : offset + len(value)] = list(value)
    code = int.from_bytes(rows[which, :2].tobytes(), "big")
    body = encoded(response.headers, Records(rows=rows).to_body())
    broken = changed(cassette, index, cassette.exchanges[index].replacing(response=replace(response, body=body)))
    assert found(broken) == [f"#{index + 1} response body[]: a record of event {code} that does not look like a sanitized one"]


MANY = dict.fromkeys((*ACTIONS, *COUNTED), 99_999)

HEADS: list[tuple[dict[str, Any], str]] = [
    ({"name": "pump-10871624"}, "name: a long number or a date, which may be somebody's"),
    ({"era": "1999"}, "era: not a known era"),
    ({"region": "mars"}, "region: not a known region"),
    ({"clock": datetime(2026, 11, 18, 20, 30, tzinfo=UTC)}, "clock: not a whole minute of the anchor week"),
    ({"clock": datetime(2024, 6, 30, 23, 59, tzinfo=UTC)}, "clock: not a whole minute of the anchor week"),
    ({"clock": datetime(2024, 7, 3, 20, 30, 5, tzinfo=UTC)}, "clock: not a whole minute of the anchor week"),
    ({"policy": 0}, "policy.version: made by another version of the policy; sanitize it again"),
    ({"values": "invented"}, "policy.values: not one of keep, synthetic"),
    ({"rules": {**MANY, "Marisol": 1}}, "rules: a rule that does not exist"),
    ({"rules": {**MANY, "cookie": 22}}, "rules: not as many places as there are; have them counted with: tfx sanitize"),
    ({"era": "2025"}, "era: not the one that the requests show"),
]


@pytest.mark.parametrize(("change", "expected"), HEADS)
def test_the_head_is_looked_at(clean: Cassette, change: dict[str, Any], expected: str) -> None:
    assert found(replace(clean, **change)) == [expected]


@pytest.mark.proofs  # slow; tests/proofs/test_own_check.py has the law
@pytest.mark.parametrize("era", ["2026-10", "2025"])
def test_what_is_counted_is_what_sanitizing_again_counts(scrubbed: Done, era: str) -> None:
    cassette = scrubbed(era).cassette
    counted = Counter[str]()
    for (word, _), number in again(replace(cassette, rules={})).touched.items():
        counted[word] += number
    for word in [word for word, number in counted.items() if number and not word.startswith(KEPT)]:
        for other in (counted[word] - 1, counted[word] + 1):
            miscounted = replace(cassette, rules={**cassette.rules, word: other})
            assert found(miscounted) == ["rules: not as many places as there are; have them counted with: tfx sanitize"], word
            assert again(miscounted).cassette == cassette, word


def test_what_was_blanked_is_not_counted(session: Callable[..., Capture], clean: Cassette) -> None:
    capture, index = session(), position(clean, "pumper")
    exchange = capture.exchanges[index]
    value = json.loads(decoded(exchange.response.headers, exchange.response.body))
    value["pumps"][0]["settings"]["details"]["profiles"]["profile"] *= 40
    odd = exchange.replacing(response=replace(exchange.response, body=encoded(exchange.response.headers, write(value))))
    exchanges = (*capture.exchanges[:index], odd, *capture.exchanges[index + 1 :])
    done = scrub(replace(capture, exchanges=exchanges), name="week")
    assert "a list of more than" in str(done.findings)
    assert found(done.cassette) == []


def test_a_place_to_ignore_must_be_one(clean: Cassette) -> None:
    exchange = clean.exchanges[0]
    broken = changed(clean, 0, Exchange(request=exchange.request, response=exchange.response, terms=Terms(ignore=("marisol@example.org",))))
    assert found(broken) == ["#1 replay.ignore: not a place of a request"]


def test_what_cannot_be_understood_is_a_finding(clean: Cassette) -> None:
    exchange = clean.exchanges[0]
    broken = changed(
        clean,
        0,
        exchange.replacing(response=replace(exchange.response, headers=Headers([("Content-Type", "text/plain")]), body=b"Marisol")),
    )
    assert found(broken) == ["#1 body: cannot be understood, so nothing says that it is clean"]


def test_json_in_a_spelling_of_its_own_is_found(clean: Cassette) -> None:
    index = position(clean, "login")
    exchange = clean.exchanges[index]
    body = b'{"redirectUrl":"/",  "status":"\\u0053UCCESS"}'
    broken = changed(clean, index, exchange.replacing(response=replace(exchange.response, body=body)))
    assert found(broken) == ["#2 response body: JSON that is not written as the sanitizer writes it"]


def test_a_file_somebody_edited_is_no_cassette(clean: Cassette) -> None:
    with pytest.raises(CassetteError, match="was changed after tfx wrote it"):
        check(dumps(clean).replace(b"Given1", b"Maria1"), "week.json")


def test_a_reason_is_that_of_its_status(clean: Cassette) -> None:
    exchange = clean.exchanges[0]
    for status, reason, holds in (
        (200, "OK", True),
        (200, "", True),
        (200, "Not Found", False),
        (413, "Content Too Large", True),
        (499, "OK", False),
    ):
        done = exchange.replacing(response=replace(exchange.response, status=status, reason=reason))
        said = "#1 response reason: not the standard phrase of its status" in found(changed(clean, 0, done))
        assert said is not holds, (status, reason)


def test_base64_is_no_way_past_the_check(clean: Cassette) -> None:
    hidden = base64.b64encode(b"Marisol Quintanilla").decode()
    assert found(with_answer(clean, "pumper", put("lastName", hidden)))


def signed(data: bytes) -> bytes:
    blank = re.sub(rb'"digest": "sha256:[0-9a-f]{64}"', b'"digest": "sha256:' + b"0" * 64 + b'"', data)
    return blank.replace(b"0" * 64, sha256(blank).hexdigest().encode(), 1)


SPELLINGS = [
    (b' "era": ', b' "note": "Jane",\n "era": ', "an extra member of the head"),
    (b' "era": ', b' "era": "Jane",\n "era": ', "a member twice"),
    (b'["Content-Length",""]', b'["Content-Length","Jane"]', "a length that nobody reads"),
    (b'"status": 302,', b'"status": 302, "note": "Jane",', "an extra member of a response"),
    (b'"body": {}', b'"body":  {}', "a space"),
    (b'"uuid": ', b'"uuid":\t', "a tab"),
]


@pytest.mark.parametrize(("old", "new", "_why"), SPELLINGS)
def test_a_file_that_says_more_than_its_cassette_is_found(clean: Cassette, old: bytes, new: bytes, _why: str) -> None:
    data = dumps(clean)
    assert old in data
    try:
        findings = [str(one) for one in check(signed(data.replace(old, new, 1)))]
    except CassetteError:
        return  # told at load, which is as good
    assert findings == ["file: not what tfx writes: a member, number or spelling that does not belong"]


def test_a_body_packed_by_another_program_is_found(clean: Cassette) -> None:
    index = position(clean, "pumper")
    exchange = clean.exchanges[index]
    plain = decoded(exchange.response.headers, exchange.response.body)
    lines = [line for line in exchange.response.headers if line[0].lower() != "content-encoding"]
    headers = Headers([*lines, ("Content-Encoding", "gzip")])
    packed = gzip.compress(plain, mtime=1_795_000_000)
    broken = changed(clean, index, exchange.replacing(response=replace(exchange.response, headers=headers, body=packed)))
    assert found(broken) == [f"#{index + 1} response body: compressed in another way than the sanitizer does"]


MORE_HEADS: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": "Jane Doe"}, ["name: not a plain file name"]),
    ({"name": "../jane"}, ["name: not a plain file name"]),
    ({"name": "week-90.55.66.43"}, ["name: a long number or a date, which may be somebody's"]),
    ({"rules": {**MANY, "nonce": -1}}, ["rules: a number that counts nothing"]),
    ({"rules": {**MANY, "nonce": True}}, ["rules: a number that counts nothing"]),
    ({"rules": {**MANY, "uuid": 90_556_643}}, ["rules: a number that counts nothing"]),
    ({"rules": {**MANY, "header dropped": 113_748}}, ["rules: a number that counts nothing"]),
]


@pytest.mark.parametrize(("change", "expected"), MORE_HEADS)
def test_the_head_holds_only_names_and_counts(clean: Cassette, change: dict[str, Any], expected: list[str]) -> None:
    assert found(replace(clean, **change)) == expected


IGNORED = [
    ("query.startDate", True, "a key the policy has a rule for"),
    ("header.content-type", True, "the header the replay compares"),
    ("body.code", True, "a key of a form"),
    ("body.username", True, "a member of a JSON body"),
    ("path.pumperId", True, "an identifier in a path"),
    ("body", True, "the whole body"),
    ("query.Jane", False, "a key nobody sends"),
    ("header.jane-doe", False, "a header nobody sends"),
    ("header.accept", False, "a header the replay does not compare"),
    ("form.code", False, "the replay calls it body.code"),
    ("body.marisol", False, "a member nobody sends"),
    ("query.", False, "no key"),
]


def test_only_places_replay_compares_and_the_policy_knows_can_be_ignored(clean: Cassette) -> None:
    exchange = clean.exchanges[0]
    for place, stays, why in IGNORED:
        with_terms = Exchange(request=exchange.request, response=exchange.response, terms=Terms(ignore=(place,)))
        broken = changed(clean, 0, with_terms)
        assert found(broken) == ([] if stays else ["#1 replay.ignore: not a place of a request"]), why
        if not stays:
            with pytest.raises(UsageError, match=r"#1 replay\.ignore: not a place of a request.* places are body, .* nothing was written"):
                again(broken)
            continue
        kept = again(broken).cassette.exchanges[0].terms.ignore
        assert kept == (place,), why
        assert checked_ignore(kept, 1) == kept, "what stands on a clean cassette, the replay takes"


@pytest.mark.parametrize("status", [0, 99, 600, 90_556_643])
def test_a_status_is_one_of_http(clean: Cassette, status: int) -> None:
    exchange = clean.exchanges[0]
    broken = changed(clean, 0, exchange.replacing(response=replace(exchange.response, status=status)))
    assert "#1 response status: none of HTTP's" in found(broken)
    with pytest.raises(RefusedError, match="#1 response status is not one of HTTP's"):
        again(broken)
