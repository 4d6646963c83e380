"""Well-known names of members, keys, headers and attributes, which may be shown; any other may be personal. Pure."""

from collections.abc import Iterator
from typing import Final

from sanitizer.policy.policy import Node, Policy
from tandem.events import EVENTS

_HEADERS: Final = (
    "accept-ch allow authentication-info cdn-cache-control cf-cache-status cf-ray content-disposition content-location content-range "
    "cross-origin-embedder-policy cross-origin-opener-policy cross-origin-resource-policy early-data expect forwarded from if-match "
    "if-range range "
    "if-unmodified-since link max-forwards origin-agent-cluster prefer preference-applied priority proxy-authenticate proxy-authorization "
    "refresh sec-fetch-user sec-gpc sec-websocket-key sourcemap timing-allow-origin trailer upgrade warning x-api-key x-csrf-token "
    "x-download-options x-dns-prefetch-control x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip x-ua-compatible"
)
"""Registered with IANA, or sent by every second server. Those of the policy are known without."""
_CLAIMS: Final = (
    "acr act azp birthdate c_hash cid client_id cnf gender groups locale middle_name nickname phone_number phone_number_verified picture "
    "profile scope scp tid uid updated_at upn ver website zoneinfo address error_uri redirect_url id_token_hint login_hint max_age "
    "ui_locales "
    "error_description refresh_expires_in username status data message id type value items result results errors meta"
)
"""Of OpenID Connect and OAuth, and words that any JSON has."""
_ATTRIBUTES: Final = "priority version comment"

NAMES: Final = frozenset(f"{_HEADERS} {_CLAIMS} {_ATTRIBUTES}".split())


def known_to(policy: Policy) -> frozenset[str]:
    """Every name that the policy, user rules included, and the layouts of pump events have; header names in lower case."""
    tables = (*policy.paths.values(), *policy.queries.values(), *policy.forms.values(), *policy.headers.values(), policy.cookie_attributes)
    trees = (*policy.bodies.values(), policy.errors, policy.claims)
    return NAMES.union(
        *tables,
        *(_members(tree) for tree in trees),
        *((field.name for field in event.fields) for event in EVENTS.values()),
    )


def _members(node: Node) -> Iterator[str]:
    for name, inner in (node.members or {}).items():
        yield name
        yield from _members(inner)
    if node.items:
        yield from _members(node.items)
