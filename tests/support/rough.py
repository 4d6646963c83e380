"""Requests beside the normal session: refused, wrong and outdated ones, and documented responses that the simulator never gives."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import numpy as np

from simulator.account import account
from simulator.service import Service
from simulator.session import Walk, captured_session
from tandem.endpoints import BY_NAME
from tandem.eras import ERAS
from tandem.events import EVENTS, RECORD_LENGTH
from tandem.faults import Fault
from tandem.records import Records
from tandem.regions import REGIONS, SSO_URL, client_id_of
from tfx.capture import Capture
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.signing import sign

NOW = datetime(2026, 11, 18, 20, 30, 5, tzinfo=UTC)
ANSWERS = ("401", "403-waf", "429", "500", "503", "content-type")
DATA = {"json": ("pumper", "pumpers", "pump-logs"), "binary": ("pump-event-metadata", "pumpers", "pump-events")}


def sessions() -> Iterator[Capture]:
    """The straight walk in every era and region, and with every fault at every endpoint of data that the walk asks."""
    for era in ERAS:
        for region in REGIONS:
            person = account(identity=1, therapy=4, now=NOW, days=0.25, region=region)
            yield captured_session(person, era=era, region=region, now=NOW)
            guardian = account(identity=1, therapy=4, now=NOW, days=0.25, region=region, guardian=True)
            for turn in range(len(ANSWERS)):
                # Three faults a walk, so that each falls once on each endpoint.
                kinds = (ANSWERS[turn], ANSWERS[turn - 1], ANSWERS[turn - 2])
                faults = [Fault(endpoint=name, kind=kind) for name, kind in zip(DATA[ERAS[era].wire], kinds, strict=True)]
                yield captured_session(guardian, era=era, region=region, now=NOW, faults=faults)


def rough(era: str, region: str) -> Capture:
    """Everything that can be asked wrongly, too late or too early, and what the stand-in says to it."""
    person = account(identity=1, therapy=4, now=NOW, days=0.25, region=region)
    home = REGIONS[region]
    walk = Walk(Service(person, era=era, region=region, now=NOW), ERAS[era], home)
    client = client_id_of(home, era)
    asked = _asked(region, client)
    as_json, as_form = ("Content-Type", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")

    def authorized(**others: str) -> Response:
        return walk._send("GET", f"{BY_NAME['authorize'].url(home)}?{urlencode(asked | others)}")

    walk._send("GET", authorized().headers.get("Location"))  # no session yet: to the page, with the way back in ReturnUrl
    for wrong in (b"{}", b'{"username": "a@b.example", "password": "guess"}', b"[]"):
        walk._send("POST", BY_NAME["login"].url(home), (as_json, ("Origin", SSO_URL.rstrip("/"))), wrong)
    walk.sign_in(person.email, person.password)
    walk._send("GET", authorized(scope="openid admin").headers.get("Location"))  # to the callback, with an error
    authorized(client_id="0oa27ho9tpZE9Arjy4h8")
    landing = authorized(code_challenge="EgxRw7DjQKOvbmNqwRhBqZPOr0lYFEWXMPBJTMUKkeM").headers.get("Location")
    code = parse_qs(urlsplit(landing).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": code,
        "redirect_uri": home.redirect_uri,
        "code_verifier": "x" * 64,
    }
    for change in ({}, {"grant_type": "refresh_token", "refresh_token": "8xLOxBtZp8"}, {"client_id": ""}):
        walk._send("POST", BY_NAME["token"].url(home), (as_form,), urlencode(form | change).encode())
    _data(walk, person.pumper_id, person.current.assignment_id, str(person.current.tconnect_device_id), home.name)
    return Capture(exchanges=tuple(walk.exchanges), era=era, region=region, clock=NOW)


def _asked(region: str, client: str) -> dict[str, str]:
    """The query of an authorization with all that clients are known to put into it."""
    return {
        "client_id": client,
        "response_type": "code",
        "scope": "openid profile email",
        "redirect_uri": REGIONS[region].redirect_uri,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "state": "af0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
        "response_mode": "query",
        "prompt": "login",
    }


def _data(walk: Walk, person: str, pump: str, device: str, region: str) -> None:
    home = REGIONS[region]
    window = {"pumperId": person, "startDate": "2026-11-17T00:00:00Z", "endDate": "2026-11-18T23:59:59Z"}
    logs = f"{BY_NAME['pump-logs'].url(home, assignmentId=pump)}?"
    days = {"minDate": "2026-11-17", "maxDate": "2026-11-18"}
    events = f"{BY_NAME['pump-events'].url(home, pumperId=person, tconnectDeviceId=device)}?"
    walk._ask(BY_NAME["pumper"].url(home, pumperId="7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"))  # nobody of this account
    for more in (
        {"eventCodes": "229,5"},
        {"eventIds": "229,5"},
        {"startDate": "yesterday"},
        {"startDate": "2026-01-01T00:00:00Z"},
        {"eventCodes": "x,5"},
    ):
        walk._ask(logs + urlencode(window | more))
    for more in ({"eventIds": "229,5"}, {"minDate": "soon"}):
        walk._ask(events + urlencode(days | more))
    old = "https://tconnect.tandemdiabetes.com"  # what tconnectsync 2 and tandem-fetch say they come from
    walk._send("GET", logs + urlencode(window), (("Origin", old), ("Referer", f"{old}/")))


def _lines(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, _, value in (line.partition(": ") for line in text.strip().splitlines()))


BROWSER = _lines("""
Host: source.tandemdiabetes.com
Connection: keep-alive
sec-ch-ua-platform: "Windows"
DNT: 1
sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"
sec-ch-ua-mobile: ?0
Pragma: no-cache
Cache-Control: no-cache
Accept: application/json, text/plain, */*
Accept-Language: en-US,en;q=0.9
X-Requested-With: XMLHttpRequest
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
tracestate: az=1
TE: trailers
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: cors
Sec-Fetch-Site: same-origin
Upgrade-Insecure-Requests: 1
Priority: u=0, i
Sec-Fetch-User: ?1
Sec-Purpose: prefetch
Sec-GPC: 1
If-None-Match: W/"5f-abc"
If-Modified-Since: Wed, 18 Nov 2026 20:00:00 GMT
Accept-Encoding: gzip, deflate, br, zstd
""")
"""What Chrome and Firefox add of their own, and the service's own page with its telemetry (Application Insights)."""

FRONT = _lines("""
Date: Wed, 18 Nov 2026 20:30:05 GMT
Content-Type: text/html
Age: 12
Expires: -1
Server: Microsoft-IIS/10.0
Last-Modified: Wed, 18 Nov 2026 20:00:00 GMT
ETag: "5f-abc"
Via: 1.1 varnish
Accept-Ranges: bytes
X-Azure-Ref-OriginShield: Ref A: 1
X-Azure-Ref: 20261118T203005Z-1
X-Cache: TCP_MISS
X-FD-Int-Roxy-PurgeId: 0
Request-Id: |7d9f0c42.
X-Correlation-Id: 7d9f0c42
X-MS-Request-Id: 7d9f0c42
Request-Context: appId=cid-v1:7d9f
Server-Timing: edge; dur=1
Report-To: {"group":"network-errors"}
NEL: {"report_to":"network-errors"}
Alt-Svc: h3=":443"
X-Content-Type-Options: nosniff
X-Frame-Options: DENY
X-XSS-Protection: 0
X-Powered-By: Express
Content-Security-Policy: default-src 'self'
Referrer-Policy: no-referrer
Permissions-Policy: camera=()
Pragma: no-cache
Keep-Alive: timeout=5
Priority: u=3
X-AspNet-Version: 4.0.30319
X-Robots-Tag: noindex
Content-Language: en-US
Access-Control-Allow-Origin: https://source.tandemdiabetes.com
Access-Control-Allow-Credentials: true
Access-Control-Allow-Methods: GET
Access-Control-Allow-Headers: authorization
Access-Control-Expose-Headers: request-context
Set-Cookie: culture=en-US; Max-Age=31536000; Path=/; Secure; Partitioned
Set-Cookie: .AspNetCore.Cookies=CfDJ8; path=/; httponly
""")
"""What Azure Front Door, IIS, nginx, Express and ASP.NET are known to answer with; no header set of the live service is public."""


def documented() -> Capture:
    """Members, claims and lines that standards and other programs' sources name, and no client has shown yet."""
    us = REGIONS["us"]
    issuer = us.issuer
    plain = (("Content-Type", "application/json"),)
    form = ("Content-Type", "application/x-www-form-urlencoded")
    # The whole of IdentityServer's document, whose paths these are.
    discovery = {
        "check_session_iframe": f"{issuer}/connect/checksession",
        "revocation_endpoint": f"{issuer}/connect/revocation",
        "introspection_endpoint": f"{issuer}/connect/introspect",
        "frontchannel_logout_supported": True,
        "backchannel_logout_supported": True,
        "request_parameter_supported": True,
    }
    # `offline_access`, which no client asks for; `jti`, which OpenID Connect allows.
    tokens = {
        "id_token": sign({"jti": "7d9f0c42", "nonce": "n-0S6_WzA2Mj", "sub": "77"}),
        "access_token": "a",
        "refresh_token": "8xLOxBtZp8",
    }
    oauth = {"error": "invalid_grant", "error_description": "Unauthorized", "code": "server_error"}
    zod = [
        {
            "code": "invalid_string",
            "validation": "datetime",
            "message": "Invalid datetime",
            "path": ["startDate"],
            "expected": "string",
            "received": "nan",
        }
    ]
    back = quote("/accounts/api/connect/authorize/callback?state=af0ifjsldkj", safe="")
    token = BY_NAME["token"].url(us)
    origin = (("Referer", f"https://{us.hosts['tdc']}/"),)  # across hosts a browser tells no more
    rows = (
        ("GET", f"{SSO_URL}?culture=en-US", BROWSER, b"", 200, FRONT, b"<html>"),
        ("GET", BY_NAME["authorize"].url(us), origin, b"", 302, (("Location", f"{SSO_URL}login?ReturnUrl={back}"),), b""),
        ("GET", BY_NAME["discovery"].url(us), (), b"", 200, plain, json.dumps(discovery).encode()),
        ("POST", token, (form, ("Content-Encoding", "identity")), b"refresh_token=8xLOxBtZp8", 200, plain, json.dumps(tokens).encode()),
        ("POST", token, (form,), b"", 400, plain, json.dumps(oauth | {"detail": "Not Found"}).encode()),
        ("GET", BY_NAME["discovery"].url(us), (), b"", 400, plain, json.dumps({"issues": zod, "name": "ZodError"}).encode()),
    )  # fmt: skip
    exchanges = (
        Exchange(
            request=Request(method=method, url=url, headers=Headers(sent), body=body),
            response=Response(status=status, headers=Headers(got), body=answer),
        )
        for method, url, sent, body, status, got, answer in rows
    )
    return Capture(exchanges=tuple(exchanges), era="2026-10", region="us", clock=NOW)


def wild() -> Capture:
    """An event of every code with every byte of its payload at a value no pump would write; four times 0x43 is 195 as a float."""
    rows = [code.to_bytes(2, "big") + b"\x23" * 8 + bytes([byte]) * 16 for code in EVENTS for byte in (0x43, 0x7E, 0xFE)]
    body = Records(rows=np.frombuffer(b"".join(rows), np.uint8).reshape(-1, RECORD_LENGTH)).to_body()
    url = BY_NAME["pump-events"].url(REGIONS["us"], pumperId="7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904", tconnectDeviceId="378904")
    answer = Response(status=200, headers=Headers((("Content-Type", "application/json"),)), body=body)
    return Capture(exchanges=(Exchange(request=Request(method="GET", url=url), response=answer),), era="2025", region="us", clock=NOW)
