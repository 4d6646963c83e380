"""A whole session as a cassette, made by hand, with tokens signed by the published key."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from tandem.endpoints import BY_NAME
from tandem.eras import ERAS
from tandem.regions import REGIONS, SSO_URL, client_id_of
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.jsonbody import Json
from tfx.signing import at_hash, jwks, s256, sign

PERSON = "00000000-0000-4000-8000-000000000001"
PUMP = "00000000-0000-4000-8000-000000000002"
VERIFIER = "verifier1" * 8
CODE = "code1"
TOKEN = "access1"
WINDOWS = (("2024-07-01", "2024-07-02"), ("2024-07-03", "2024-07-04"))


def event(day: int, hour: int, number: int, code: int = 399) -> dict[str, object]:
    when = f"2024-07-{day:02d}T{hour:02d}:00:00"
    return {
        "deviceAssignmentId": PUMP,
        "eventCode": code,
        "sequenceGroup": 0,
        "sequenceNumber": number,
        "pumpDateTime": when,
        "eventProperties": {"rate": 1.8189592, "whole": 0, "name": "t:slim X2™"},
        "estimatedDateTime": f"{when}Z",
    }


EVENTS = tuple(event(day, hour, 100 * day + hour, (399, 279, 4)[hour % 3]) for day in range(1, 5) for hour in range(0, 24, 5))
CHANGES = (event(1, 1, 3, 13), event(1, 1, 4, 14))


def record(day: int, hour: int, number: int, code: int = 399) -> bytes:
    seconds = int((datetime(2024, 7, day, hour, tzinfo=UTC) - datetime(2008, 1, 1, tzinfo=UTC)).total_seconds())
    return code.to_bytes(2, "big") + seconds.to_bytes(4, "big") + number.to_bytes(4, "big") + bytes(range(16))


def exchange(
    method: str,
    url: str,
    *,
    sent: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    status: int = 200,
    got: tuple[tuple[str, str], ...] = (),
    answer: bytes = b"",
    reason: str = "OK",
) -> Exchange:
    return Exchange(
        request=Request(method=method, url=url, headers=Headers(sent), body=body),
        response=Response(status=status, reason=reason, headers=Headers([*got, ("Content-Length", str(len(answer)))]), body=answer),
    )


def as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


JSON = (("Content-Type", "application/json; charset=utf-8"),)
HTML = (("Content-Type", "text/html; charset=utf-8"),)


def sign_in(era: str, region: str, **claims: Json) -> list[Exchange]:
    home = REGIONS[region]
    client = client_id_of(home, era)
    query = {
        "client_id": client,
        "response_type": "code",
        "scope": "openid profile email",
        "redirect_uri": home.redirect_uri,
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    location = (
        f"{home.redirect_uri}?{urlencode({'code': CODE, 'scope': 'openid profile email', 'session_state': 'state1', 'iss': home.issuer})}"
    )
    form = {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": CODE,
        "redirect_uri": home.redirect_uri,
        "code_verifier": VERIFIER,
    }
    who: dict[str, Json] = {
        "iss": home.issuer,
        "aud": client,
        "iat": 1719871200,
        "nbf": 1719871200,
        "exp": 253402300000,
        "at_hash": at_hash(TOKEN),
    }
    token = sign({**who, "pumperId": PERSON, "accountId": PERSON, "sub": PERSON, **claims})
    tokens = {"id_token": token, "access_token": TOKEN, "expires_in": 28800, "token_type": "Bearer", "scope": "openid profile email"}
    login = {"username": "user1@example.invalid", "password": "password1"}
    cookies = (("Set-Cookie", "cookie1=value1; path=/; secure"), ("Set-Cookie", "cookie2=value2; Domain=.tandemdiabetes.com; path=/"))
    return [
        exchange("GET", SSO_URL, got=(*HTML, *cookies), answer=b"<html></html>"),
        exchange(
            "POST",
            BY_NAME["login"].url(home),
            sent=(("Content-Type", "application/json"),),
            body=json.dumps(login).encode(),
            got=JSON,
            answer=as_json({"redirectUrl": "/", "status": "SUCCESS"}),
        ),
        exchange("GET", f"{BY_NAME['authorize'].url(home)}?{urlencode(query)}", status=302, reason="Found", got=(("Location", location),)),
        exchange("GET", location, got=HTML, answer=b"<html>back</html>"),
        exchange(
            "POST",
            BY_NAME["token"].url(home),
            sent=(("Content-Type", "application/x-www-form-urlencoded"),),
            body=urlencode(form).encode(),
            got=JSON,
            answer=as_json(tokens),
        ),
        exchange("GET", BY_NAME["discovery"].url(home), got=JSON, answer=as_json({"jwks_uri": BY_NAME["jwks"].url(home)})),
        exchange("GET", BY_NAME["jwks"].url(home), got=JSON, answer=as_json(jwks())),
    ]


def data_headers(region: str) -> tuple[tuple[str, str], ...]:
    home = REGIONS[region].source_url
    return (("Authorization", f"Bearer {TOKEN}"), ("Origin", home.rstrip("/")), ("Referer", home))


def logs_url(first: str, last: str, region: str = "us", **more: str) -> str:
    query = {"pumperId": PERSON, "startDate": f"{first}T00:00:00Z", "endDate": f"{last}T23:59:59Z", **more}
    return f"{BY_NAME['pump-logs'].url(REGIONS[region], assignmentId=PUMP)}?{urlencode(query)}"


def logs(first: str, last: str, region: str = "us", *, events: tuple[dict[str, object], ...] = EVENTS, **more: str) -> Exchange:
    inside = [one for one in events if first <= str(one["pumpDateTime"])[:10] <= last]
    return exchange(
        "GET",
        logs_url(first, last, region, **more),
        sent=data_headers(region),
        got=JSON,
        answer=as_json({"events": inside, "clockChanges": list(CHANGES)}),
    )


def session(era: str = "2026-10", region: str = "us", **claims: Json) -> Cassette:
    """A recorded session: signing in, the pumps, two windows of two days each."""
    home = REGIONS[region]
    exchanges = sign_in(era, region, **claims)
    if ERAS[era].wire == "json":
        pumps = {"pumps": [{"assignmentId": PUMP, "serialNumber": "90000001", "maxDateOfEvents": "2024-07-04T20:00:00", "modelName": "X"}]}
        url = BY_NAME["pumper"].url(home, pumperId=PERSON)
        exchanges.append(exchange("GET", url, sent=data_headers(region), got=JSON, answer=as_json(pumps)))
        exchanges += [logs(first, last, region) for first, last in WINDOWS]
    else:
        url = BY_NAME["pump-events"].url(home, pumperId=PERSON, tconnectDeviceId="900001")
        for first, last in WINDOWS:
            days = range(int(first[-2:]), int(last[-2:]) + 1)
            stream = b"".join(record(day, hour, 100 * day + hour, (399, 279, 4)[hour % 3]) for day in days for hour in range(0, 24, 5))
            answer = as_json(base64.b64encode(stream).decode())
            exchanges.append(exchange("GET", f"{url}?minDate={first}&maxDate={last}", sent=data_headers(region), got=JSON, answer=answer))
    return Cassette(
        name="session",
        era=era,
        region=region,
        clock=datetime(2024, 7, 4, 20, 30, tzinfo=UTC),
        policy=1,
        exchanges=tuple(exchanges),
    )


def with_exchanges(cassette: Cassette, *exchanges: Exchange) -> Cassette:
    return replace(cassette, exchanges=exchanges)
