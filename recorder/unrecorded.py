"""Notice TLS connections to Tandem Source that nobody records: what is fetched over them would be missing on the cassette without a word.

The name that a TLS client asks for is looked at, and not the address it connects to, which is a proxy's where there is one.
Unseen: programs that the program starts, and libraries with a TLS of their own (pycurl, curl_cffi).
"""

import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from tandem.regions import HOSTS
from tfx.errors import UsageError

Unrecorded = Callable[[str], None]
"""Called with the name of the library, once for each connection."""

RECORDABLE: Final = "requests, urllib.request or httpx"

_RECORDED: Final[ContextVar[bool]] = ContextVar("_RECORDED", default=False)
_CARRIERS: Final = frozenset({"recorder", "anyio", "trio", "uvloop", "truststore", "__main__"})
"""Modules between a library and its connection, beside the standard library's."""
_ASYNCHRONOUS: Final = ("aiohttp", "httpx")
"""Libraries whose connections may be made by the event loop, with none of their own frames on the stack."""


@contextmanager
def recorded() -> Iterator[None]:
    """A request is recorded: connections that it makes meanwhile, in this thread or task, are no loss."""
    token = _RECORDED.set(True)
    try:
        yield
    finally:
        _RECORDED.reset(token)


def watch(unrecorded: Unrecorded) -> Callable[[], None]:
    """Tell from now on of every connection to Tandem Source outside `recorded`; the result ends it."""
    wrap_socket, wrap_bio = ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio

    def look(host: str | bytes | None) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes) else host or ""
        if name.lower().rstrip(".") in HOSTS and not _RECORDED.get():
            unrecorded(_library())

    def socket_looked_at(  # noqa: PLR0917  # the signature of SSLContext
        self: ssl.SSLContext,
        sock: ssl.socket,  # type: ignore[name-defined]  # the class, as ssl itself names it
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        look(server_hostname)
        return wrap_socket(self, sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, server_hostname, session)

    def memory_looked_at(  # noqa: PLR0917  # the signature of SSLContext
        self: ssl.SSLContext,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        look(server_hostname)
        return wrap_bio(self, incoming, outgoing, server_side, server_hostname, session)

    ssl.SSLContext.wrap_socket = socket_looked_at  # type: ignore[method-assign]  # replacing it is what this is for
    ssl.SSLContext.wrap_bio = memory_looked_at  # type: ignore[method-assign]  # as above

    def end() -> None:
        ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio = wrap_socket, wrap_bio  # type: ignore[method-assign]  # as it was

    return end


def _library() -> str:
    """Whose connection this is: the library nearest to it on the stack."""
    frame = sys._getframe(1)  # noqa: SLF001  # `inspect.stack` reads the source of every frame
    above = frame.f_back
    while above is not None:
        module = str(above.f_globals.get("__name__"))
        package = module.partition(".")[0]
        if module == "http.client":
            return module
        if package not in _CARRIERS and package not in sys.stdlib_module_names:
            return package
        above = above.f_back
    return next((name for name in _ASYNCHRONOUS if name in sys.modules), "ssl")


def check(unrecorded: Mapping[str, int]) -> None:
    """Refuse a recording that lacks something.

    Raises:
        UsageError: connections to Tandem Source were made that were not recorded; `unrecorded` counts them by library.
    """
    if unrecorded:
        listed = ", ".join(f"{library} ({count})" for library, count in sorted(unrecorded.items()))
        raise UsageError(
            f"connections to Tandem Source were made that cannot be recorded, through {listed}; the cassette would lack what was "
            f"fetched over them, so nothing was written. Only {RECORDABLE} can be recorded: fetch it through one of these, or record "
            "your account without a program"
        )
