"""Which requests the service refuses (401, 403, 302), decided by the request headers that it looks at. Pure.

In the JSON eras the firewall answers 403 unless Origin and Referer are the source URL (tconnectsync 3, `api_headers`); any data
call without a bearer token gets 401. Whether a token is valid, and whether the client of authorize is signed in, depends on what the
replay handed out: `credentials.py`.
"""

from typing import Final

from replayer.matching.keys import Question
from tandem.endpoints import Place
from tandem.eras import Era
from tandem.refusals import INVALID_GRANT, written
from tandem.regions import REGIONS
from tandem.responses import EXPIRED, bearer_of, is_same_origin, response_of
from tfx.exchange import Response

__tracebackhide__ = True  # pytest --showlocals would print the live request

ALLOWED: Final = "allowed"
OTHER_ORIGIN: Final = "other origin"
NO_TOKEN: Final = "no token"  # noqa: S105  # a verdict, not a secret
STRANGE_TOKEN: Final = "a token this replay did not hand out, or that has expired"  # noqa: S105  # a verdict, not a secret
WRONG_QUERY: Final = "a wrong query"
SPENT_CODE: Final = "a spent code"
NO_SESSION: Final = "no cookie of a sign-in of this replay"

REASONS: Final = {
    OTHER_ORIGIN: "403: Origin and Referer are not the web application's",
    NO_TOKEN: "401: no bearer token was sent",
    STRANGE_TOKEN: "401: its token was not handed out by this replay, or has expired; sign in first (signed_in accepts the cassette's own)",
    WRONG_QUERY: "a redirect with an OAuth error: the service does not accept its scope, challenge or mode",
    SPENT_CODE: "400: its code was exchanged already; ask authorize for another",
    NO_SESSION: "a redirect to the sign-in page: the cookies that login sets were not sent",
}
"""What is answered to each refusal, and why."""
_PAGE: Final = (
    b"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN'><html><head><title>403 - Forbidden</title></head>"
    b"<body><h2>The request is blocked.</h2><p>reference0000000000000000000000</p></body></html>"
)

_PORTAL: Final = b"<!doctype html><html><head><title>Tandem Diabetes Care</title></head><body></body></html>"


def wants_token(place: Place | None) -> bool:
    """Whether what is asked is data, which nobody gets without a token."""
    return place is not None and place.endpoint.host == "source" and not place.endpoint.name.startswith("callback")


def verdict(question: Question, era: Era) -> str:
    """`ALLOWED`, or why a request for data is refused before anybody looks at what it asks."""
    if question.place is None or not wants_token(question.place):
        return ALLOWED
    if era.wants_same_origin and question.place.region and not is_same_origin(question.headers, REGIONS[question.place.region].source_url):
        return OTHER_ORIGIN
    if era.name not in question.place.endpoint.eras:
        return ALLOWED  # the path is gone, whoever asks
    return ALLOWED if bearer_of(question.headers.get("authorization")) else NO_TOKEN


def recorded_verdict(question: Question, era: Era, status: int) -> str:
    """The verdict on a recorded request: one that was answered was allowed, whatever headers its recording kept."""
    return verdict(question, era) if status in (401, 403) else ALLOWED


def refusal(verdict: str, accept_encoding: str = "") -> Response:
    """What the service answers to a request it refuses, from a client with this Accept-Encoding."""
    if verdict in (NO_TOKEN, STRANGE_TOKEN):
        return response_of(401, more=(("WWW-Authenticate", "Bearer" if verdict == NO_TOKEN else EXPIRED),))
    return response_of(403, _PAGE, content_type="text/html", accept_encoding=accept_encoding)


def sent_away(location: str) -> Response:
    """What authorize says without a session, or to a query it finds wrong."""
    return response_of(302, more=(("Location", location), ("Cache-Control", "no-store, no-cache, max-age=0")))


def spent() -> Response:
    """What the token endpoint says to a code it has seen."""
    return response_of(400, written(INVALID_GRANT), content_type="application/json; charset=utf-8")


def sign_in_page() -> Response:
    """The page somebody without a session lands on, where none was recorded."""
    return response_of(200, _PORTAL, content_type="text/html; charset=utf-8")
