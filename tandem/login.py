"""Sign in as the web page and tconnectsync do: cookie session, authorization code with PKCE, a verified id_token."""

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from tandem.asking import Answer, Asker, blocked
from tandem.eras import Era
from tandem.regions import REGIONS, SSO_URL, Region, client_id_of
from tfx.errors import LoginError, ServiceError
from tfx.jsonbody import Json
from tfx.signing import s256

SCOPE: Final = "openid profile email"
LEEWAY: Final = 300
"""Seconds a local clock may be off: tconnectsync allows none, and its users meet `iat` errors (issue #115)."""
REFUSALS: Final = frozenset({400, 401, 422})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Identity:
    """Who signed in: the ids every data URL is made of. Never prints them."""

    pumper_id: str
    account_id: str

    def __repr__(self) -> str:
        return "Identity()"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignedIn:
    """What a sign-in yields: who it is, and the bearer token for the data. Never prints them."""

    identity: Identity
    access_token: str

    def __repr__(self) -> str:
        return "SignedIn()"


def sign_in(
    asker: Asker,
    email: str,
    password: str,
    *,
    era: Era,
    discovers: bool = False,
    entropy: Callable[[int], bytes] = os.urandom,
) -> SignedIn:
    """Sign in: sso page, login, authorize and its callback, token, (discovery,) keys.

    `discovers` also asks for the discovery document, which tandem-fetch reads and tconnectsync does not.

    Raises:
        LoginError: e-mail, password or region are wrong, or the id_token does not verify.
        BlockedError, ServiceError, NetworkError: as `Asker.ask` and `Answer.json`.
    """
    region = asker.region
    # A browser session ends with its sign-in; one that is signed in again would be shown another page.
    asker.session.cookies.clear()
    _expect_page(asker.ask("the sign-in page", "GET", SSO_URL, headers={}))
    _log_in(asker, email, password)
    verifier = _unpadded(entropy(64))
    code = _authorize(asker, verifier, era)
    tokens = _redeem(asker, code, verifier, era)
    if discovers:
        asker.ask("discovery", "GET", f"{region.issuer}/.well-known/openid-configuration", headers={}).json()
    keys = asker.ask("its signing keys", "GET", f"{region.issuer}/.well-known/openid-configuration/jwks", headers={}).json()
    claims = verified(tokens["id_token"], keys, region=region, client_id=client_id_of(region, era.name), now=asker.clock().timestamp())
    identity = Identity(pumper_id=_text(claims, "pumperId"), account_id=_text(claims, "accountId"))
    return SignedIn(identity=identity, access_token=tokens["access_token"])


def _expect_page(answer: Answer) -> None:
    if answer.status == HTTPStatus.FORBIDDEN:
        raise blocked(answer.what)
    if answer.status != HTTPStatus.OK:
        raise ServiceError(f"Tandem Source answered {answer.what} with status {answer.status}; try again later")


def _log_in(asker: Asker, email: str, password: str) -> None:
    answer = asker.ask(
        "the login",
        "POST",
        f"{asker.region.issuer}/login",
        headers={"Referer": SSO_URL},
        body={"username": email, "password": password},
        follow=False,
    )
    if answer.status in REFUSALS and not answer.is_page:
        raise refused(asker.region)
    _expect_page(answer)
    said = answer.json()
    if not isinstance(said, dict) or said.get("status") != "SUCCESS":
        raise refused(asker.region)


def refused(region: Region) -> LoginError:
    """The error for refused credentials: the service gives the same answer for a wrong password and for the wrong region."""
    other = next(name for name in REGIONS if name != region.name)
    return LoginError(
        f"Tandem Source ({region.name.upper()}) refused the e-mail address or the password, or the account lives in the other region; "
        f"check both, or try --region {other}. Several wrong tries in a row lock the account for a while"
    )


def _authorize(asker: Asker, verifier: str, era: Era) -> str:
    region = asker.region
    query = {
        "client_id": client_id_of(region, era.name),
        "response_type": "code",
        "scope": SCOPE,
        "redirect_uri": region.redirect_uri,
        "code_challenge": s256(verifier),
        "code_challenge_method": "S256",
    }
    answer = asker.ask("the authorization", "GET", f"{region.issuer}/connect/authorize?{urlencode(query)}", headers={"Referer": SSO_URL})
    landed = parse_qs(urlsplit(answer.url).query)
    if "code" in landed and answer.is_success:
        return landed["code"][0]
    if answer.status == HTTPStatus.FORBIDDEN:
        raise blocked(answer.what)
    if answer.is_success:
        # Back on the sign-in portal with a ReturnUrl: the service did not take the login for one.
        raise LoginError(
            f"Tandem Source ({region.name.upper()}) sent the sign-in back to its own page without a code: it wants something a "
            "program cannot give (new terms to accept, a second factor, a new password); sign in once with a browser, then try again"
        )
    raise LoginError(
        f"Tandem Source ({region.name.upper()}) refused the authorization with status {answer.status}; the client id belongs to the era "
        f"({era.name}): check --era and --region"
    )


def _redeem(asker: Asker, code: str, verifier: str, era: Era) -> dict[str, str]:
    region = asker.region
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id_of(region, era.name),
        "code": code,
        "redirect_uri": region.redirect_uri,
        "code_verifier": verifier,
    }
    answer = asker.ask("the tokens", "POST", f"{region.issuer}/connect/token", headers={}, form=form)
    if answer.status in REFUSALS:
        raise LoginError(
            f"Tandem Source would not exchange the code for tokens (status {answer.status}); try again, or check --era ({era.name})"
        )
    _expect_page(answer)
    said = answer.json()
    names = ("access_token", "id_token")
    tokens = {name: value for name in names if isinstance(said, dict) and isinstance(value := said.get(name), str)}
    if len(tokens) < len(names):
        raise ServiceError("Tandem Source answered the sign-in without the tokens it promises; the API may have changed, see `tfx verify`")
    return tokens


def verified(id_token: str, keys: Json, *, region: Region, client_id: str, now: float) -> Mapping[str, Json]:
    """The claims of an id_token: signature, issuer, audience and times (seconds since 1970, against `now`) checked.

    Raises:
        LoginError: one of them is wrong; the message says which and never quotes the token.
    """
    fault = ""
    try:
        kid = jwt.get_unverified_header(id_token).get("kid")
        found = [key for key in _key_list(keys) if key.get("kid") == kid]
        if not found:
            raise LoginError("the id_token of Tandem Source is signed by a key it does not publish; try again later")
        claims = jwt.decode(
            id_token,
            jwt.PyJWK.from_dict(found[0]).key,
            algorithms=["RS256"],
            audience=client_id,
            issuer=region.issuer,
            # PyJWT knows no clock but the computer's; the times are checked below against the clock we were given.
            options={"require": ["exp", "iat"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:  # the last three: a malformed key
        fault = type(error).__name__
    if fault:
        raise LoginError(
            f"the id_token of Tandem Source does not verify ({fault}); something between here and there changes it, or the API did"
        )
    _check_times(claims, now)
    return cast("Mapping[str, Json]", claims)


def _check_times(claims: Mapping[str, object], now: float) -> None:
    begins = [value for name in ("iat", "nbf") if isinstance(value := claims.get(name), int | float)]
    ends = claims["exp"]
    if any(value > now + LEEWAY for value in begins):
        raise LoginError("the id_token of Tandem Source is from the future: this computer's clock is behind; set it, then try again")
    if not isinstance(ends, int | float) or ends < now - LEEWAY:
        raise LoginError("the id_token of Tandem Source has expired: this computer's clock is ahead, or the answer is an old one")


def _key_list(keys: Json) -> list[dict[str, Json]]:
    listed = keys.get("keys") if isinstance(keys, dict) else None
    return [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []


def _text(claims: Mapping[str, Json], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise ServiceError(f"the id_token of Tandem Source has no {name}: the API may have changed, see `tfx verify`")
    return value


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
