"""Facts about the client programs of Tandem Source that matter to their users. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TOKEN_CACHES: Final[Mapping[str, str]] = MappingProxyType({"tconnectsync.api.tandemsource": "CACHE_CREDENTIALS"})
"""Module to the name, there and in the environment, that says whether it keeps tokens on disk (and uses what it kept)."""


def without_caches(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which known clients keep no tokens on disk and use none they kept; what it says already stands.

    tconnectsync pickles its tokens to ~/.config/tconnectsync/.creds_cache unless CACHE_CREDENTIALS says false: a recording of it
    would lack the sign-in, and a replay would leave stand-in tokens in the place of real ones. Source: tconnectsync 3.0.3, `secret.py`.
    """
    return {**dict.fromkeys(TOKEN_CACHES.values(), "false"), **environment}
