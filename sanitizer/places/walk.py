"""Walk every exchange of a recording in order, with either visitor. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from http import HTTPStatus
from types import MappingProxyType

from sanitizer.places.carriers import headers
from sanitizer.places.contents import Content, content, meet, received, sent, stored_content
from sanitizer.places.urls import address
from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Policy
from sanitizer.policy.request_labels import asked_for
from sanitizer.replacements.devices import Device
from sanitizer.run import NOT_UNDERSTOOD
from tandem.endpoints import Place, locate
from tfx.bodies import Node, plain_bytes
from tfx.codec import codings, encoded
from tfx.errors import RefusedError, UsageError
from tfx.exchange import IGNORED_BY_NAME, IGNORED_WHOLE, Exchange, Headers, Request, Response, Terms, can_be_ignored
from tfx.stored import Stored, plain

_ANSWERS = range(HTTPStatus.BAD_REQUEST)
_STATUSES = frozenset({*HTTPStatus, 499, *range(520, 531), 598, 599})
"""Registered ones, and those that content networks and proxies in front of a service are known for."""


def walked(visitor: Visitor, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Every exchange of a known place, sanitized in order; two walks, because counters are rebased by the smallest number met anywhere."""
    devices: dict[str, Device] = {}
    survey: list[tuple[Place, Content, Device | None] | None] = []
    refused: set[int] = set()
    for index, exchange in enumerate(exchanges, 1):
        visitor.run.exchange = index
        try:
            survey.append(_surveyed(visitor, exchange, devices))
        except (RefusedError, *NOT_UNDERSTOOD) as error:
            visitor.run.leave_out(error)
            _gone(visitor, exchange)
            survey.append(None)
            refused.add(index)
    out = []
    for index, (exchange, found) in enumerate(zip(exchanges, survey, strict=True), 1):
        visitor.run.exchange = index
        if index in refused:
            continue
        if found is None:
            _gone(visitor, exchange)
            what = asked_for(exchange.request.method, exchange.request.url)
            visitor.note("request", f"a request that tfx has no rules for ({what})" + ("; removed" if visitor.changes else ""))
            continue
        try:
            done = _exchange(visitor, exchange, *found)
        except (RefusedError, *NOT_UNDERSTOOD) as error:
            visitor.run.leave_out(error)
            _gone(visitor, exchange)
            continue
        if done is None:
            _gone(visitor, exchange)
            visitor.run.has_gaps = True
            visitor.note("request path", "an identifier that is not what its rule is for" + ("; removed" if visitor.changes else ""))
        else:
            out.append(done)
            visitor.run.kept.append(visitor.run.exchange)
    visitor.run.exchange = 0
    return tuple(out)


def _gone(visitor: Visitor, exchange: Exchange) -> None:
    """Keep in mind what was in an exchange that goes as a whole."""
    if not visitor.changes:
        return
    unkept = visitor.run.unkept
    unkept.address(exchange.request.url)
    for way, one in (("request", exchange.request), ("response", exchange.response)):
        known = visitor.run.policy.headers[way]
        for name, value in one.headers:
            unkept.numbers(value) if name.lower() in known else unkept.value(value)
        try:
            found = content(one.headers, one.body, "")
        except (RefusedError, *NOT_UNDERSTOOD):
            unkept.numbers(one.body.decode("utf-8", "replace"))
            continue
        unkept.value(found.value)
        unkept.numbers(found.text.decode("utf-8", "replace"))


def _surveyed(visitor: Visitor, exchange: Exchange, devices: dict[str, Device]) -> tuple[Place, Content, Device | None] | None:
    place = _located(exchange.request)
    if place is None:
        return None
    if visitor.knows_events():
        return place, Content(kind="known"), None
    where = f"#{visitor.run.exchange} response body"
    stored = plain(exchange)
    response = stored or exchange.response
    found = stored_content(stored, where) if stored else content(response.headers, exchange.response.body, where)
    special = visitor.run.policy.special.get(place.endpoint.name, "")
    if special not in ("events", "records"):
        return place, found, None
    # The last identifier in the path names the device, in both eras.
    key = list(place.path_values.values())[-1].strip("{}").replace("-", "").lower()
    device = devices.setdefault(key, Device())
    if found.kind == "json" and response.status in _ANSWERS:
        meet(device, special, visitor.run.exchange, found)
    return place, found, device


def _located(request: Request) -> Place | None:
    try:
        return locate(request.method, request.url)
    except ValueError:  # no URL at all; its text quotes the host
        return None


def _exchange(visitor: Visitor, exchange: Exchange, place: Place, found: Content, device: Device | None) -> Exchange | None:
    request, response = exchange.request, plain(exchange) or exchange.response
    visitor.run.status = response.status
    url = address(visitor, request.url, place)
    if url is None:
        return None
    _status(visitor, response.status)
    if not visitor.changes and url != request.url:
        visitor.note("request url", "not written as the sanitizer writes it")
    if not visitor.changes and place.endpoint.method != request.method:
        visitor.note("request method", "not written as the sanitizer writes it")
    lines = headers(visitor, request.headers, "request")
    body = sent(visitor, place, request.headers, request.body)
    answer_lines = headers(visitor, response.headers, "response")
    answer = received(visitor, place, response, found, device)
    if response.reason != _reason(response.status, response.reason):
        visitor.run.unkept.value(response.reason)
        visitor.note("response reason", "not the standard phrase of its status")
    return Exchange(
        request=Request(method=place.endpoint.method, url=url, headers=lines.measured(str(len(body))), body=body),
        response=_answered(response, answer_lines, answer),
        terms=_terms(visitor, exchange.terms),
    )


def _answered(before: Response | Stored, lines: Headers, body: bytes | Node) -> Response | Stored:
    reason = _reason(before.status, before.reason)
    if isinstance(body, dict) and codings(lines) == codings(before.headers):
        return Stored(status=before.status, reason=reason, headers=lines.measured(""), node=body, is_plain=True)
    wire = encoded(before.headers, plain_bytes(body)) if isinstance(body, dict) else body
    return Response(status=before.status, reason=reason, headers=lines.measured(str(len(wire))), body=wire)


def _reason(status: int, reason: str) -> str:
    """The phrase, where it is that of the status: another one would say something else."""
    phrases = (HTTPStatus(status).phrase, *_OTHERWISE.get(status, ())) if status in _REGISTERED else ()
    return reason if reason in phrases else ""


_REGISTERED = frozenset(HTTPStatus)
_OTHERWISE: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        413: ("Request Entity Too Large", "Content Too Large"),
        414: ("Request-URI Too Long", "URI Too Long"),
        416: ("Requested Range Not Satisfiable", "Range Not Satisfiable"),
        418: ("I'm a Teapot", "I'm a teapot"),
        422: ("Unprocessable Entity", "Unprocessable Content"),
    }
)
"""As earlier and later editions of the standard call them."""


def _status(visitor: Visitor, status: int) -> None:
    if type(status) is int and status in _STATUSES:
        return
    if visitor.changes:
        raise RefusedError(f"#{visitor.run.exchange} response status is not one of HTTP's; nothing was written. Record that exchange again")
    visitor.note("response status", "none of HTTP's")


def _terms(visitor: Visitor, terms: Terms) -> Terms:
    if not terms.ignore:
        return terms
    known = _ignorable(visitor.run.policy)
    strange = next((place for place in terms.ignore if place not in known), None)
    if strange is not None and visitor.changes:  # left out, the edit would be undone and the file sealed without it
        raise UsageError(f"#{visitor.run.exchange} replay.ignore: {_no_place(strange, known)}; nothing was written")
    once = tuple(dict.fromkeys(terms.ignore))
    if strange is not None or once != terms.ignore:
        visitor.note("replay.ignore", "not a place of a request" if strange is not None else "a place twice")
    return replace(terms, ignore=once) if visitor.changes else terms


def _no_place(strange: str, known: frozenset[str]) -> str:
    """What can be ignored where somebody wrote what cannot; that itself is not repeated, for it may be anything."""
    part, _, name = strange.partition(".")
    named = sorted(place for place in known - IGNORED_WHOLE if part not in IGNORED_BY_NAME or place.startswith(f"{part}."))
    names = {place.partition(".")[2]: place for place in named}
    near = next((names[found] for found in get_close_matches(name, names, n=1)), "")
    hint = f" (near it: {near})" if near else ""
    return f"not a place of a request{hint}; places are {', '.join([*sorted(IGNORED_WHOLE), *named])}"


def _ignorable(policy: Policy) -> frozenset[str]:
    """Every place that a replay may be configured to ignore: parts of a request, and keys the policy has rules for."""
    keys = {"query": policy.queries, "path": policy.paths, "body": policy.forms}
    places = {f"{part}.{key}" for part, tables in keys.items() for rules in tables.values() for key in rules}
    for (_, way), node in policy.bodies.items():
        places |= {f"body.{key}" for key in node.members or () if way == "request"}
    return IGNORED_WHOLE | {place for place in places if can_be_ignored(place)}
