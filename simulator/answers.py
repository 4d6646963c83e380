"""Build responses as the service does: header sets, gzip, chunked or counted bodies, error pages. Pure.

No response header of the live service is public; this set is what its parts (Azure Front Door, nginx, ASP.NET, Express) send.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from simulator.account import Account
from simulator.entropy import Entropy
from simulator.key import SigningKey
from simulator.state import State
from tandem.endpoints import Place
from tandem.eras import Era
from tandem.refusals import GONE, written
from tandem.regions import REGIONS, Region
from tandem.responses import EXPIRED, compressed
from tfx.exchange import Headers, Request, Response

JSON_TYPE: Final = "application/json; charset=utf-8"
HTML_TYPE: Final = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class World:
    """What every answer is made from."""

    account: Account
    era: Era
    home: str
    entropy: Entropy
    key: SigningKey
    state: State

    def issue(self, kind: str, value: str) -> str:
        """Remember that this secret goes out; returns it."""
        return self.state.issue(kind, value)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Call:
    """One request, taken apart: `query` keeps blanks, duplicates and order; `now` is aware UTC."""

    request: Request
    place: Place
    now: datetime
    query: tuple[tuple[str, str], ...]

    @property
    def region(self) -> Region:
        """The region whose host was asked."""
        return REGIONS[self.place.region or "us"]

    def one(self, name: str) -> str:
        """The first value of a query key, or nothing."""
        return next((value for key, value in self.query if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a query key, in order."""
        return tuple(value for key, value in self.query if key == name)

    def form(self) -> Mapping[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.request.body.decode("utf-8", "replace"), keep_blank_values=True))

    def cookies(self) -> Mapping[str, str]:
        """Every cookie that came along, several Cookie lines included."""
        pairs = "; ".join(self.request.headers.all("Cookie")).split(";")
        return {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)}


def call_of(request: Request, place: Place, now: datetime) -> Call:
    """A request taken apart."""
    return Call(request=request, place=place, now=now, query=tuple(parse_qsl(urlsplit(request.url).query, keep_blank_values=True)))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """What a handler returns; `finished` makes a response of it."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False
    server: str = "nginx"


def json_answer(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = (), chunked: bool = False) -> Answer:
    """A JSON body as the service writes it: compact, UTF-8, nothing escaped that need not be."""
    return Answer(status=status, body=written(value), headers=headers, chunked=chunked)


def page(title: str, text: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An HTML page."""
    html = f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n<body>{text}</body>\n</html>\n'
    return Answer(status=status, body=html.encode(), content_type="text/html; charset=utf-8", headers=headers)


def redirect(location: str) -> Answer:
    """A 302 without a body, as ASP.NET sends it."""
    return Answer(status=302, content_type="", headers=(("Location", location), ("Cache-Control", "no-store, no-cache, max-age=0")))


def not_found() -> Answer:
    """What nginx says of paths that are gone."""
    return Answer(status=404, body=GONE, content_type=HTML_TYPE)


def unauthorized(*, has_token: bool = True) -> Answer:
    """No bearer token, or an expired, foreign or unknown one."""
    return Answer(status=401, content_type="", headers=(("WWW-Authenticate", EXPIRED if has_token else "Bearer"),))


def blocked(world: World) -> Answer:
    """The firewall's 403: wrong Origin or Referer in the json eras (tconnectsync 3's comment on api_headers)."""
    reference = world.issue("trace id", world.entropy.text(32))
    html = (
        "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN'><html><head><title>403 - Forbidden</title></head>"
        f"<body><h2>The request is blocked.</h2><p>{reference}</p></body></html>"
    )
    return Answer(status=403, body=html.encode(), content_type=HTML_TYPE, server="")


def problem(world: World, status: int, retry_after: int | None = None) -> Answer:
    """An ASP.NET problem document with its trace id (tconnectsync #9, #85)."""
    trace = world.issue("trace id", f"00-{world.entropy.octets(16).hex()}-{world.entropy.octets(8).hex()}-00")
    title = HTTPStatus(status).phrase
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    answer = json_answer({"type": f"https://httpstatuses.io/{status}", "title": title, "status": status, "traceId": trace}, status=status)
    return replace(answer, content_type="application/problem+json; charset=utf-8", headers=headers)


def finished(world: World, call: Call, answer: Answer) -> Response:
    """The answer with every header and the body as it goes over the wire."""
    entropy = world.entropy
    headers = [("Date", format_datetime(call.now.replace(microsecond=0), usegmt=True))]
    body = answer.body
    if answer.content_type:
        headers.append(("Content-Type", answer.content_type))
    if answer.chunked:
        headers.append(("ETag", f'W/"{len(body):x}-{hashlib.sha1(body, usedforsecurity=False).hexdigest()[:27]}"'))
    coding, body = compressed(body, call.request.headers.get("Accept-Encoding"))
    headers.extend(coding)
    headers.append(("Transfer-Encoding", "chunked") if answer.chunked else ("Content-Length", str(len(body))))
    headers.append(("Connection", "keep-alive"))
    if answer.server:
        headers.append(("Server", answer.server))
    headers.extend(answer.headers)
    headers += [
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("x-request-id", world.issue("request id", entropy.uuid())),
        ("X-Azure-Ref", world.issue("request id", f"{call.now:%Y%m%dT%H%M%SZ}-{entropy.octets(16).hex()}")),
        ("X-Cache", "CONFIG_NOCACHE"),
    ]
    return Response(status=answer.status, reason=HTTPStatus(answer.status).phrase, headers=Headers(headers), body=body)
