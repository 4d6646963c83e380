"""Random values of the simulated service, drawn from a seed: the same session twice gives the same bytes. Pure."""

import hashlib
from base64 import urlsafe_b64encode
from itertools import count
from uuid import UUID


class Entropy:
    """A stream of unpredictable-looking values; `next()` of a count is atomic, so threads never draw the same one."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._turn = count()

    def octets(self, size: int) -> bytes:
        """Fresh bytes, at most 64."""
        return hashlib.sha512(self._seed + b"/%d" % next(self._turn)).digest()[:size]

    def hex(self, size: int) -> str:
        """Fresh bytes as upper-case hexadecimal, the way IdentityServer prints its handles."""
        return self.octets(size).hex().upper()

    def text(self, size: int) -> str:
        """Fresh bytes as base64url without padding, as ASP.NET prints its tickets."""
        return urlsafe_b64encode(self.octets(size)).rstrip(b"=").decode()

    def uuid(self) -> str:
        """A version 4 UUID."""
        return str(UUID(bytes=self.octets(16), version=4))
