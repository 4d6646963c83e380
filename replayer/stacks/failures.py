"""How each HTTP library reports a response that fails or breaks off: the error its client would get live. No sockets.

`reset`: the connection is cut before the answer. `timeout`: no answer within the client's own timeout. `truncated`: half of the body,
then the end. `drip`: all of it, a few bytes at a time. `late=N`: all of it after N seconds, or a timeout if the client's is shorter.
"""

import errno
import io
import os
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPResponse, IncompleteRead
from socket import getdefaulttimeout, socket
from typing import TYPE_CHECKING, Final, cast

from replayer import clock
from replayer.faults import Struck
from replayer.stacks.answers import Body, urllib3_response, wire_bytes
from tfx.exchange import Response
from tfx.wire import sent_body

__tracebackhide__ = True  # pytest --showlocals would print the live request

if TYPE_CHECKING:
    import httpx
    import urllib3

DROPS: Final = 25
"""Into how many drops a slow body is cut; as the stand-in does."""
PAUSE: Final = 0.02
"""Seconds between two drops."""


def delay(struck: Struck, timeout: float | None) -> tuple[float, bool]:
    """Seconds until the answer comes or the client (with this timeout; None: it waits for ever) gives up, and whether it comes in time.

    Raises:
        HangError: it never comes, and the client set no timeout.
    """
    if struck.kind != "timeout" and struck.seconds is None:
        return 0, True
    if struck.seconds is None and timeout is None:
        raise struck.hang()
    wait = min(seconds for seconds in (struck.seconds, timeout) if seconds is not None)
    in_time = wait == struck.seconds
    if in_time:
        struck.take()
    # Waiting for a timeout in earnest helps nobody: without a virtual clock it is over at once.
    return wait if in_time or clock.is_virtual() else 0, in_time


def arrival(struck: Struck, timeout: float | None) -> bool:
    """Wait for the answer as long as the client would; whether it came in time. HangError as `delay`."""
    wait, in_time = delay(struck, timeout)
    if wait:
        clock.pause(wait)
    return in_time


def read_timeout(timeout: object) -> float | None:
    """Seconds that a client of requests waits for an answer, out of what it handed in: a number, a pair, urllib3's own, or None."""
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    elif timeout is not None and not isinstance(timeout, int | float):
        timeout = getattr(timeout, "read_timeout", None)
    return float(timeout) if isinstance(timeout, int | float) else None


def reset() -> ConnectionResetError:
    """As the operating system words it."""
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


class Dripping(Body):
    """A body that comes a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._drop, self._here = max(1, -(-len(data) // DROPS)), 0

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, when they have come."""
        found = super().read(size)
        after = 0 if self.closed else self.tell()
        while self._here < after:
            clock.pause(PAUSE)
            self._here += self._drop
        return found


class Cut(Body):
    """Half a body, and then the end of the connection."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            IncompleteRead: there are none left, and there should be.
        """
        found = super().read(size)
        if not found and size != 0:
            raise IncompleteRead(b"")
        return found


def as_urllib3(struck: Struck, method: str, url: str, timeout: float | None) -> "urllib3.HTTPResponse":
    """A try of urllib3's: a response whose body breaks off or drips, or the error of the connection.

    Raises:
        ProtocolError: reset.
        ReadTimeoutError: no answer in time.
    """
    import urllib3
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    if struck.kind == "reset":
        raise ProtocolError("Connection aborted.", reset())
    if not arrival(struck, timeout):
        parts = urllib3.util.parse_url(url)
        pool = urllib3.HTTPSConnectionPool(parts.host or "", parts.port or 443)
        raise ReadTimeoutError(pool, url, f"Read timed out. (read timeout={timeout})")
    found = urllib3_response(struck.response, method, url)
    make = {"truncated": _cut, "drip": Dripping}.get(struck.kind)
    if make:
        broken = make(sent_body(struck.response, method))
        found._fp = cast("HTTPResponse", broken)  # noqa: SLF001  # where the body it was built with stands
    return found


def _cut(body: bytes) -> Body:
    return Cut(body[: len(body) // 2])


def as_http_client(struck: Struck, method: str, url: str, timeout: object) -> HTTPResponse:
    """As `http.client` reads it off the wire; `timeout` is what the request holds, which may be urllib's mark for the default.

    Raises:
        ConnectionResetError: reset.
        TimeoutError: no answer in time.
    """
    if struck.kind == "reset":
        raise reset()
    if not arrival(struck, float(timeout) if isinstance(timeout, int | float) else getdefaulttimeout()):
        raise TimeoutError("The read operation timed out")
    data = wire_bytes(struck.response, method)
    body = len(data) - len(data.partition(b"\r\n\r\n")[2])
    if struck.kind == "truncated":
        data = data[: body + (len(data) - body) // 2]
    found = HTTPResponse(cast("socket", Slow(data, body if struck.kind == "drip" else len(data))), method=method, url=url)
    found.begin()
    found.url = url
    found.msg = found.reason  # type: ignore[assignment]  # as urllib.request leaves it
    return found


class Slow(io.RawIOBase):
    """As much of a socket as `http.client` reads from: all of the head at once, the rest a few bytes at a time."""

    def __init__(self, data: bytes, head: int) -> None:
        super().__init__()
        self._data, self._head, self._at = data, head, 0

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The bytes as a file."""
        return io.BufferedReader(self, buffer_size=max(self._head, 1))

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed names the protocol, CPython hands in this
        """The next drop."""
        size = self._head or len(self._data)
        if self._at >= self._head:
            clock.pause(PAUSE if self._head < len(self._data) and self._at < len(self._data) else 0)
            size = max(1, -(-(len(self._data) - self._head) // DROPS))
        piece = self._data[self._at : self._at + min(size, len(buffer))]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def as_httpx(struck: Struck, request: "httpx.Request") -> "httpx.Response":
    """As httpx's transport gives it.

    Raises:
        ReadError: reset.
        ReadTimeout: no answer in time.
    """
    return _httpx(struck, request, arrival(struck, _httpx_timeout(request)))


async def as_httpx_async(struck: Struck, request: "httpx.Request") -> "httpx.Response":
    """As httpx's asynchronous transport gives it; raises the same."""
    wait, in_time = delay(struck, _httpx_timeout(request))
    if wait:
        await clock.pause_async(wait)
    return _httpx(struck, request, in_time)


def _httpx_timeout(request: "httpx.Request") -> float | None:
    found: float | None = request.extensions.get("timeout", {}).get("read")
    return found


def _httpx(struck: Struck, request: "httpx.Request", in_time: bool) -> "httpx.Response":
    import httpx

    from replayer.stacks.answers import httpx_response

    if struck.kind == "reset":
        raise httpx.ReadError(str(reset()), request=request)
    if not in_time:
        raise httpx.ReadTimeout("The read operation timed out", request=request)
    found = httpx_response(struck.response, request.method)
    if struck.kind in ("truncated", "drip"):
        body = struck.response.body
        end = _end(struck.response, request) if struck.kind == "truncated" else None
        found.stream = pieces(body[: len(body) // 2] if end else body, end)
    return found


def _end(response: Response, request: "httpx.Request") -> "httpx.RemoteProtocolError":
    import httpx

    counted = "content-length" in response.headers
    how = f"received {len(response.body) // 2} bytes, expected {len(response.body)}" if counted else "incomplete chunked read"
    return httpx.RemoteProtocolError(f"peer closed connection without sending complete message body ({how})", request=request)


def pieces(body: bytes, end: Exception | None) -> "httpx.AsyncByteStream":
    """A stream of httpx's that both kinds of client can read: the body whole and then its end, or in drops."""
    import httpx

    step = len(body) or 1
    if end is None:
        step = max(1, -(-len(body) // DROPS))

    class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for at in range(0, len(body), step):
                if end is None:
                    clock.pause(PAUSE)
                yield body[at : at + step]
            if end:
                raise end

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for at in range(0, len(body), step):
                if end is None:
                    await clock.pause_async(PAUSE)
                yield body[at : at + step]
            if end:
                raise end

    return Pieces()
