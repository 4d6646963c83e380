"""Values that differ in every run (codes, states, nonces): they are bound, not compared; `ledger.py` checks them. Pure data.

Anyone can sign in to a cassette: any name, password, state, nonce and verifier gets the recorded session.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tandem.endpoints import Place

__tracebackhide__ = True  # pytest --showlocals would print the live request

BOUND: Final = b"*"
"""What stands for a bound value in keys: it must be there, and it may be anything."""

_NONE: Final[frozenset[str]] = frozenset()
QUERY: Final = frozenset({"code", "code_challenge", "session_state"})
BODY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "login": frozenset({"username", "password"}),
        "token": frozenset({"code", "code_verifier"}),
    }
)
DROPPED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # A client may bring a state and a nonce or not, and may ask for other scopes: the answer follows it (`ledger.py`).
        "authorize": frozenset({"state", "nonce", "scope", "response_mode"}),
        "callback-us": frozenset({"state"}),
        "callback-eu": frozenset({"state"}),
    }
)


def signs_in(place: Place | None) -> bool:
    """Whether a request belongs to signing in; one to an unknown path is not, and all of it is compared."""
    return place is not None and (place.host_kind in ("sso", "tdc") or place.endpoint.name == "callback-eu")


def bound_names(place: Place | None, where: str) -> frozenset[str]:
    """The names whose values are bound at this place. `where` is `query` or `body`."""
    if place is None:
        return _NONE
    if where == "query":
        return QUERY if signs_in(place) else _NONE
    return BODY.get(place.endpoint.name, _NONE)


def dropped(place: Place | None, where: str) -> frozenset[str]:
    """The names that need not even be there."""
    return DROPPED.get(place.endpoint.name, _NONE) if place and where == "query" else _NONE
