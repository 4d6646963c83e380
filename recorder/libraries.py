"""Record what requests, urllib.request and httpx fetch from Tandem Source in this process: each is replaced at its lowest layer."""

import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPResponse
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.request import HTTPSHandler

import requests
from requests.adapters import HTTPAdapter

from recorder.tape import Tape, stands_on, taped
from recorder.unfinished import Unfinished, asking
from recorder.unrecorded import Unrecorded, watch
from tandem.regions import HOSTS
from tfx.exchange import Exchange, Headers, Request, Response

if TYPE_CHECKING:
    import httpx

Undo = Callable[[], None]


def tape_libraries(tape: Tape, unrecorded: Unrecorded, unfinished: Unfinished) -> Undo:
    """From now on record onto the tape what every thread fetches; the result ends it.

    `unrecorded` is told of connections that cannot be recorded, `unfinished` of requests that got no whole answer.
    """
    undo = [tape_library(tape, unfinished) for tape_library in LIBRARIES] + [watch(unrecorded)]

    def end() -> None:
        for step in reversed(undo):
            step()

    return end


def _tape_requests(tape: Tape, unfinished: Unfinished) -> Undo:
    """Every adapter of requests."""
    ordinary = HTTPAdapter.send

    def send(  # noqa: PLR0917  # the signature of HTTPAdapter
        self: HTTPAdapter,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if not stands_on(HOSTS, str(request.url)):
            return ordinary(self, request, stream, timeout, verify, cert, proxies)
        with asking(unfinished, str(request.method), str(request.url)):
            return taped(tape, self, request, lambda: ordinary(self, request, True, timeout, verify, cert, proxies))

    HTTPAdapter.send = send  # type: ignore[method-assign]  # replacing it is what this is for
    return partial(setattr, HTTPAdapter, "send", ordinary)


def _tape_urllib(tape: Tape, unfinished: Unfinished) -> Undo:
    """Every opener of urllib: PyJWT's PyJWKClient fetches keys with it."""
    ordinary = HTTPSHandler.https_open

    def https_open(self: HTTPSHandler, req: urllib.request.Request) -> HTTPResponse:
        if not stands_on(HOSTS, req.full_url):
            return ordinary(self, req)
        place = tape.place()
        with asking(unfinished, req.get_method(), req.full_url):
            response = ordinary(self, req)
            body = response.read()
        tape.keep(place, Exchange(request=_asked(req), response=_answered(response, body)))
        _rewind(response, body)
        return response

    HTTPSHandler.https_open = https_open  # type: ignore[method-assign]  # replacing it is what this is for
    return partial(setattr, HTTPSHandler, "https_open", ordinary)


def _asked(req: urllib.request.Request) -> Request:
    body = req.data if isinstance(req.data, bytes) else b""
    return Request(method=req.get_method(), url=req.full_url, headers=Headers(req.header_items()), body=body)


def _answered(response: HTTPResponse, body: bytes) -> Response:
    headers = Headers((name, str(value)) for name, value in response.headers.items())
    return Response(status=response.status, reason=response.reason, headers=headers, body=body)


def _rewind(response: HTTPResponse, body: bytes) -> None:
    """Let the body be read once more, chunks already undone."""
    response.fp = BytesIO(body)  # type: ignore[assignment]  # any readable does
    response.length = len(body)
    response.chunked = False


def _tape_httpx(tape: Tape, unfinished: Unfinished) -> Undo:
    """Both transports of httpx, where it is installed. Their streams give the body with its Content-Encoding still on."""
    if find_spec("httpx") is None:
        return lambda: None
    import httpx

    ordinary, ordinary_async = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if not stands_on(HOSTS, str(request.url)):
            return ordinary(self, request)
        place, asked = tape.place(), _asked_of_httpx(request, request.read())
        with asking(unfinished, request.method, str(request.url)):
            response = ordinary(self, request)
            try:
                body = b"".join(response.iter_raw())
            finally:
                response.close()
        return _kept(tape, place, asked, response, body)

    async def handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if not stands_on(HOSTS, str(request.url)):
            return await ordinary_async(self, request)
        place, asked = tape.place(), _asked_of_httpx(request, await request.aread())
        with asking(unfinished, request.method, str(request.url)):
            response = await ordinary_async(self, request)
            try:
                body = b"".join([part async for part in response.aiter_raw()])
            finally:
                await response.aclose()
        return _kept(tape, place, asked, response, body)

    httpx.HTTPTransport.handle_request = handle_request  # type: ignore[method-assign]  # replacing it is what this is for
    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign]  # as above

    def end() -> None:
        httpx.HTTPTransport.handle_request = ordinary  # type: ignore[method-assign]  # as it was
        httpx.AsyncHTTPTransport.handle_async_request = ordinary_async  # type: ignore[method-assign]  # as above

    return end


def _kept(tape: Tape, place: int, asked: Request, response: "httpx.Response", body: bytes) -> "httpx.Response":
    """Keep the exchange, and give back a fresh response with the same bytes."""
    import httpx

    answer = Response(status=response.status_code, reason=response.reason_phrase, headers=_lines(response.headers), body=body)
    tape.keep(place, Exchange(request=asked, response=answer))
    return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(body), extensions=response.extensions)


def _asked_of_httpx(request: "httpx.Request", body: bytes) -> Request:
    return Request(method=request.method, url=str(request.url), headers=_lines(request.headers), body=body)


def _lines(headers: "httpx.Headers") -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)


LIBRARIES: Final = (_tape_requests, _tape_urllib, _tape_httpx)
