import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

import jwt
import pytest

from simulator.key import challenge_of, half_hash, signing_key
from tandem.regions import REGIONS, client_id_of
from tfx.exchange import Response

VERIFIER = "v" * 86
Text = Callable[[Response], str]
Query = Callable[[str], dict[str, list[str]]]


def login_of(client: Any, region: str = "us", **changed: str) -> Response:
    account = client.service.account
    body = json.dumps({"username": account.email, "password": account.password} | changed).encode()
    answer: Response = client.send("POST", f"{REGIONS[region].issuer}/login", [("Content-Type", "application/json")], body)
    return answer


def cookie_of(client: Any, region: str = "us") -> tuple[str, str]:
    lines = login_of(client, region).headers.all("Set-Cookie")
    return "Cookie", "; ".join(line.split(";")[0] for line in lines)


def authorize_of(client: Any, cookie: tuple[str, str] | None, *, era: str = "2026-10", region: str = "us", **changed: str) -> Response:
    asked = {
        "client_id": client_id_of(REGIONS[region], era),
        "response_type": "code",
        "scope": "openid profile email",
        "redirect_uri": REGIONS[region].redirect_uri,
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    } | changed
    answer: Response = client.send("GET", f"{REGIONS[region].issuer}/connect/authorize?{urlencode(asked)}", [cookie] if cookie else [])
    return answer


def form_of(given: str, *, era: str = "2026-10", region: str = "us", **changed: str) -> Mapping[str, str]:
    return {
        "grant_type": "authorization_code",
        "client_id": client_id_of(REGIONS[region], era),
        "code": given,
        "redirect_uri": REGIONS[region].redirect_uri,
        "code_verifier": VERIFIER,
    } | changed


def token_of(client: Any, form: Mapping[str, str], region: str = "us") -> Response:
    answer: Response = client.send("POST", f"{REGIONS[region].issuer}/connect/token", body=urlencode(form).encode())
    return answer


@pytest.fixture
def code(client: Callable[..., Any], query_of: Query) -> Callable[..., tuple[Any, str]]:
    def code_of(**options: Any) -> tuple[Any, str]:
        fresh = client(signed_in=False, **options)
        location = authorize_of(fresh, cookie_of(fresh)).headers.get("Location")
        return fresh, query_of(location)["code"][0]

    return code_of


def test_the_sign_in_page_sets_one_cookie_for_the_whole_domain_and_one_for_its_host(client: Callable[..., Any]) -> None:
    lines = client(signed_in=False).send("GET", "https://sso.tandemdiabetes.com/").headers.all("Set-Cookie")
    assert [("Domain=.tandemdiabetes.com" in line, "Domain=sso.tandemdiabetes.com" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


def test_the_right_password_gives_a_session(client: Callable[..., Any], text: Text) -> None:
    found = login_of(client(signed_in=False))
    assert (found.status, text(found)) == (200, '{"redirectUrl":"/","status":"SUCCESS"}')
    assert any(line.startswith(".AspNetCore.Identity.Application=CfDJ8") for line in found.headers.all("Set-Cookie"))


def test_an_address_is_the_same_in_any_case(client: Callable[..., Any]) -> None:
    assert login_of(client(signed_in=False), username="JOSE.MULLER@Example.Org").status == 200


@pytest.mark.parametrize(
    ("region", "changed", "why"),
    [
        ("us", {"password": "wrong"}, "wrong password"),
        ("us", {"username": "someone@example.org"}, "nobody of that name"),
        ("eu", {}, "the account lives in the other region (tconnectsync #152)"),
    ],
)
def test_anybody_else_is_refused_with_a_trace_id(
    client: Callable[..., Any], text: Text, region: str, changed: dict[str, str], why: str
) -> None:
    asked = client(signed_in=False)
    found = login_of(asked, region, **changed)
    body = json.loads(text(found))
    assert (found.status, body["error"]) == (401, "account/invalid_credentials"), why
    assert not found.headers.all("Set-Cookie")
    assert body["traceId"] in {seen.value for seen in asked.service.secrets()}


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"username=a&password=b"])
def test_a_login_that_is_not_a_json_object_is_a_400(client: Callable[..., Any], body: bytes) -> None:
    assert client(signed_in=False).send("POST", f"{REGIONS['us'].issuer}/login", body=body).status == 400


@pytest.mark.parametrize("region", ["us", "eu"])
def test_with_a_session_authorize_leads_to_the_callback_with_all_it_was_given(
    client: Callable[..., Any], query_of: Query, region: str
) -> None:
    asked = client(signed_in=False, region=region)
    location = authorize_of(asked, cookie_of(asked, region), region=region, state="st/1 ä", response_mode="query").headers.get("Location")
    found = query_of(location)
    assert location.startswith(f"{REGIONS[region].redirect_uri}?code=")
    assert set(found) == {"code", "scope", "state", "session_state", "iss"}
    assert (found["state"], found["scope"], found["iss"]) == (["st/1 ä"], ["openid profile email"], [REGIONS[region].issuer])
    page = asked.send("GET", location)
    assert (page.status, page.headers.get("Content-Type")) == (200, "text/html; charset=utf-8")


def test_without_a_session_the_whole_query_travels_encoded_twice_to_the_sign_in_page(client: Callable[..., Any], query_of: Query) -> None:
    found = authorize_of(client(signed_in=False), None)
    location = found.headers.get("Location")
    assert found.status == 302
    assert location.startswith(
        "https://sso.tandemdiabetes.com/?ReturnUrl=%2Faccounts%2Fapi%2Fconnect%2Fauthorize%2Fcallback%3Fclient_id%3D"
    )
    assert query_of(unquote(location.partition("ReturnUrl=")[2]))["scope"] == ["openid profile email"]
    assert "scope%3Dopenid%2Bprofile%2Bemail" in location


def test_a_cookie_the_stand_in_did_not_give_is_no_session(client: Callable[..., Any]) -> None:
    found = authorize_of(client(signed_in=False), ("Cookie", ".AspNetCore.Identity.Application=CfDJ8x"))
    assert "ReturnUrl=" in found.headers.get("Location")


@pytest.mark.parametrize(
    ("era", "client_id", "status"),
    [
        ("2026-10", "0oa4wnbvtladeyVZX4h7", 302),
        ("2026-07", "0oa4wnbvtladeyVZX4h7", 302),
        ("2025", "0oa27ho9tpZE9Arjy4h7", 302),
        ("2025", "0oa4wnbvtladeyVZX4h7", 400),
        ("2026-07", "0oa27ho9tpZE9Arjy4h7", 400),
        ("2026-10", "0oa27ho9tpZE9Arjy4h7", 400),
        ("2026-10", "1519e414-eeec-492e-8c5e-97bea4815a10", 400),
    ],
)
def test_each_era_knows_its_own_client_id(client: Callable[..., Any], era: str, client_id: str, status: int) -> None:
    asked = client(signed_in=False, era=era)
    assert authorize_of(asked, cookie_of(asked), client_id=client_id).status == status


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid secrets"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
    ],
)
def test_a_wrong_authorize_goes_back_with_its_error_and_state(
    client: Callable[..., Any], query_of: Query, changed: dict[str, str], error: str
) -> None:
    asked = client(signed_in=False)
    found = authorize_of(asked, cookie_of(asked), state="s", **changed)
    assert query_of(found.headers.get("Location")) == {"error": [error], "state": ["s"]}


def test_a_foreign_redirect_uri_is_never_redirected_to(client: Callable[..., Any]) -> None:
    asked = client(signed_in=False)
    found = authorize_of(asked, cookie_of(asked), redirect_uri="https://elsewhere.example/")
    assert (found.status, found.headers.get("Location")) == (400, "")


@pytest.mark.parametrize("region", ["us", "eu"])
def test_the_tokens_verify_and_carry_every_claim(client: Callable[..., Any], text: Text, query_of: Query, region: str) -> None:
    asked = client(signed_in=False, region=region)
    location = authorize_of(asked, cookie_of(asked, region), region=region, nonce="n-1").headers.get("Location")
    tokens = json.loads(text(token_of(asked, form_of(query_of(location)["code"][0], region=region), region)))
    key = jwt.PyJWKSet.from_json(json.dumps(signing_key().jwks())).keys[0].key
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims = jwt.decode(
        tokens["id_token"],
        key,
        algorithms=["RS256"],
        audience=REGIONS[region].client_id,
        issuer=REGIONS[region].issuer,
        options=options,
    )
    account = asked.service.account
    assert {name: value for name, value in tokens.items() if not name.endswith("_token")} == {
        "expires_in": 28800,
        "token_type": "Bearer",
        "scope": "openid profile email",
    }
    assert set(claims) == {
        *("iss", "nbf", "iat", "exp", "aud", "amr", "at_hash", "sid", "sub", "auth_time", "idp", "email", "email_verified", "name"),
        *("given_name", "family_name", "preferred_username", "tandem_roles", "roles", "accountId", "pumperId", "countrySubdivision"),
        *("preferredLanguage", "nonce"),
    }
    assert claims["at_hash"] == half_hash(tokens["access_token"])
    assert (claims["nonce"], claims["name"], claims["pumperId"]) == ("n-1", "José Müller", account.pumper_id)
    assert claims["exp"] - claims["iat"] == 28800
    assert tokens["access_token"].count(".") == {"us": 0, "eu": 2}[region]


@pytest.mark.parametrize(
    ("changed", "error", "why"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", "only codes are exchanged"),
        ({"client_id": "0oa27ho9tpZE9Arjy4h7"}, "invalid_client", "retired in July 2026"),
        ({"code": "0000-1"}, "invalid_grant", "a code never given"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_grant", "not the address of authorize"),
        ({"code_verifier": "w" * 86}, "invalid_grant", "somebody else's code"),
    ],
)
def test_a_code_alone_opens_nothing(
    code: Callable[..., tuple[Any, str]], text: Text, changed: dict[str, str], error: str, why: str
) -> None:
    asked, given = code()
    found = token_of(asked, form_of(given, **changed))
    assert (found.status, json.loads(text(found))) == (400, {"error": error}), why


def test_a_code_is_good_once(code: Callable[..., tuple[Any, str]]) -> None:
    asked, given = code()
    assert [token_of(asked, form_of(given)).status for _ in range(2)] == [200, 400]


def test_a_code_is_good_for_five_minutes(code: Callable[..., tuple[Any, str]]) -> None:
    hands = [datetime.fromisoformat("2026-11-02T08:00:00Z")]
    asked, given = code(now=lambda: hands[0])
    hands[0] += timedelta(minutes=5)
    assert token_of(asked, form_of(given)).status == 400


def test_discovery_names_the_key_set_and_that_holds_the_key(client: Callable[..., Any], text: Text) -> None:
    asked = client(signed_in=False, region="eu")
    issuer = REGIONS["eu"].issuer
    found = json.loads(text(asked.send("GET", f"{issuer}/.well-known/openid-configuration")))
    assert (found["issuer"], found["authorization_endpoint"]) == (issuer, f"{issuer}/connect/authorize")
    assert json.loads(text(asked.send("GET", found["jwks_uri"]))) == signing_key().jwks()
