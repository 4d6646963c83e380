"""The bodies of the service's validation errors, as data. Pure. Shapes: tconnectsync #163."""

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from tfx.jsonbody import Json

Issue = dict[str, Json]


def too_long(days: int) -> Issue:
    """The issue with a window of pump events that is longer than this. tconnectsync 3 pages by 28 days; the wording is the stand-in's."""
    return {"code": "custom", "path": ["endDate"], "message": f"Window exceeds {days} days"}


def bad_date(key: str) -> Issue:
    """The issue with an instant that is none, or is not there; the wording is the stand-in's."""
    return {"code": "invalid_string", "validation": "datetime", "path": [key], "message": "Invalid datetime"}


NOT_A_NUMBER: Final[Issue] = {
    "code": "invalid_type",
    "expected": "number",
    "received": "nan",
    "path": ["eventCodes"],
    "message": "Expected number",
}
"""The issue with event codes that are none; the wording is the stand-in's."""
BAD_PARAMETERS: Final[Json] = {"message": "Check input parameters."}
"""What the reportsfacade answered wrong dates with (tconnectsync #114)."""
QUERY_KEYS: Final = ("pumperId", "startDate", "endDate", "eventCodes")
"""What pump-logs may be asked with, since October 2026."""
KNOWN_KEYS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "pump-logs": frozenset({"pumperId", "startDate", "endDate", "eventIds"}),
        "pump-events": frozenset({"minDate", "maxDate", "eventIds"}),
        **dict.fromkeys(("pumper", "pumpers", "pump-event-metadata"), frozenset()),
    }
)
"""The query keys an endpoint looks at; others it ignores, but for pump-logs since October 2026. The stand-in's: no client sends any."""


def unknown_keys(keys: Iterable[str]) -> list[Json]:
    """The issue with query keys pump-logs does not have: `eventIds` since October 2026 (tconnectsync #163); empty if it has them all."""
    unknown: list[Json] = [*sorted(set(keys).difference(QUERY_KEYS))]
    named = ", ".join(f"'{key}'" for key in unknown)
    message = f"Unrecognized key(s) in object: {named}"
    return [{"code": "unrecognized_keys", "keys": unknown, "path": [], "message": message}] if unknown else []


SCOPES: Final = ("openid", "profile", "email", "tandem.devices.assign")
"""What a client may ask to see; any client that was seen asks for the first three."""


def authorize_fault(one: Callable[[str], str]) -> str | None:
    """The OAuth error of an authorize query, of which `one` gives the first value of a key; None if it has none. IdentityServer's."""
    if one("response_type") != "code":
        return "unsupported_response_type"
    scopes = one("scope").split(" ")
    if "openid" not in scopes or not set(scopes) <= set(SCOPES):
        return "invalid_scope"
    if one("code_challenge_method") != "S256" or not one("code_challenge"):
        return "invalid_request"
    return "invalid_request" if one("response_mode") not in ("", "query") else None


def back_with_error(redirect_uri: str, fault: str, state: str) -> str:
    """Where authorize sends who asks wrongly."""
    told = [("error", fault), *([("state", state)] if state else [])]
    return f"{redirect_uri}?{urlencode(told)}"


INVALID_GRANT: Final[Json] = {"error": "invalid_grant"}
"""What a code that is spent, late or somebody else's is answered with, status 400 (RFC 6749, 5.2)."""
GONE: Final = (
    b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
"""What nginx says with 404 of paths that are gone: every `reportsfacade` one since mid-2026 (tconnectsync #146)."""


def zod_error(issues: list[Json]) -> dict[str, Json]:
    """A validation error as the bff tells it, with status 400."""
    return {"issues": issues, "name": "ZodError"}


def written(value: object) -> bytes:
    """JSON as the service writes it: compact, UTF-8, nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
