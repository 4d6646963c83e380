"""Header lines and cookies: what changes, what stays, what goes."""

# ruff: noqa: E501  # one row of a table is one line, however wide

from collections.abc import Callable

import pytest

from sanitizer.scrub import scrub
from tfx.capture import Capture
from tfx.signing import s256

Build = Callable[..., Capture]

HTML = ("Content-Type", "text/html")
CHANGED = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux) Firefox/101.0", "tfx", "one of many clients"),
    ("Authorization", "Bearer eyJ.e30.x", "Bearer tfx-access-token-000000000001", "a token"),
    ("Authorization", "bearer abc", "Bearer tfx-access-token-000000000001", "any case of the scheme"),
    ("Cookie", "idsrv=a; culture=en-US", "idsrv=tfx-cookie-000001; culture=tfx-cookie-000002", "cookie values"),
    ("Cookie", "a=1;b=1", "tfx-cookie-name-01=tfx-cookie-000001; tfx-cookie-name-02=tfx-cookie-000001", "unknown names; one value twice"),
    (
        "Cookie",
        ".AspNetCore.Identity.Application=chunks-2; .AspNetCore.Identity.ApplicationC1=CfDJ8",
        ".AspNetCore.Identity.Application=tfx-cookie-000001; .AspNetCore.Identity.ApplicationC1=tfx-cookie-000002",
        "a ticket in chunks",
    ),
    ("Cookie", ".AspNetCore.Antiforgery.9TtSrW0hzOs=x", "tfx-cookie-name-01=tfx-cookie-000001", "a name with a random part"),
]
KEPT = [
    ("Accept", "*/*", "what a client can read"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "a browser"),
    ("Accept-Encoding", "gzip, deflate", "requests"),
    ("Connection", "keep-alive", "the hop"),
    ("Origin", "https://source.tandemdiabetes.com", "the same-origin rule needs it"),
    ("Referer", "https://sso.tandemdiabetes.com/", "the sign-in page"),
]
GONE = [("Host", "sso.tandemdiabetes.com"), ("Accept-Language", "de-AT"), ("traceparent", "00-1-1-00"), ("If-None-Match", 'W/"1"')]


@pytest.mark.parametrize(("name", "before", "after", "_why"), CHANGED)
def test_a_request_line_that_changes(capture: Build, name: str, before: str, after: str, _why: str) -> None:
    done = scrub(capture(sent=((name, before),)), name="x")
    assert list(done.cassette.exchanges[0].request.headers) == [(name, after)]
    assert done.findings == ()


@pytest.mark.parametrize(("name", "value", "_why"), KEPT)
def test_a_request_line_that_stays(capture: Build, name: str, value: str, _why: str) -> None:
    done = scrub(capture(sent=((name, value),)), name="x")
    assert list(done.cassette.exchanges[0].request.headers) == [(name, value)]
    assert done.findings == ()


@pytest.mark.parametrize(("name", "value"), GONE)
def test_a_line_that_goes_without_a_word(capture: Build, name: str, value: str) -> None:
    done = scrub(capture(sent=((name, value),)), name="x")
    assert len(done.cassette.exchanges[0].request.headers) == 0
    assert done.findings == ()
    assert done.cassette.rules == {"header dropped": 1}


SET = [
    ("idsrv=a; path=/; secure; HttpOnly; SameSite=None", "idsrv=tfx-cookie-000001; Path=/; Secure; HttpOnly; SameSite=None", "either spelling"),
    ("idsrv=a; path=/; secure; samesite=none; httponly", "idsrv=tfx-cookie-000001; path=/; secure; samesite=none; httponly", "as ASP.NET sets it"),
    ("idsrv=a; pAtH=/; PaTh=/; HtTpOnLy; sEcUrE=x; PATH=/auth", "idsrv=tfx-cookie-000001; Path=/auth; HttpOnly; Secure", "once each, in one spelling"),
    ("idsrv=a; expires=Thu, 19 Nov 2026 10:00:00 GMT", "idsrv=tfx-cookie-000001; expires=Fri, 01 Jan 2100 00:00:00 GMT", "alive"),
    ("idsrv=; expires=Thu, 01 Jan 1970 00:00:00 GMT", "idsrv=; expires=Thu, 01 Jan 1970 00:00:00 GMT", "being deleted"),
    ("ARRAffinity=a;Path=/;Domain=.tandemdiabetes.com;Max-Age=3600", "ARRAffinity=tfx-cookie-000001; Path=/; Domain=.tandemdiabetes.com; Max-Age=31536000", "no spaces; alive"),
    ("idsrv=; Max-Age=0", "idsrv=; Max-Age=0", "being deleted"),
    ("idsrv=; Max-Age=-1", "idsrv=; Max-Age=0", "being deleted"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "_why"), SET)
def test_a_cookie_that_is_set(capture: Build, before: str, after: str, _why: str) -> None:
    done = scrub(capture(got=(HTML, ("Set-Cookie", before))), name="x")
    assert done.cassette.exchanges[0].response.headers.get("Set-Cookie") == after
    assert done.findings == ()


def test_several_cookies_stay_several_lines(capture: Build) -> None:
    lines = (HTML, ("Set-Cookie", "idsrv=a"), ("set-cookie", "culture=b"))
    done = scrub(capture(got=lines), name="x")
    assert list(done.cassette.exchanges[0].response.headers)[1:] == [
        ("Set-Cookie", "idsrv=tfx-cookie-000001"),
        ("set-cookie", "culture=tfx-cookie-000002"),
    ]


def test_a_cookie_comes_back_under_the_stand_in_it_was_set_to(capture: Build) -> None:
    first = capture(got=(HTML, ("Set-Cookie", "idsrv=a%2Fb")))
    second = capture(sent=(("Cookie", "idsrv=a/b"),))
    both = Capture(exchanges=first.exchanges + second.exchanges, era="2026-10", region="us", clock=first.clock)
    done = scrub(both, name="x").cassette.exchanges
    assert done[0].response.headers.get("Set-Cookie") == done[1].request.headers.get("Cookie") == "idsrv=tfx-cookie-000001"


@pytest.mark.parametrize(
    ("value", "after", "_why"),
    [
        (
            'Bearer error="invalid_token", error_description="expired at 11/18/2026 for marisol@example.org"',
            'Bearer error="invalid_token"',
            "echoes",
        ),
        ("Bearer", "Bearer", "nothing to echo"),
        ('Bearer realm="Marisol"', "Bearer", "a realm"),
        ("Basic realm=x", "", "another scheme"),
    ],
)
def test_a_challenge_says_the_scheme_and_the_code(capture: Build, value: str, after: str, _why: str) -> None:
    done = scrub(capture(status=401, got=(("WWW-Authenticate", value),)), name="x")
    assert done.cassette.exchanges[0].response.headers.get("WWW-Authenticate") == after


TYPES = [
    ("application/json", "application/json", "as most write it"),
    ("application/json;charset=UTF-8", "application/json;charset=UTF-8", "as Java's servers do; kept"),
    ("Application/JSON", "application/json", "types have no case"),
    ('application/json; charset="utf-8"', "application/json; charset=utf-8", "in quotes"),
    ("application/json;", "application/json", "a semicolon too many"),
    ("application/json ; Charset=Utf-8 ;", "application/json; charset=utf-8", "all of it"),
]


def test_a_content_type_is_read_in_every_legal_spelling_and_written_in_one(capture: Build) -> None:
    url = "https://source.tandemdiabetes.com/api/reports/bff/pumper/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
    for before, after, why in TYPES:
        done = scrub(capture(url, got=(("Content-Type", before),), answer=b'{"firstName":"Marisol"}'), name="x")
        (told,) = done.cassette.exchanges
        assert (told.response.headers.get("Content-Type"), told.response.body) == (after, b'{"firstName":"Given1"}'), why
        assert done.findings == (), why


def test_a_length_is_counted_anew(capture: Build) -> None:
    page = b"<html>" + b"x" * 500 + b"</html>"
    done = scrub(capture(got=(HTML, ("Content-Length", "513")), answer=page), name="x").cassette.exchanges[0].response
    assert done.headers.get("Content-Length") == str(len(done.body)) != "513"


def test_a_form_follows_the_session(capture: Build) -> None:
    body = b"grant_type=authorization_code&client_id=0oa4wnbvtladeyVZX4h7&code=AB-1&redirect_uri=https%3A%2F%2Fsso.tandemdiabetes.com%2Fauth%2Fcallback&code_verifier=abc"
    url = "https://tdcservices.tandemdiabetes.com/accounts/api/connect/token"
    form = (("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body))))
    done = scrub(capture(url, method="POST", sent=form, body=body), name="x").cassette.exchanges[0].request
    assert done.body == (
        b"grant_type=authorization_code&client_id=0oa4wnbvtladeyVZX4h7&code=tfx-code-000001"
        b"&redirect_uri=https%3A%2F%2Fsso.tandemdiabetes.com%2Fauth%2Fcallback&code_verifier=tfx-verifier-000000000000000000000000000001"
    )
    assert done.headers.get("Content-Length") == str(len(done.body))


def test_a_verifier_never_challenged_still_makes_a_pair(capture: Build) -> None:
    url = f"https://tdcservices.tandemdiabetes.com/accounts/api/connect/authorize?code_challenge={s256('abc')}&code_challenge_method=S256"
    done = scrub(capture(url), name="x").cassette.exchanges[0].request.url
    assert s256("tfx-verifier-000000000000000000000000000001") in done
