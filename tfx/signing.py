"""The published test key of tfx: every id_token on a cassette is signed with it, so clients verify and nobody can be harmed.

The private key stands below for all to see. It signs invented people's tokens and nothing else; a token under it proves one
thing only: that the sanitizer made it. JWT and RSA are PyJWT's and cryptography's work.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tfx.jsonbody import Json

KID = "tfx-published-test-key-1"
"""The `kid` of the key, in JOSE headers and in the JWKS."""


def sign(claims: Mapping[str, Json], *, header: Mapping[str, Json] | None = None) -> str:
    """A JWT (RS256) over these claims; the same claims and header give the same token."""
    extra = {"kid": KID, **{key: value for key, value in (header or {}).items() if key not in ("alg", "kid")}}
    return jwt.encode(dict(claims), _private_key(), algorithm="RS256", headers=extra)


def jwks() -> dict[str, Json]:
    """The key set a client verifies these tokens with."""
    numbers = _private_key().public_key().public_numbers()
    return {
        "keys": [
            {"kty": "RSA", "use": "sig", "kid": KID, "e": _number(numbers.e), "n": _number(numbers.n), "alg": "RS256"},
        ]
    }


def is_ours(token: str) -> bool:
    """Whether the token is signed by this key (whatever its dates say)."""
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False, "verify_iss": False}
    try:
        jwt.decode(token, _private_key().public_key(), algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        return False
    return True


def claims_of(token: str) -> dict[str, Json]:
    """The claims, unverified.

    Raises:
        jwt.PyJWTError: it is not a JWT.
    """
    claims: dict[str, Json] = jwt.decode(token, options={"verify_signature": False})
    return claims


def header_of(token: str) -> dict[str, Json]:
    """The JOSE header, unverified.

    Raises:
        jwt.PyJWTError: it is not a JWT.
    """
    header: dict[str, Json] = jwt.get_unverified_header(token)
    return header


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636, S256)."""
    return _unpadded(hashlib.sha256(verifier.encode("ascii", "replace")).digest())


def at_hash(access_token: str) -> str:
    """The `at_hash` claim that belongs to an access token (OpenID Connect Core 3.1.3.6, RS256)."""
    return _unpadded(hashlib.sha256(access_token.encode("ascii", "replace")).digest()[:16])


@cache
def _private_key() -> RSAPrivateKey:
    key = load_pem_private_key(files("tfx").joinpath("published_test_key.pem").read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _number(value: int) -> str:
    return _unpadded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
