"""http.client, and urllib3 used directly: a connection that answers from the cassette. Patches for `patches.py`; no sockets.

Everything above the socket is the library's own: a `Line` takes the bytes a client sends, and gives the bytes a server would.
"""

import atexit
import io
import socket
from collections.abc import Callable
from functools import cache, partial
from http.client import HTTPConnection, HTTPSConnection
from types import ModuleType
from typing import Protocol, cast

from replayer.faults import Struck
from replayer.stacks import failures as breaks
from replayer.stacks.outcome import outcome
from replayer.stacks.patch import Answer, Switch, Undo
from tfx.errors import TfxError
from tfx.exchange import Request
from tfx.wire import on_the_wire, request_of

__tracebackhide__ = True  # pytest --showlocals would print the live request


class Line:
    """As much of a socket as clients of HTTP/1.1 use. One request at a time, any number in turn."""

    def __init__(self, origin: str, answer: Answer, timeout: float | None) -> None:
        self._origin, self._answer, self._timeout = origin, answer, timeout
        self._sent = b""

    def sendall(self, data: bytes) -> None:
        """A piece of a request."""
        self._sent += bytes(data)

    def makefile(self, _mode: str, _size: int | None = None) -> io.BufferedIOBase:
        """The answer to what was sent, as a file.

        Raises:
            TfxError: a miss, as everywhere.
            OSError: a fault replaces the response.
        """
        request = request_of(self._sent, self._origin)
        self._sent = b""
        if request is None:
            # http.client asks for the answer before the request is whole: live, the server would go on waiting.
            raise TimeoutError("timed out")
        answered = outcome(partial(_file, self._answer, request, self._timeout), OSError)
        if isinstance(answered, Exception):
            del request
            raise answered
        return answered

    def settimeout(self, value: float | None) -> None:
        """How long the client would wait for an answer, seconds."""
        self._timeout = value

    def gettimeout(self) -> float | None:
        """The same."""
        return self._timeout

    def fileno(self) -> int:
        """A handle at which nothing ever arrives: pools look there for a connection that was dropped."""
        return _quiet().fileno()

    def setsockopt(self, *_: object) -> None:
        """There is nothing to set."""

    def shutdown(self, _how: int) -> None:
        """There is nothing to shut."""

    def close(self) -> None:
        """There is nothing to close."""


@cache
def _quiet() -> socket.socket:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):  # both live as long as the process, and in every one it forks
        atexit.register(end.close)
    return ours


def _file(answer: Answer, request: Request, timeout: float | None) -> io.BufferedIOBase:
    found = outcome(partial(answer, request))
    if isinstance(found, TfxError):
        raise found
    if not isinstance(found, Struck):
        wire = on_the_wire(found, request.method)
        return io.BytesIO(wire.head + wire.body)
    if found.kind == "reset":
        raise breaks.reset()
    if not breaks.arrival(found, timeout):
        raise TimeoutError("The read operation timed out")
    wire = on_the_wire(found.response, request.method)
    if found.kind == "truncated":
        return io.BytesIO(wire.head + wire.body[: len(wire.body) // 2])
    data = wire.head + wire.body
    return breaks.Slow(data, len(wire.head) if found.kind == "drip" else len(data)).makefile("rb")


class _Connection(Protocol):
    sock: object
    timeout: object
    host: str
    port: int | None
    is_verified: bool
    cert_reqs: object
    _tunnel_host: str | None
    _tunnel_port: int | None


def origin_of(scheme: str, connection: _Connection) -> str:
    """The origin a connection is for, proxies left out."""
    host = connection._tunnel_host or connection.host  # noqa: SLF001  # http.client tells nobody else
    port = connection._tunnel_port if connection._tunnel_host else connection.port  # noqa: SLF001  # where http.client keeps the host behind a proxy
    return f"{scheme}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port else "")


def patch_http_client(module: ModuleType, switch: Switch) -> list[Undo]:
    """Connections of http.client itself; one that was open before is not used."""
    original: Callable[[HTTPConnection, object], None] = module.HTTPConnection.send

    def send(self: HTTPConnection, data: object) -> None:
        open_before = self.sock
        scheme = "https" if isinstance(self, HTTPSConnection) else "http"
        is_ours = open_before is None or isinstance(open_before, Line) or switch.is_elsewhere(origin_of(scheme, cast("_Connection", self)))
        if open_before is not None and not is_ours:
            self.sock = None
            open_before.close()
        original(self, data)

    return [
        switch.replace(module.HTTPConnection, "connect", _connect("http", module.HTTPConnection, switch)),
        switch.replace(module.HTTPSConnection, "connect", _connect("https", module.HTTPSConnection, switch)),
        switch.replace(module.HTTPConnection, "send", send),
    ]


def patch_urllib3(module: ModuleType, switch: Switch) -> list[Undo]:
    """urllib3's connections, which open their sockets themselves and send as http.client's do."""
    return [
        switch.replace(module.HTTPConnection, "connect", _connect("http", module.HTTPConnection, switch)),
        switch.replace(module.HTTPSConnection, "connect", _connect("https", module.HTTPSConnection, switch)),
    ]


def _connect(scheme: str, owner: type, switch: Switch) -> Callable[[_Connection], None]:
    original: Callable[[_Connection], None] = owner.__dict__["connect"]

    def connect(self: _Connection) -> None:
        origin = origin_of(scheme, self)
        if switch.is_elsewhere(origin):
            original(self)
            return
        timeout = float(self.timeout) if isinstance(self.timeout, int | float) else socket.getdefaulttimeout()
        self.sock = Line(origin, switch.answer, timeout)
        # urllib3 warns of connections that are not; as live, if the client chose that.
        self.is_verified = scheme == "https" and getattr(self, "cert_reqs", None) not in (0, "CERT_NONE")

    return connect
