"""The published test key of tfx: it signs every id_token on a cassette, so that clients can verify them.

The private key stands below for all to see. It signs invented people's tokens and nothing else; a token under it proves one
thing only: that the sanitizer made it. JWT and RSA are PyJWT's and cryptography's work, except where a signature is only looked at:
`tfx sanitize --check` runs at every commit, and these libraries take longer to load than a cassette to check.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from tfx.errors import FormatError
from tfx.jsonbody import Json, parse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KID = "tfx-published-test-key-1"
"""The `kid` of the key, in JOSE headers and in the JWKS."""


MODULUS: Final = (
    "rZ_rYmveDfkwT8njUWNIQskS7ZaaApD9tYLm76QK1e-TZCENU47oRYR6m3MGjmZjONoesNPDYjtad4eNvibj3U-"
    "3VxFJQUhWm6F11WA3KmELEnMHXXbXXxxQ1Ty_WDwYA2pjhP_ARANQtUPuDbw7xBTo6pJlf9z14cQTUlEIfe-dOCkZCtMPg2YmxnXH_fJtmpi1Q6cyv"
    "2RbXMjTI6oWbiDfr_8vUFHvtmU50-"
    "L30zV3ZkGCip_3754ZfOUeHBw8F_k35nUceRF8_TMwjP5lcFErPH81tgAKwTL0ysBDvXpB6U8Sc2b3Ki7TkhFUl_JuT-h4hCr6lmGarb_efOeg8w"
)
"""The public half, as the JWKS writes it; `published_test_key.pem` holds both."""
EXPONENT: Final = "AQAB"
_SHA256_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in a signature (RFC 8017, 9.2, note 1)."""


def sign(claims: Mapping[str, Json], *, header: Mapping[str, Json] | None = None) -> str:
    """A JWT (RS256) over these claims; the same claims and header give the same token."""
    extra = {"kid": KID, **{key: value for key, value in (header or {}).items() if key not in ("alg", "kid")}}
    import jwt

    return jwt.encode(dict(claims), _private_key(), algorithm="RS256", headers=extra)


def jwks() -> dict[str, Json]:
    """The key set a client verifies these tokens with."""
    return {"keys": [{"kty": "RSA", "use": "sig", "kid": KID, "e": EXPONENT, "n": MODULUS, "alg": "RS256"}]}


def is_ours(token: str) -> bool:
    """Whether the token is signed by this key (whatever its dates say), and spelled in the one way base64 has for it."""
    signed, _, signature = token.rpartition(".")
    try:
        head, claims, proof = *(parse(_bytes(part)) for part in signed.split(".")), _bytes(signature)
    except (ValueError, FormatError):
        return False
    if not isinstance(head, dict) or head.get("alg") != "RS256" or "crit" in head or not isinstance(claims, dict):
        return False
    modulus = int.from_bytes(_bytes(MODULUS), "big")
    size = (modulus.bit_length() + 7) // 8
    opened = pow(int.from_bytes(proof, "big"), int.from_bytes(_bytes(EXPONENT), "big"), modulus).to_bytes(size, "big")
    told = _SHA256_INFO + hashlib.sha256(signed.encode("ascii")).digest()
    return len(proof) == size and opened == b"\0\1" + b"\xff" * (size - len(told) - 3) + b"\0" + told


def claims_of(token: str) -> dict[str, Json]:
    """The claims, unverified.

    Raises:
        jwt.PyJWTError: it is not a JWT.
    """
    import jwt

    claims: dict[str, Json] = jwt.decode(token, options={"verify_signature": False})
    return claims


def header_of(token: str) -> dict[str, Json]:
    """The JOSE header, unverified.

    Raises:
        jwt.PyJWTError: it is not a JWT.
    """
    import jwt

    header: dict[str, Json] = jwt.get_unverified_header(token)
    return header


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636, S256)."""
    return _unpadded(hashlib.sha256(verifier.encode("ascii", "replace")).digest())


def at_hash(access_token: str) -> str:
    """The `at_hash` claim that belongs to an access token (OpenID Connect Core 3.1.3.6, RS256)."""
    return _unpadded(hashlib.sha256(access_token.encode("ascii", "replace")).digest()[:16])


@cache
def _private_key() -> "RSAPrivateKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(files("tfx").joinpath("published_test_key.pem").read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _bytes(text: str) -> bytes:
    """The bytes of unpadded base64url; ValueError for another alphabet or spare bits that are not zero."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no base64url") from None
    if _unpadded(data) != text:
        raise ValueError("base64url with spare bits")
    return data


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
