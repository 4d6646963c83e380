"""The signing key of the simulated service: made once per process, never written, not the published test key. Pure."""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SigningKey:
    """An RSA key and the self-signed certificate that IdentityServer publishes it with."""

    private: rsa.RSAPrivateKey
    certificate: bytes

    @property
    def thumbprint(self) -> bytes:
        """SHA-1 of the certificate: what `x5t` and, by Duende's custom, the `kid` are made of."""
        return hashlib.sha1(self.certificate, usedforsecurity=False).digest()

    @property
    def kid(self) -> str:
        """The key id as Duende writes it."""
        return f"{self.thumbprint.hex().upper()}RS256"

    def sign(self, claims: Mapping[str, object], typ: str = "JWT") -> str:
        """A signed JWT with the header members alg, kid, typ and x5t."""
        headers = {"kid": self.kid, "typ": typ, "x5t": base64url(self.thumbprint)}
        return jwt.encode(dict(claims), self.private, algorithm="RS256", headers=headers)

    def jwks(self) -> dict[str, object]:
        """The key set document."""
        numbers = self.private.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "kid": self.kid,
                    "x5t": base64url(self.thumbprint),
                    "e": base64url(numbers.e.to_bytes(3, "big")),
                    "n": base64url(numbers.n.to_bytes(256, "big")),
                    "x5c": [b64encode(self.certificate).decode()],
                    "alg": "RS256",
                }
            ]
        }


@cache
def signing_key() -> SigningKey:
    """The key of this process; the first call costs up to half a second."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stand-in token signing")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .sign(private, hashes.SHA256())
    )
    return SigningKey(private=private, certificate=certificate.public_bytes(Encoding.DER))


def base64url(octets: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636)."""
    return base64url(hashlib.sha256(verifier.encode()).digest())


def half_hash(token: str) -> str:
    """`at_hash` of a token: the left half of its SHA-256 (OpenID Connect Core 3.1.3.6)."""
    return base64url(hashlib.sha256(token.encode()).digest()[:16])
