"""requests, urllib.request and httpx: the lowest layer of each, answered from the cassette. Patches for `patches.py`; no sockets."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from replayer.faults import Struck
from replayer.stacks.outcome import outcome
from replayer.stacks.patch import Switch, Undo
from tfx.errors import TfxError
from tfx.exchange import Headers, Request

if TYPE_CHECKING:
    import httpx
    from requests import PreparedRequest
    from requests import Response as Answered

__tracebackhide__ = True  # pytest --showlocals would print the live request


def patch_requests(_module: ModuleType, switch: Switch) -> list[Undo]:
    """requests: the lowest place it has."""
    from requests import PreparedRequest
    from requests import Response as Answered
    from requests.adapters import HTTPAdapter
    from requests.exceptions import RequestException

    from replayer.stacks.urllib3_retry import tried

    ask = _sender_of_requests(switch)
    original: Callable[..., Answered] = HTTPAdapter.send

    def send(
        self: HTTPAdapter, request: PreparedRequest, stream: bool = False, timeout: object = None, *_: object, **__: object
    ) -> Answered:
        if switch.is_elsewhere(request.url or ""):
            return original(self, request, stream, timeout, *_, **__)
        answered = outcome(partial(tried, self.max_retries, request, partial(ask, request, timeout)), RequestException)
        if isinstance(answered, Exception):
            del request, _, __
            raise answered
        answered.connection = self
        return answered

    return [switch.replace(HTTPAdapter, "send", send)]


def _sender_of_requests(switch: Switch) -> "Callable[[PreparedRequest, object], Answered]":
    """What sends a request once, with a timeout: its answer, or the error that a fault makes of it."""
    import requests_mock
    from requests.adapters import HTTPAdapter

    from replayer.stacks import failures as breaks
    from replayer.stacks.answers import urllib3_response

    class Transport(requests_mock.Adapter):
        """requests-mock's adapter, without a history and a line in the log: they would hold live credentials.

        Its one matcher is handed the client's own request, which `response.request` must be as live, and no copy of the session's proxies.
        """

        def send(self, request: "PreparedRequest", *_: object, **__: object) -> "Answered":
            return matched(request)

    def matched(request: "PreparedRequest") -> "Answered":
        method, url = request.method or "GET", request.url or ""
        found = switch.answer(Request(method=method, url=url, headers=_headers(request.headers), body=_bytes(request.body)))
        return builder.build_response(request, urllib3_response(found, method, url))

    def once(request: "PreparedRequest", timeout: object) -> "Answered":
        try:
            return transport.send(request)
        except Struck as error:
            struck = error.with_traceback(None)
        # Not in the handler: what is raised here would lead back through frames that hold the request.
        method, url = request.method or "GET", request.url or ""
        return builder.build_response(request, breaks.as_urllib3(struck, method, url, breaks.read_timeout(timeout)))

    builder = HTTPAdapter()
    transport = Transport(case_sensitive=True)
    return once


def patch_urllib(module: ModuleType, switch: Switch) -> list[Undo]:
    """urllib.request: below every opener."""
    from urllib.request import Request as UrllibRequest

    from replayer.stacks import failures as breaks
    from replayer.stacks.answers import http_client_response

    def answer(req: UrllibRequest) -> object:
        sent = {**req.headers, **req.unredirected_hdrs, "Connection": "close"}
        headers = _headers({name.title(): value for name, value in sent.items()})
        method, url = req.get_method(), req.get_full_url()
        return http_client_response(switch.answer(Request(method=method, url=url, headers=headers, body=_bytes(req.data))), method, url)

    original: Callable[..., object] = module.AbstractHTTPHandler.do_open

    def do_open(self: object, http_class: object, req: UrllibRequest, **_: object) -> object:
        if switch.is_elsewhere(req.full_url):
            return original(self, http_class, req, **_)
        answered = outcome(partial(answer, req))
        if isinstance(answered, Struck):
            broken = partial(breaks.as_http_client, answered, req.get_method(), req.get_full_url(), req.timeout)
            answered = outcome(broken, OSError)
        if isinstance(answered, Exception):
            del req, _
            raise answered
        return answered

    return [switch.replace(module.AbstractHTTPHandler, "do_open", do_open)]


def patch_httpx(module: ModuleType, switch: Switch) -> list[Undo]:
    """httpx: both transports."""
    return [_patch_httpx_sync(module, switch), _patch_httpx_async(module, switch)]


def _patch_httpx_sync(module: ModuleType, switch: Switch) -> Undo:
    import httpx

    from replayer.stacks import failures as breaks

    original: Callable[..., httpx.Response] = module.HTTPTransport.handle_request

    def handle_request(self: object, request: httpx.Request) -> httpx.Response:
        if switch.is_elsewhere(str(request.url)):
            return original(self, request)
        answered = outcome(partial(_answer_to_httpx, request, request.read(), switch))
        if isinstance(answered, Struck):
            answered = outcome(partial(breaks.as_httpx, answered, request), httpx.HTTPError)
        if isinstance(answered, Exception):
            del request
            raise answered
        return answered

    return switch.replace(module.HTTPTransport, "handle_request", handle_request)


def _patch_httpx_async(module: ModuleType, switch: Switch) -> Undo:
    import httpx

    from replayer.stacks import failures as breaks

    original: Callable[..., Awaitable[httpx.Response]] = module.AsyncHTTPTransport.handle_async_request

    async def handle_async_request(self: object, request: httpx.Request) -> httpx.Response:
        if switch.is_elsewhere(str(request.url)):
            return await original(self, request)
        answered: httpx.Response | Exception = outcome(partial(_answer_to_httpx, request, await request.aread(), switch))
        if isinstance(answered, Struck):
            try:
                answered = await breaks.as_httpx_async(answered, request)
            except (httpx.HTTPError, TfxError) as error:
                answered = error.with_traceback(None)
        if isinstance(answered, Exception):
            del request
            raise answered
        return answered

    return switch.replace(module.AsyncHTTPTransport, "handle_async_request", handle_async_request)


def _answer_to_httpx(request: "httpx.Request", body: bytes, switch: Switch) -> "httpx.Response":
    from replayer.stacks.answers import httpx_response

    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    plain = Request(method=request.method, url=str(request.url), headers=headers, body=body)
    return httpx_response(switch.answer(plain), request.method)


def _headers(headers: Mapping[str, object]) -> Headers:
    return Headers(
        [
            (name, value) if type(name) is type(value) is str else (_text(name), _text(value))  # they nearly always are
            for name, value in headers.items()
        ]
    )


def _text(value: object) -> str:
    if type(value) is str:
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: object) -> bytes:
    if body is None or isinstance(body, bytes | str):
        return body.encode() if isinstance(body, str) else body or b""
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    read = getattr(body, "read", None)
    if read:
        return _bytes(read())
    return b"".join(_bytes(piece) for piece in body) if hasattr(body, "__iter__") else b""
