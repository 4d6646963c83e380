"""What the service says to a question it does not take: the bodies of its validation errors, as data. Pure. Shapes: tconnectsync #163."""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from tfx.jsonbody import Json

Issue = dict[str, Json]


def too_long(days: int) -> Issue:
    """The issue with a window of pump events that is longer than this. tconnectsync 3 pages by 28 days; the wording is the stand-in's."""
    return {"code": "custom", "path": ["endDate"], "message": f"Window exceeds {days} days"}


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
