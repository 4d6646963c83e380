import base64
import hashlib
import json
from collections.abc import Mapping
from typing import cast

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from simulator.key import challenge_of, half_hash, signing_key
from tfx import signing


def entry_of(key_set: Mapping[str, object]) -> dict[str, str]:
    (entry,) = cast("list[dict[str, str]]", key_set["keys"])
    return entry


def test_a_library_verifies_a_token_with_the_published_key_set() -> None:
    key = signing_key()
    (published,) = jwt.PyJWKSet.from_json(json.dumps(key.jwks())).keys
    token = key.sign({"sub": "someone", "aud": "client"})
    assert jwt.decode(token, published.key, algorithms=["RS256"], audience="client")["sub"] == "someone"
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": published.key_id, "x5t": entry_of(key.jwks())["x5t"]}


def test_x5t_is_the_thumbprint_of_the_certificate_in_x5c_and_that_holds_the_key() -> None:
    entry = entry_of(signing_key().jwks())
    der = base64.b64decode(entry["x5c"][0])
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode()
    modulus = int.from_bytes(base64.urlsafe_b64decode(entry["n"] + "=="), "big")
    assert entry["x5t"] == thumbprint
    public = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(public, RSAPublicKey)
    assert public.public_numbers().n == modulus


def test_the_stand_in_never_signs_with_the_published_test_key() -> None:
    # The sanitizer must have something to re-sign.
    assert not signing.is_ours(signing_key().sign({"sub": "someone"}))


def test_pkce_challenge_is_the_one_of_rfc_7636() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_at_hash_is_the_left_half() -> None:
    # OpenID Connect Core 1.0, appendix A.3.
    assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"
