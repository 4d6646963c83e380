"""Whether the service lets a data request in: the only request headers it decides by, and what it says when it does not. Pure.

In the json eras the firewall answers 403 unless Origin and Referer are the source URL (tconnectsync 3, `api_headers`); any data
call without a bearer token gets 401. Which token it is stays out: credentials are bound, not compared.
"""

from typing import Final

from replayer.keys import Question
from tandem.eras import Era
from tandem.regions import REGIONS
from tfx.exchange import Headers, Response

__tracebackhide__ = True  # pytest --showlocals would print the live request

OPEN: Final = "open"
OTHER_ORIGIN: Final = "other origin"
NO_TOKEN: Final = "no token"  # noqa: S105  # the name of a door

_PAGE: Final = (
    b"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN'><html><head><title>403 - Forbidden</title></head>"
    b"<body><h2>The request is blocked.</h2><p>reference0000000000000000000000</p></body></html>"
)


def door(asked: Question, era: Era) -> str:
    """`open`, or why a request for data is turned away before anybody looks at what it asks."""
    if asked.place is None or asked.place.endpoint.host != "source" or asked.place.endpoint.name.startswith("callback"):
        return OPEN
    if era.wants_same_origin and asked.place.region:
        home = REGIONS[asked.place.region].source_url
        if asked.headers.get("origin").rstrip("/") != home.rstrip("/") or asked.headers.get("referer").rstrip("/") != home.rstrip("/"):
            return OTHER_ORIGIN
    scheme, _, token = asked.headers.get("authorization").partition(" ")
    return OPEN if scheme.lower() == "bearer" and token.strip() else NO_TOKEN


def recorded_door(asked: Question, era: Era, status: int) -> str:
    """The door of a recorded request: one that was answered was let in, whatever headers its recording kept."""
    return door(asked, era) if status in (401, 403) else OPEN


def refusal(closed: str) -> Response:
    """What the service says at a closed door."""
    if closed == NO_TOKEN:
        headers = Headers([("WWW-Authenticate", "Bearer"), ("Content-Length", "0")])
        return Response(status=401, reason="Unauthorized", headers=headers)
    headers = Headers([("Content-Type", "text/html"), ("Content-Length", str(len(_PAGE)))])
    return Response(status=403, reason="Forbidden", headers=headers, body=_PAGE)
