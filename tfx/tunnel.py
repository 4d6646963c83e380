"""One client's connection to the proxy: CONNECT, TLS inside, then HTTP/1.1 as the requested host. Touches sockets.

A client that connects as if this were the host comes without CONNECT: its first bytes are TLS, and the handshake names the host.
"""

import socket
import ssl
import struct
from dataclasses import dataclass
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tfx.authority import by_name
from tfx.exchange import Headers, Request, Response
from tfx.wire import Wire, drops, on_the_wire, unchunked

if TYPE_CHECKING:
    from tfx.loopback import Server

IDLE: Final = 60.0
"""Seconds an idle connection is kept."""
HANDSHAKE: Final = 10.0
"""Seconds a client has to say what it wants and to shake hands."""
LARGEST_REQUEST: Final = 1_000_000
GONE: Final = (ConnectionError, TimeoutError, ssl.SSLError)
"""What a client that hangs up, falls silent or distrusts the certificate looks like from here."""
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST."""
TLS_HANDSHAKE: Final = b"\x16"
"""The first byte of a TLS connection (RFC 8446 5.1); none of an HTTP request."""
HTTPS: Final = 443
_TORN: Final = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)
"""Header lines that are none: what follows them, a length perhaps, was not read as headers. (A multipart type has defects of its own.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, the endpoint that gave it, and the fault that breaks it on its way, if any: `reset`, `truncated` or `drip`."""

    endpoint: str
    response: Response
    transport: str | None = None


class Outer(BaseHTTPRequestHandler):
    """The proxy's side: one CONNECT, for a production host and port 443; everything else is refused and counted."""

    protocol_version = "HTTP/1.1"
    timeout = HANDSHAKE
    server: "Server"

    def handle(self) -> None:
        """An HTTP request, or TLS right away."""
        if self.connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
            self.close_connection = True
            self.shake_hands(None)
        else:
            super().handle()

    def do_CONNECT(self) -> None:  # http.server finds it by this name
        """Open the tunnel and serve what comes through it."""
        self.close_connection = True
        host, _, port = self.path.rpartition(":")
        if host.lower() not in self.server.contexts or port != str(HTTPS):
            self.refuse()
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.shake_hands(host.lower())

    def shake_hands(self, host: str | None) -> None:
        """TLS as that host, or as the one the client names; then its requests."""
        named: list[str] = []
        context = self.server.contexts[host] if host else by_name(self.server.contexts, named.append)
        tls = context.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
        try:
            # From here the plain socket is an empty shell: hanging up must find this one instead.
            self.server.hold(tls)
            _handshake(tls)
            tls.settimeout(IDLE)
            Inner(tls, self.client_address, self.server, host or named[-1])
        except GONE:
            if named and named[-1] not in self.server.contexts:
                self.server.ledger.refuse(named[-1], HTTPS)
        finally:
            self.server.release(tls)
            tls.close()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no HTTP at all is for somewhere else, too."""
        del code, message, explain
        self.path = ""
        self.refuse()

    def refuse(self) -> None:
        """Turn away what is for somewhere else, or for no place there can be: nothing passes through to anywhere."""
        self.close_connection = True
        place = wanted(self.path)
        self.server.ledger.refuse(*(place or ("", None)))
        status = "403 Forbidden" if place else "400 Bad Request"
        body = f"{self.server.name} answers for Tandem Source over HTTPS and for nothing else.\n"
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.wfile.write((head + body).encode())

    # http.server finds methods by these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = refuse  # noqa: N815  # names that http.server calls

    def log_message(self, *_: object) -> None:
        """Nothing is logged: request lines carry identifiers."""


class Inner(BaseHTTPRequestHandler):
    """The service's side: HTTP/1.1 with keep-alive, as one host."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE
    disable_nagle_algorithm = True
    server: "Server"

    def __init__(self, connection: ssl.SSLSocket, client: tuple[str, int], server: "Server", host: str) -> None:
        self.host = host
        super().__init__(connection, client, server)

    def serve(self) -> None:
        """Answer one request."""
        body = self.received()
        if body is None or not self.path.startswith("/"):
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        headers = Headers((name, value) for name, value in self.headers.items())
        request = Request(method=self.command, url=f"https://{self.host}{self.path}", headers=headers, body=body)
        reply = self.server.reply(request)
        self.server.ledger.enter(self.command, reply)
        wire = on_the_wire(reply.response, self.command)
        if reply.response.headers.get("Connection").lower() == "close":
            self.close_connection = True
        try:
            self.send(wire, reply)
        except GONE:
            self.close_connection = True

    # http.server finds methods by these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815  # names that http.server calls

    def received(self) -> bytes | None:
        """The request body; None where its length is missing, given in two ways, wrong or too large (RFC 9112 6.3)."""
        codings, lengths = self.headers.get_all("Transfer-Encoding", []), set(self.headers.get_all("Content-Length", []))
        if any(isinstance(one, _TORN) for one in self.headers.defects) or len(lengths) + len(codings) > 1:
            return None
        if codings:
            return unchunked(self.rfile, LARGEST_REQUEST) if codings[0].strip().lower() == "chunked" else None
        told = next(iter(lengths), "0").strip()
        if not (told.isascii() and told.isdecimal()) or len(told) > len(str(LARGEST_REQUEST)) or int(told) > LARGEST_REQUEST:
            return None
        body = self.rfile.read(int(told))
        return body if len(body) == int(told) else None

    def send(self, wire: Wire, reply: Reply) -> None:
        """The answer, whole or as its fault has it."""
        kind, _, seconds = (reply.transport or "").partition("=")
        if kind in ("", "late"):
            self.server.stopping.wait(float(seconds or 0))
            self.wfile.write(wire.head + wire.body)
            return
        if kind == "drip":
            for drop in drops(wire):
                if self.server.stopping.wait(self.server.pause):
                    break
                self.wfile.write(drop)
            return
        self.close_connection = True
        if kind == "timeout":
            self.server.stopping.wait(IDLE)
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            self.wfile.write(wire.head + wire.body[: len(wire.body) // 2] if wire.body else wire.head[: len(wire.head) // 2])

    def log_message(self, *_: object) -> None:
        """Nothing is logged: request lines carry identifiers."""


def _handshake(tls: ssl.SSLSocket) -> None:
    try:
        tls.do_handshake()
    except OSError as error:
        # ENOTCONN, too, which is no ConnectionError: who connects and goes away at once has asked for nothing.
        raise ConnectionAbortedError from error


def wanted(target: str) -> tuple[str, int | None] | None:
    """The host and port a request to a proxy is for: an authority after CONNECT, otherwise an absolute URL. None if it cannot be read."""
    try:
        parts = urlsplit(target if "://" in target else f"//{target}")
        return parts.hostname or "", parts.port or {"http": 80, "https": HTTPS}.get(parts.scheme)
    except ValueError:
        return None
