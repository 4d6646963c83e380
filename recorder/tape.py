"""A requests adapter that keeps every exchange with a complete response. See docs/decisions/capture-at-the-adapter.md.

The adapter is the one place that sees each redirect hop, each failed and each retried request, before cookies, content codings and
redirects are undone, and it patches nothing: threads cannot take it away from one another.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from io import BytesIO
from typing import Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError, ReadTimeoutError, SSLError
from urllib3.response import BaseHTTPResponse, HTTPResponse

from tfx.exchange import Exchange, Headers, Request, Response

Heard = Callable[[Exchange], None]


class Tape:
    """Exchanges in the order their requests were sent, whichever thread sent them.

    `heard` is called with each exchange, one at a time, before its client sees the answer: what the client acts on is already kept.
    """

    def __init__(self, heard: Heard = lambda _exchange: None, *, before: Iterable[Exchange] = ()) -> None:
        self._lock = threading.Lock()
        self._heard = heard
        self._kept: dict[int, Exchange] = dict(enumerate(before))
        self._next = len(self._kept)

    def __repr__(self) -> str:
        return f"Tape({len(self._kept)} exchanges)"

    def place(self) -> int:
        """A place in the order, taken when a request is sent."""
        with self._lock:
            self._next += 1
            return self._next - 1

    def keep(self, place: int, exchange: Exchange) -> None:
        """Keep the exchange at its place."""
        with self._lock:
            self._heard(exchange)
            self._kept[place] = exchange

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is kept so far."""
        with self._lock:
            return tuple(self._kept[place] for place in sorted(self._kept))


class TapeAdapter(HTTPAdapter):
    """Sends as requests does, keeps what came, and hands on an answer nobody can tell from the one that came.

    `hosts` limits what is kept to these host names; None keeps everything.
    """

    def __init__(self, tape: Tape, *, hosts: Collection[str] | None = None) -> None:
        super().__init__()
        self._tape = tape
        self._hosts = hosts

    def send(  # noqa: PLR0917  # the signature of HTTPAdapter
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One exchange. Raises what requests raises; of an answer that breaks off nothing is kept."""

        def ordinary(streams: bool) -> requests.Response:
            return super(TapeAdapter, self).send(request, stream=streams, timeout=timeout, verify=verify, cert=cert, proxies=proxies)

        if not stands_on(self._hosts, str(request.url)):
            return ordinary(stream)
        return taped(self._tape, self, request, lambda: ordinary(True))


class Builds(Protocol):
    """What we need of an adapter: to make a requests response from a urllib3 one."""

    def build_response(self, req: requests.PreparedRequest, resp: HTTPResponse) -> requests.Response:
        """The response of requests."""
        ...


def stands_on(hosts: Collection[str] | None, url: str) -> bool:
    """Whether the URL leads to one of these hosts (None: to any)."""
    return hosts is None or (urlsplit(url).hostname or "") in hosts


def taped(tape: Tape, adapter: Builds, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
    """Send with `send` (which must stream), keep the exchange on the tape, and give back a fresh answer with the same bytes."""
    place = tape.place()
    asked = _asked(request)
    response = send()
    raw = response.raw
    wire = _whole_body(raw, request)
    lines = tuple(_lines(raw))
    answer = Response(status=raw.status, reason=raw.reason or "", headers=Headers(lines), body=wire)
    tape.keep(place, Exchange(request=asked, response=answer))
    return adapter.build_response(request, _again(raw, wire, request))


def _asked(request: requests.PreparedRequest) -> Request:
    body: object = request.body
    if isinstance(body, Iterable) and not isinstance(body, bytes | str):
        # A body that is read once would be gone: keep it, and send the kept bytes.
        request.body = body = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in body)
    sent = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    headers = Headers((_text(name), _text(value)) for name, value in request.headers.items())
    return Request(method=request.method or "GET", url=request.url or "", headers=headers, body=sent)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _whole_body(raw: BaseHTTPResponse, request: requests.PreparedRequest) -> bytes:
    """The body with its Content-Encoding still on, or the exception a client of requests expects of a body that breaks off."""
    try:
        return raw.read(decode_content=False)
    except ReadTimeoutError as error:
        raise requests.exceptions.ConnectionError(error, request=request) from error
    except SSLError as error:
        raise requests.exceptions.SSLError(error, request=request) from error
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error, request=request) from error
    finally:
        raw.release_conn()


def _lines(raw: BaseHTTPResponse) -> Iterable[tuple[str, str]]:
    """The header lines as they came: http.client keeps their order, urllib3 groups those of one name."""
    message = getattr(getattr(raw, "_original_response", None), "msg", None)
    items: Iterable[tuple[str, str]] = raw.headers.iteritems() if message is None else message.items()
    return ((name, str(value)) for name, value in items)


def played(response: Response) -> HTTPResponse:
    """A kept answer as urllib3 would hand it over once more; its cookies are not set again."""
    return HTTPResponse(
        body=BytesIO(response.body),
        headers=HTTPHeaderDict(list(response.headers)),
        status=response.status,
        reason=response.reason,
        preload_content=False,
        decode_content=False,
    )


def _again(raw: BaseHTTPResponse, wire: bytes, request: requests.PreparedRequest) -> HTTPResponse:
    return HTTPResponse(
        body=BytesIO(wire),
        headers=raw.headers,
        status=raw.status,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
        decode_content=False,
        # requests reads Set-Cookie from the original, headers and all.
        original_response=getattr(raw, "_original_response", None),
        request_method=request.method,
        request_url=request.url,
    )
