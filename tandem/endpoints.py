"""Every endpoint of Tandem Source that a client calls, as data: one row each. Source: tconnectsync 2.3 and 3.0, tandem-fetch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from tandem.regions import HOSTS, REGIONS, Region

BINARY = frozenset({"2025"})
JSON = frozenset({"2026-07", "2026-10"})
EVERY = BINARY | JSON


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One (method, host kind, path template); `eras` are those in which the service answers it with anything but 404."""

    name: str
    method: str
    host: str
    path: str
    eras: frozenset[str] = EVERY

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The template as an expression over the undecoded path; a place never spans a slash."""
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path)) + r"\Z")

    def url(self, region: Region, **places: str) -> str:
        """The production URL, without a query."""
        return f"https://{region.hosts[self.host]}{self.path.format(**places)}"


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(name="sso-page", method="GET", host="sso", path="/"),
    Endpoint(name="login", method="POST", host="tdc", path="/accounts/api/login"),
    Endpoint(name="authorize", method="GET", host="tdc", path="/accounts/api/connect/authorize"),
    Endpoint(name="callback-us", method="GET", host="sso", path="/auth/callback"),
    Endpoint(name="callback-eu", method="GET", host="source", path="/authorize/callback"),
    Endpoint(name="token", method="POST", host="tdc", path="/accounts/api/connect/token"),
    Endpoint(name="discovery", method="GET", host="tdc", path="/accounts/api/.well-known/openid-configuration"),
    Endpoint(name="jwks", method="GET", host="tdc", path="/accounts/api/.well-known/openid-configuration/jwks"),
    Endpoint(name="pumper", method="GET", host="source", path="/api/reports/bff/pumper/{pumperId}", eras=JSON),
    Endpoint(name="pump-logs", method="GET", host="source", path="/api/reports/bff/pump-logs/{assignmentId}", eras=JSON),
    Endpoint(name="pumpers", method="GET", host="source", path="/api/pumpers/pumpers/{pumperId}"),
    Endpoint(
        name="pump-event-metadata",
        method="GET",
        host="source",
        path="/api/reports/reportsfacade/{pumperId}/pumpeventmetadata",
        eras=BINARY,
    ),
    Endpoint(
        name="pump-events",
        method="GET",
        host="source",
        path="/api/reports/reportsfacade/pumpevents/{pumperId}/{tconnectDeviceId}",
        eras=BINARY,
    ),
)
BY_NAME: Mapping[str, Endpoint] = MappingProxyType({endpoint.name: endpoint for endpoint in ENDPOINTS})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Place:
    """Where a URL leads: its endpoint, and the identifiers in its path (percent-decoded). Never prints them."""

    endpoint: Endpoint
    host_kind: str
    region: str | None
    path_values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Place({self.endpoint.name})"


def locate(method: str, url: str) -> Place | None:
    """The endpoint a request goes to, or None if it is none of Tandem Source's; `region` is None on the shared sign-in host."""
    parts = urlsplit(url)
    kind = HOSTS.get(parts.netloc.lower().removesuffix(":443"))
    if kind is None or parts.scheme != "https":
        return None
    for endpoint in ENDPOINTS:
        found = endpoint.pattern.match(parts.path or "/")
        if endpoint.host == kind and endpoint.method == method.upper() and found:
            values = {key: unquote(value) for key, value in found.groupdict().items()}
            return Place(endpoint=endpoint, host_kind=kind, region=region_of(url), path_values=values)
    return None


_SPELLED = re.compile(r"%(?:2[DEde]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
"""A letter, a digit or one of `-._~`, written with a percent sign."""


def plainly_spelled(url: str) -> str:
    """The URL with nothing percent-encoded that need not be: the same resource (RFC 3986, 6.2.2.2)."""
    return _SPELLED.sub(lambda found: unquote(found.group()), url) if "%" in url else url


def region_of(url: str) -> str | None:
    """The region whose own host this URL names; None for the sign-in host, which both share, and for foreign hosts."""
    host = urlsplit(url).netloc.lower().removesuffix(":443")
    found = [name for name, region in REGIONS.items() if host in (region.hosts["tdc"], region.hosts["source"])]
    return found[0] if found else None
