"""The HTTP stacks of this process led to a cassette: the only module that patches other people's code.

requests: `HTTPAdapter.send`, the lowest place requests has, hands over to one requests-mock adapter with one matcher. So redirects,
cookies, hooks and adapters of the user's own run as live, and none of requests-mock's own matching (extra query keys, repeats, later
registrations, folded case), its process-wide lock or its history of live requests comes into play.
urllib.request: `AbstractHTTPHandler.do_open`, below every opener (PyJWT's PyJWKClient asks there). httpx: both transports.
http.client and urllib3 used directly: `connect` (`lines.py`). aiohttp: the connector's new connections (`streams.py`).
A library that is not imported yet is patched when it is; the innermost `answered_by` answers.
"""

import importlib.abc
import importlib.util
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from replayer.faults import Struck
from replayer.outcome import outcome
from tfx.errors import MismatchError, TfxError
from tfx.exchange import Headers, Request, Response

__tracebackhide__ = True  # pytest --showlocals would print the live request

Answer = Callable[[Request], Response]
Patch = Callable[[ModuleType], "list[tuple[type, str, object]]"]

_LOCK: Final = threading.RLock()
_ANSWERS: list[Answer] = []
_UNDO: list[tuple[type, str, object]] = []


@contextmanager
def answered_by(answer: Answer) -> Iterator[None]:
    """Every request of these stacks goes to `answer` meanwhile, in every thread."""
    start(answer)
    try:
        yield
    finally:
        with _LOCK:
            _ANSWERS.remove(answer)
            if not _ANSWERS:
                _stop()


def start(answer: Answer) -> None:
    """As `answered_by`, for the rest of the process's life."""
    with _LOCK:
        _ANSWERS.append(answer)
        if len(_ANSWERS) == 1:
            _start()


def _answer(request: Request) -> Response:
    try:
        innermost = _ANSWERS[-1]
    except IndexError:
        raise MismatchError("a request came after its replay had ended; keep threads inside `with offline(...)`") from None
    return innermost(request)


def _start() -> None:
    for name, patch in PATCHES.items():
        module = sys.modules.get(name)
        if module is not None:
            _UNDO.extend(patch(module))
    sys.meta_path.insert(0, _FINDER)


def _stop() -> None:
    sys.meta_path.remove(_FINDER)
    for owner, name, original in reversed(_UNDO):
        setattr(owner, name, original)
    _UNDO.clear()


def _replace(owner: type, name: str, new: object) -> tuple[type, str, object]:
    original = owner.__dict__[name]
    setattr(owner, name, new)
    return owner, name, original


def _patch_requests(_module: ModuleType) -> list[tuple[type, str, object]]:
    import requests_mock
    from requests import PreparedRequest
    from requests import Response as Answered
    from requests.adapters import HTTPAdapter
    from requests.exceptions import RequestException
    from requests_mock.request import _RequestObjectProxy

    from replayer import breaks
    from replayer.answers import urllib3_response
    from replayer.tries import tried

    class Transport(requests_mock.Adapter):
        """requests-mock's adapter, without a history: it would hold live credentials."""

        def _add_to_history(self, request: object) -> None:
            pass

    def matcher(proxy: _RequestObjectProxy) -> Answered:
        request: PreparedRequest = proxy._request  # noqa: SLF001  # `response.request` must be the client's own object, as live
        method, url = request.method or "GET", request.url or ""
        found = _answer(Request(method=method, url=url, headers=_headers(request.headers), body=_bytes(request.body)))
        return builder.build_response(request, urllib3_response(found, method, url))

    def once(request: PreparedRequest, timeout: object) -> Answered:
        answered = outcome(partial(transport.send, request))
        if isinstance(answered, Struck):
            method, url = request.method or "GET", request.url or ""
            return builder.build_response(request, breaks.as_urllib3(answered, method, url, breaks.read_timeout(timeout)))
        if isinstance(answered, TfxError):
            del request
            raise answered
        return answered

    def send(
        self: HTTPAdapter, request: PreparedRequest, _stream: bool = False, timeout: object = None, *_: object, **__: object
    ) -> Answered:
        answered = outcome(partial(tried, self.max_retries, request, partial(once, request, timeout)), RequestException)
        if isinstance(answered, Exception):
            del request, _, __
            raise answered
        answered.connection = self
        return answered

    builder = HTTPAdapter()
    transport = Transport(case_sensitive=True)
    transport.add_matcher(matcher)
    # It prints every live URL, codes and all.
    logging.getLogger("requests_mock.adapter").addFilter(_quiet)
    return [_replace(HTTPAdapter, "send", send)]


def _quiet(_: logging.LogRecord) -> bool:
    return not _ANSWERS


def _patch_urllib(module: ModuleType) -> list[tuple[type, str, object]]:
    from urllib.request import Request as Asked

    from replayer import breaks
    from replayer.answers import http_client_response

    def asked(req: Asked) -> object:
        sent = {**req.headers, **req.unredirected_hdrs, "Connection": "close"}
        headers = _headers({name.title(): value for name, value in sent.items()})
        method, url = req.get_method(), req.get_full_url()
        return http_client_response(_answer(Request(method=method, url=url, headers=headers, body=_bytes(req.data))), method, url)

    def do_open(_self: object, _http_class: object, req: Asked, **_: object) -> object:
        answered = outcome(partial(asked, req))
        if isinstance(answered, Struck):
            broken = partial(breaks.as_http_client, answered, req.get_method(), req.get_full_url(), req.timeout)
            answered = outcome(broken, OSError)
        if isinstance(answered, Exception):
            del req, _
            raise answered
        return answered

    return [_replace(module.AbstractHTTPHandler, "do_open", do_open)]


def _patch_httpx(module: ModuleType) -> list[tuple[type, str, object]]:
    import httpx

    from replayer import breaks
    from replayer.answers import httpx_response

    def asked(request: httpx.Request, body: bytes) -> httpx.Response:
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        return httpx_response(_answer(Request(method=request.method, url=str(request.url), headers=headers, body=body)), request.method)

    def handle_request(_self: object, request: httpx.Request) -> httpx.Response:
        answered = outcome(partial(asked, request, request.read()))
        if isinstance(answered, Struck):
            answered = outcome(partial(breaks.as_httpx, answered, request), httpx.HTTPError)
        if isinstance(answered, Exception):
            del request
            raise answered
        return answered

    async def handle_async_request(_self: object, request: httpx.Request) -> httpx.Response:
        answered: httpx.Response | Exception = outcome(partial(asked, request, await request.aread()))
        if isinstance(answered, Struck):
            try:
                answered = await breaks.as_httpx_async(answered, request)
            except (httpx.HTTPError, TfxError) as error:
                answered = error.with_traceback(None)
        if isinstance(answered, Exception):
            del request
            raise answered
        return answered

    return [
        _replace(module.HTTPTransport, "handle_request", handle_request),
        _replace(module.AsyncHTTPTransport, "handle_async_request", handle_async_request),
    ]


def _patch_http_client(module: ModuleType) -> list[tuple[type, str, object]]:
    from replayer.lines import patch_http_client

    return patch_http_client(module, _answer, _replace)


def _patch_urllib3(module: ModuleType) -> list[tuple[type, str, object]]:
    from replayer.lines import patch_urllib3

    return patch_urllib3(module, _answer, _replace)


def _patch_aiohttp(module: ModuleType) -> list[tuple[type, str, object]]:
    from replayer.streams import patch_aiohttp

    return patch_aiohttp(module, _answer, _replace)


PATCHES: Final[Mapping[str, Patch]] = {
    "requests": _patch_requests,
    "urllib.request": _patch_urllib,
    "httpx": _patch_httpx,
    "http.client": _patch_http_client,
    "urllib3.connection": _patch_urllib3,
    "aiohttp.connector": _patch_aiohttp,
}
"""Module name to what is replaced in it; a package is whole only when its own `__init__` is done."""


def _headers(headers: Mapping[str, object]) -> Headers:
    return Headers((_text(name), _text(value)) for name, value in headers.items())


def _text(value: object) -> str:
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


class _Finder(importlib.abc.MetaPathFinder):
    """Patches a stack when it is imported after `offline` began; otherwise finds nothing."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The real spec, with a loader that patches when it is done."""
        del target
        if fullname not in PATCHES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, fullname)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, name: str) -> None:
        self._loader, self._name = loader, name

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the real loader does, then the patch."""
        self._loader.exec_module(module)
        module.__loader__ = self._loader
        with _LOCK:
            if _ANSWERS:
                _UNDO.extend(PATCHES[self._name](module))


_FINDER: Final = _Finder()
