"""Sign-in: the page, the session cookie, the authorization code with PKCE, the tokens, the key set. Pure.

Order and members: tandem-source 1.2. Shapes not public follow IdentityServer, whose paths and claims these are.
"""

import json
from typing import Final
from urllib.parse import quote, urlencode

from simulator.answers import Answer, Call, World, json_answer, page, redirect
from simulator.key import base64url, challenge_of, half_hash
from simulator.state import CODE_LIFETIME, TOKEN_LIFETIME, Grant, Session
from tandem.refusals import INVALID_GRANT, SCOPES, authorize_fault, back_with_error
from tandem.regions import SSO_URL, client_id_of

SESSION_COOKIE: Final = ".AspNetCore.Identity.Application"
LOCKED: Final = "; path=/; secure; samesite=none; httponly"


def sso_page(world: World, call: Call) -> Answer:
    """The sign-in page; every visit sets the load balancer's cookies, one of them for all hosts of the domain."""
    wide = world.issue("affinity cookie", world.entropy.octets(16).hex())
    narrow = world.issue("affinity cookie", world.entropy.octets(32).hex())
    cookies = (
        ("Set-Cookie", f"ApplicationGatewayAffinityCORS={wide}; Domain=.tandemdiabetes.com; Path=/; SameSite=None; Secure"),
        ("Set-Cookie", f"ARRAffinity={narrow};Path=/;HttpOnly;Secure;Domain={call.region.hosts['sso']}"),
    )
    return page("Tandem Diabetes Care", '<div id="root"></div><script src="/static/js/main.js"></script>', headers=cookies)


def login(world: World, call: Call) -> Answer:
    """The session cookies for the right password at the right region; 401 with a trace id for anything else (#116, #152)."""
    try:
        asked = json.loads(call.request.body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return json_answer({"error": "request/invalid_body", "traceId": trace(world)}, status=400)
    account = world.account
    same = str(asked.get("username", "")).casefold() == account.email.casefold() and asked.get("password") == account.password
    if not same or call.place.region != world.home:
        message = "The username or password is incorrect."
        return json_answer({"error": "account/invalid_credentials", "message": message, "traceId": trace(world)}, status=401)
    sid = world.issue("session id", world.entropy.hex(16))
    ticket = world.issue("session cookie", "CfDJ8" + "".join(world.entropy.text(64) for _ in range(4)))
    world.state.sessions[ticket] = Session(sid=sid, region=world.home, since=call.now)
    cookies = (
        ("Set-Cookie", f"idsrv.session={sid}; path=/accounts/api; secure; samesite=none"),
        ("Set-Cookie", f"{SESSION_COOKIE}={ticket}{LOCKED}"),
        ("Set-Cookie", f"idsrv.external=; expires=Thu, 01 Jan 1970 00:00:00 GMT{LOCKED}"),
    )
    return json_answer({"redirectUrl": "/", "status": "SUCCESS"}, headers=cookies)


def trace(world: World) -> str:
    """A request's trace id as ASP.NET prints it."""
    return world.issue("trace id", f"0HN{world.entropy.hex(5)}:0000000{world.entropy.octets(1)[0] % 8 + 1}")


def authorize(world: World, call: Call) -> Answer:
    """To the callback with a code; to the sign-in page without a session; a 400 page where the client itself is wrong."""
    client_id, redirect_uri = call.one("client_id"), call.one("redirect_uri")
    if client_id != client_id_of(call.region, world.era.name):
        return page("Error", "<h1>Error</h1><p>unauthorized_client: Unknown client or client not enabled</p>", status=400)
    if redirect_uri != call.region.redirect_uri:
        return page("Error", "<h1>Error</h1><p>invalid_request: Invalid redirect_uri</p>", status=400)
    session = world.state.sessions.get(call.cookies().get(SESSION_COOKIE, ""))
    if session is None or session.region != call.place.region:
        # The whole authorize query is encoded a second time inside ReturnUrl.
        again = f"/accounts/api/connect/authorize/callback?{urlencode(call.query)}"
        return redirect(f"{SSO_URL}?ReturnUrl={quote(again, safe='')}")
    fault = authorize_fault(call.one)
    state = [("state", call.one("state"))] if call.one("state") else []
    if fault:
        return redirect(back_with_error(redirect_uri, fault, call.one("state")))
    code = world.issue("authorization code", world.entropy.hex(32) + "-1")
    scope = call.one("scope")
    world.state.grants[code] = Grant(
        session=session,
        client_id=client_id,
        redirect_uri=redirect_uri,
        challenge=call.one("code_challenge"),
        scope=scope,
        nonce=call.one("nonce") or None,
        until=call.now + CODE_LIFETIME,
    )
    salt = world.entropy.hex(16)
    session_state = world.issue("session state", f"{base64url(world.entropy.octets(32))}.{salt}")
    found = [("code", code), ("scope", scope), *state, ("session_state", session_state), ("iss", call.region.issuer)]
    return redirect(f"{redirect_uri}?{urlencode(found)}")


def callback(_world: World, _call: Call) -> Answer:
    """The page of the single-page application that would pick the code up."""
    return page("Tandem Source", '<div id="root"></div><script src="/static/js/callback.js"></script>')


def token(world: World, call: Call) -> Answer:
    """The tokens for a code, once, to whoever holds the verifier."""
    form = call.form()
    if form.get("grant_type") != "authorization_code":
        return json_answer({"error": "unsupported_grant_type"}, status=400)
    if form.get("client_id") != client_id_of(call.region, world.era.name):
        return json_answer({"error": "invalid_client"}, status=400)
    grant = world.state.redeem(form.get("code", ""))
    proven = (
        grant is not None
        and grant.session.region == call.place.region
        and call.now < grant.until
        and grant.redirect_uri == form.get("redirect_uri")
        and grant.challenge == challenge_of(form.get("code_verifier", ""))
    )
    if grant is None or not proven:
        return json_answer(INVALID_GRANT, status=400)
    access_token = world.issue("access token", new_access_token(world, call, grant))
    world.state.tokens[access_token] = (grant.session.region, call.now + TOKEN_LIFETIME)
    id_token = world.issue("id token", world.key.sign(id_claims(world, call, grant, access_token)))
    uncached = (("Cache-Control", "no-store, no-cache, max-age=0"), ("Pragma", "no-cache"))
    lifetime = int(TOKEN_LIFETIME.total_seconds())
    return json_answer(
        {"id_token": id_token, "access_token": access_token, "expires_in": lifetime, "token_type": "Bearer", "scope": grant.scope},
        headers=uncached,
    )


def new_access_token(world: World, call: Call, grant: Grant) -> str:
    """An opaque reference in the US, a JWT in the EU: which of them the service sends is not public, so clients must bear both."""
    if grant.session.region == "us":
        return world.entropy.hex(32) + "-1"
    now = int(call.now.timestamp())
    claims = {
        "iss": call.region.issuer,
        "nbf": now,
        "iat": now,
        "exp": now + int(TOKEN_LIFETIME.total_seconds()),
        "aud": f"{call.region.issuer}/resources",
        "scope": grant.scope.split(" "),
        "amr": ["pwd"],
        "client_id": grant.client_id,
        "sub": world.account.subject,
        "auth_time": int(grant.session.since.timestamp()),
        "idp": "local",
        "sid": grant.session.sid,
        "jti": world.issue("token id", world.entropy.hex(16)),
    }
    return world.key.sign(claims, typ="at+jwt")


def id_claims(world: World, call: Call, grant: Grant, access_token: str) -> dict[str, object]:
    """Every claim tconnectsync 3 lists, and the nonce if one was sent."""
    account, now = world.account, int(call.now.timestamp())
    claims: dict[str, object] = {
        "iss": call.region.issuer,
        "nbf": now,
        "iat": now,
        "exp": now + int(TOKEN_LIFETIME.total_seconds()),
        "aud": grant.client_id,
        "amr": ["pwd"],
        "at_hash": world.issue("token hash", half_hash(access_token)),
        "sid": grant.session.sid,
        "sub": account.subject,
        "auth_time": int(grant.session.since.timestamp()),
        "idp": "local",
        "email": account.email,
        "email_verified": True,
        "name": f"{account.given_name} {account.family_name}",
        "given_name": account.given_name,
        "family_name": account.family_name,
        "preferred_username": account.email,
        "tandem_roles": [account.role],
        "roles": [account.role],
        "accountId": account.account_id,
        "pumperId": account.pumper_id,
        "countrySubdivision": account.country_subdivision,
        "preferredLanguage": account.language,
    }
    return claims | ({"nonce": grant.nonce} if grant.nonce else {})


def discovery(_world: World, call: Call) -> Answer:
    """The OpenID Connect discovery document."""
    issuer = call.region.issuer
    return json_answer(
        {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/openid-configuration/jwks",
            "authorization_endpoint": f"{issuer}/connect/authorize",
            "token_endpoint": f"{issuer}/connect/token",
            "userinfo_endpoint": f"{issuer}/connect/userinfo",
            "end_session_endpoint": f"{issuer}/connect/endsession",
            "scopes_supported": list(SCOPES),
            "claims_supported": ["sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified"],
            "grant_types_supported": ["authorization_code"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "token_endpoint_auth_methods_supported": ["none"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


def jwks(world: World, _call: Call) -> Answer:
    """The key set that verifies the id_token."""
    return json_answer(world.key.jwks())
