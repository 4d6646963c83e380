"""aiohttp: a transport that answers from the cassette. A patch for `patches.py`; no sockets.

aiohttp's own parser, sessions, cookies and redirects run as live; only what would be bytes on a socket comes from here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, cast

from replayer import clock
from replayer.faults import Struck
from replayer.stacks import failures as breaks
from replayer.stacks.outcome import outcome
from replayer.stacks.patch import Answer, Switch, Undo
from tfx.errors import TfxError
from tfx.wire import on_the_wire, request_of

__tracebackhide__ = True  # pytest --showlocals would print the live request

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout, TCPConnector
    from aiohttp.client_proto import ResponseHandler


class Stream(asyncio.Transport):
    """As much of a transport as aiohttp's client uses. One request at a time, any number in turn."""

    def __init__(self, origin: str, answer: Answer, protocol: "ResponseHandler", timeout: float | None) -> None:
        super().__init__()
        self._origin, self._answer, self._protocol, self._timeout = origin, answer, protocol, timeout
        self._sent = b""
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """A piece of a request; when it is whole, the answer is on its way."""
        self._sent += bytes(data)
        request = request_of(self._sent, self._origin)
        if request is None:
            return
        self._sent = b""
        answered = outcome(partial(self._answer, request))
        if isinstance(answered, TfxError):
            # Raised here it would become a connection error, which clients swallow; so the protocol hands it to whoever awaits it.
            self._protocol.set_exception(answered)
        elif isinstance(answered, Struck):
            self._task = self._loop.create_task(self._act(answered, request.method))
        else:
            wire = on_the_wire(answered, request.method)
            self._loop.call_soon(self._deliver, wire.head + wire.body)

    def _deliver(self, data: bytes) -> None:
        if not self._closed:
            self._protocol.data_received(data)

    async def _act(self, struck: Struck, method: str) -> None:
        import aiohttp

        try:
            wait, in_time = breaks.delay(struck, self._timeout)
        except TfxError as error:
            self._protocol.set_exception(error.with_traceback(None))
            return
        if wait:
            await clock.pause_async(wait)
        if struck.kind == "reset":
            self._lose(breaks.reset())
        elif not in_time:
            # Before aiohttp 3.10 it had no name of its own.
            timeout: type[Exception] = getattr(aiohttp, "SocketTimeoutError", aiohttp.ServerTimeoutError)
            self._protocol.set_exception(timeout("Timeout on reading data from socket"))
        else:
            wire = on_the_wire(struck.response, method)
            await self._send(struck.kind, wire.head, wire.body)

    async def _send(self, kind: str, head: bytes, body: bytes) -> None:
        if kind == "truncated":
            self._deliver(head + body[: len(body) // 2])
            self._lose(None)
            return
        step = max(1, -(-len(body) // breaks.DROPS)) if kind == "drip" else len(body) or 1
        self._deliver(head)
        for at in range(0, len(body), step):
            if kind == "drip":
                await clock.pause_async(breaks.PAUSE)
            self._deliver(body[at : at + step])

    def _lose(self, error: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            self._protocol.connection_lost(error)

    def get_write_buffer_size(self) -> int:
        """Everything has gone."""
        return 0

    def is_closing(self) -> bool:
        """Whether the client, or a fault, has closed it."""
        return self._closed

    def close(self) -> None:
        """The client is done with it."""
        if not self._closed:
            self._closed = True
            if self._task:
                self._task.cancel()
            if not self._loop.is_closed():
                self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def pause_reading(self) -> None:
        """The client has enough for now; it gets what was sent all the same."""

    def resume_reading(self) -> None:
        """It has not."""


def patch_aiohttp(module: ModuleType, switch: Switch) -> list[Undo]:
    """Connections of aiohttp's connectors over TCP; one that was open before is not used."""
    connect: Callable[..., Awaitable[object]] = module.BaseConnector.connect
    create: Callable[..., Awaitable[ResponseHandler]] = module.TCPConnector._create_connection  # noqa: SLF001  # the one it opens sockets in

    async def _create_connection(self: "TCPConnector", req: "ClientRequest", traces: object, timeout: "ClientTimeout") -> "ResponseHandler":  # noqa: ASYNC109  # aiohttp's own
        if switch.is_elsewhere(str(req.url)):
            return await create(self, req, traces, timeout)
        protocol = self._factory()
        limits = [seconds for seconds in (timeout.sock_read, timeout.total) if seconds is not None]
        stream = Stream(str(req.url.origin()), switch.answer, protocol, min(limits, default=None))
        protocol.connection_made(stream)
        return protocol

    async def connect_anew(self: "TCPConnector", req: "ClientRequest", *given: object, **named: object) -> object:
        pooled = None if switch.is_elsewhere(str(req.url)) else self._conns.get(req.connection_key)
        for one in [one for one in pooled or () if not isinstance(one[0].transport, Stream)]:
            cast("list[object]", pooled).remove(one)
            one[0].close()
        return await connect(self, req, *given, **named)

    return [
        switch.replace(module.TCPConnector, "_create_connection", _create_connection),
        switch.replace(module.BaseConnector, "connect", connect_anew),
    ]
