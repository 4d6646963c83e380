"""What is known of the programs that speak to Tandem Source, where it matters to whoever runs one. Pure."""

from collections.abc import Mapping


def without_caches(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which known clients keep no tokens on disk and use none they kept; what it says already stands.

    tconnectsync pickles its tokens to ~/.config/tconnectsync/.creds_cache unless CACHE_CREDENTIALS says false: a recording of it
    would lack the sign-in, and a replay would leave stand-in tokens in the place of real ones. Source: tconnectsync 3.0.3, `secret.py`.
    """
    return {"CACHE_CREDENTIALS": "false", **environment}
