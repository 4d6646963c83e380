"""Tokens under the published key verify for a real client, and other tokens are recognised."""

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import signing
from tfx.jsonbody import Json

CLAIMS: dict[str, Json] = {"sub": "x", "aud": "me", "iss": "https://i.invalid", "iat": 1, "exp": 4102444800}


def test_a_client_verifies_with_the_jwks() -> None:
    key = jwt.PyJWKSet.from_dict(signing.jwks())[signing.KID]
    assert jwt.decode(signing.sign(CLAIMS), key.key, algorithms=["RS256"], audience="me", issuer="https://i.invalid") == CLAIMS


def test_the_same_claims_give_the_same_token() -> None:
    assert signing.sign(CLAIMS) == signing.sign(CLAIMS)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (jwt.encode({"sub": "x"}, "k" * 32, algorithm="HS256"), "another key"),
        (jwt.encode({"sub": "x"}, "", algorithm="none"), "no signature at all"),
        ("not.a.token", "not a token"),
    ],
)
def test_other_tokens_are_not_ours(token: str, why: str) -> None:
    assert not signing.is_ours(token), why


def test_the_public_half_is_that_of_the_key() -> None:
    numbers = signing._private_key().public_key().public_numbers()
    (key,) = jwt.PyJWKSet.from_dict(signing.jwks()).keys
    assert key.key.public_numbers() == numbers


CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@given(st.data())
def test_what_is_ours_is_what_the_library_verifies(data: st.DataObject) -> None:
    token = signing.sign(CLAIMS, header=data.draw(st.sampled_from([{}, {"typ": "at+jwt"}])))
    place = data.draw(st.integers(0, len(token)))
    with_change = token[:place] + data.draw(st.sampled_from(CHARACTERS)) + token[place + data.draw(st.integers(0, 1)) :]
    key = signing._private_key().public_key()
    try:
        jwt.decode(with_change, key, algorithms=["RS256"], options={"verify_aud": False, "verify_iat": False})
    except jwt.PyJWTError:
        assert not signing.is_ours(with_change)
    else:
        # The library does not mind spare bits at the end of a part; the one spelling that is ours has none.
        assert signing.is_ours(with_change) is (with_change == token)
    assert signing.is_ours(token)


def test_an_altered_token_is_not_ours() -> None:
    head, _, signature = signing.sign(CLAIMS).split(".")
    forged = jwt.encode({"sub": "y"}, "k" * 32, algorithm="HS256").split(".")[1]
    assert not signing.is_ours(f"{head}.{forged}.{signature}")
    assert signing.is_ours(signing.sign(CLAIMS))


def test_an_expired_token_of_ours_is_still_ours() -> None:
    assert signing.is_ours(signing.sign({"exp": 1}))


def test_challenge_and_hash_follow_their_standards() -> None:
    # RFC 7636 appendix B.
    assert signing.s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    # OpenID Connect Core, appendix A.3: the access token of its example and that token's at_hash.
    assert signing.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"
