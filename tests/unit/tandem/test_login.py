"""Signing in: the steps, the checks of the id_token, the words for refusals."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from requests.adapters import HTTPAdapter

from tandem.client import TandemSource
from tandem.regions import REGIONS
from tfx.errors import BlockedError, LoginError, NetworkError, ServiceError, TfxError
from tfx.jsonbody import Json, parse
from tfx.signing import s256

if TYPE_CHECKING:
    from small_service import World

MakeWorld = Callable[..., "World"]
SEVENS = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw"
STEPS = ["/", "/login", "/connect/authorize", "/auth/callback", "/connect/token", "/.well-known/openid-configuration/jwks"]


def steps(there: "World") -> list[str]:
    return [urlsplit(str(request.url)).path.removeprefix("/accounts/api") for request in there.sent]


def test_the_steps_are_those_of_tconnectsync(world: MakeWorld) -> None:
    there = world()
    identity = there.log_in().identity
    assert (identity.pumper_id, identity.account_id) == ("pumper-77aa", "account-88bb")
    assert steps(there) == STEPS
    login, token = there.sent[1], there.sent[4]
    assert isinstance(login.body, bytes)
    assert parse(login.body) == {"username": "someone@example.org", "password": 'p&=%+"\\€'}
    assert (login.headers["Referer"], login.headers["Content-Type"]) == ("https://sso.tandemdiabetes.com/", "application/json")
    assert token.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert str(token.body) == (
        "grant_type=authorization_code&client_id=0oa4wnbvtladeyVZX4h7&code=code-1"
        f"&redirect_uri=https%3A%2F%2Fsso.tandemdiabetes.com%2Fauth%2Fcallback&code_verifier={SEVENS}"
    )


@pytest.mark.parametrize(
    ("region", "era", "client_id"),
    [
        ("us", "2026-10", "0oa4wnbvtladeyVZX4h7"),
        ("us", "2025", "0oa27ho9tpZE9Arjy4h7"),
        ("eu", "2026-10", "1519e414-eeec-492e-8c5e-97bea4815a10"),
    ],
)
def test_the_authorization_asks_as_the_client_of_that_era_does(world: MakeWorld, region: str, era: str, client_id: str) -> None:
    there = world(region, era)
    there.log_in()
    query = urlsplit(str(there.sent[2].url)).query
    redirect = REGIONS[region].redirect_uri.replace(":", "%3A").replace("/", "%2F")
    assert query == (
        f"client_id={client_id}&response_type=code&scope=openid+profile+email&redirect_uri={redirect}"
        f"&code_challenge={s256(SEVENS)}&code_challenge_method=S256"
    )


def test_discovery_is_asked_for_on_request(world: MakeWorld) -> None:
    there = world()
    client = TandemSource(
        there.session, region=there.client.region, era=there.client.era, clock=there.client._asker.clock, entropy=bytes, discovers=True
    )
    client.log_in("a", "b")
    assert steps(there) == [*STEPS[:5], "/.well-known/openid-configuration", STEPS[5]]


def test_a_sign_in_starts_without_the_last_ones_cookies(world: MakeWorld) -> None:
    there = world()
    there.session.cookies.set("idsrv", "cookie-2", domain=".tandemdiabetes.com")
    there.log_in()
    assert not [request for request in there.sent if "Cookie" in request.headers]


REFUSED = {"status_code": 401, "json": {"error": "account/invalid_credentials", "traceId": "quoted"}}
PORTAL = {"status_code": 302, "headers": {"Location": "https://sso.tandemdiabetes.com/?ReturnUrl=%2Fconnect%2Fquoted"}}


@pytest.mark.parametrize(
    ("method", "path", "answer", "kind", "words"),
    [
        (
            "POST",
            "/login",
            REFUSED,
            LoginError,
            "(US) refused the e-mail address or the password, or the account lives",
        ),
        ("POST", "/login", REFUSED, LoginError, "check both, or try --region eu"),
        ("POST", "/login", {"json": {"status": "LOCKED", "why": "quoted"}}, LoginError, "refused the e-mail address"),
        (
            "POST",
            "/login",
            {"status_code": 403, "text": "<html>quoted"},
            BlockedError,
            "the firewall in front of Tandem Source",
        ),
        ("POST", "/login", {"text": "<html>quoted"}, BlockedError, "blocked the login"),
        ("POST", "/login", {"text": "quoted"}, ServiceError, "answered the login with something that is not JSON"),
        ("POST", "/login", {"status_code": 404, "text": "quoted"}, ServiceError, "answered the login with status 404"),
        ("GET", "/connect/authorize", PORTAL, LoginError, "sent the sign-in back to its own page without a code"),
        ("GET", "/connect/authorize", {"status_code": 400, "text": "quoted"}, LoginError, "check --era and --region"),
        ("GET", "/connect/authorize", {"status_code": 403, "text": "quoted"}, BlockedError, "blocked the authorization"),
        (
            "POST",
            "/connect/token",
            {"status_code": 400, "json": "quoted"},
            LoginError,
            "would not exchange the code for tokens",
        ),
        ("POST", "/connect/token", {"json": {"access_token": "quoted"}}, ServiceError, "without the tokens it promises"),
        ("GET", "/.well-known/openid-configuration/jwks", {"json": {"keys": []}}, LoginError, "signed by a key it does not publish"),
        ("GET", "/.well-known/openid-configuration/jwks", {"text": "<html>"}, BlockedError, "blocked its signing keys"),
    ],
)
def test_every_step_can_be_refused(  # one row each
    world: MakeWorld, method: str, path: str, answer: dict[str, object], kind: type[TfxError], words: str
) -> None:
    there = world()
    there.on(method, f"{there.api}{path}", **answer)
    with pytest.raises(kind) as caught:
        there.log_in()
    assert words in str(caught.value)
    assert not [secret for secret in ("quoted", "someone", "p&=", "code-1", "cookie") if secret in str(caught.value)]


NOW = 1795033800
CHANGED: list[tuple[dict[str, Json], str]] = [
    ({"iss": "https://tdcservices.eu.tandemdiabetes.com/accounts/api"}, "does not verify (InvalidIssuerError)"),
    ({"aud": "another"}, "does not verify (InvalidAudienceError)"),
    ({"exp": None}, "does not verify (MissingRequiredClaimError)"),
    ({"exp": NOW - 301}, "has expired: this computer's clock is ahead"),
    ({"exp": "tomorrow"}, "has expired"),
    ({"iat": NOW + 301}, "from the future: this computer's clock is behind"),
    ({"nbf": NOW + 301}, "from the future"),
]


@pytest.mark.parametrize(("change", "words"), CHANGED)
def test_an_id_token_that_is_not_right_is_refused(world: MakeWorld, change: dict[str, Json], words: str) -> None:
    there = world()
    there.signs(told(change))
    with pytest.raises(LoginError) as caught:
        there.log_in()
    assert words in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("change", [{"iat": NOW + 250}, {"exp": NOW - 250}, {"nbf": None}])
def test_a_clock_a_little_off_is_no_reason_to_refuse(world: MakeWorld, change: dict[str, Json]) -> None:
    there = world()
    there.signs(told(change))
    assert there.log_in().identity.pumper_id == "pumper-77aa"


def test_an_id_token_without_ids_is_a_changed_api(world: MakeWorld) -> None:
    there = world()
    there.signs(told({"pumperId": None}))
    with pytest.raises(ServiceError, match="has no pumperId: the API may have changed"):
        there.log_in()


def test_a_forged_signature_is_refused(world: MakeWorld) -> None:
    there = world()
    keys = there.session.get(f"{there.api}/.well-known/openid-configuration/jwks").json()
    keys["keys"][0]["n"] = "w" + keys["keys"][0]["n"][1:-4] + "AAAB"
    there.on("GET", f"{there.api}/.well-known/openid-configuration/jwks", json=keys)
    with pytest.raises(LoginError, match=r"does not verify \(InvalidSignatureError\)"):
        there.log_in()


def test_no_network_is_a_network_error(world: MakeWorld) -> None:
    there = world()
    there.session.mount("https://", HTTPAdapter())
    there.session.proxies = {"https": "http://127.0.0.1:9"}
    with pytest.raises(NetworkError, match=r"sso\.tandemdiabetes\.com did not answer the sign-in page: the proxy cannot be reached"):
        there.log_in()


def told(change: dict[str, Json]) -> dict[str, Json]:
    """The usual claims with a change; None takes one away."""
    where = REGIONS["us"]
    usual: dict[str, Json] = {
        "iss": where.issuer,
        "aud": where.client_id,
        "iat": NOW - 5,
        "exp": NOW + 300,
        "pumperId": "pumper-77aa",
        "accountId": "account-88bb",
    }
    return {key: value for key, value in (usual | change).items() if value is not None}
