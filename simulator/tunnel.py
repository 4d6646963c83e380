"""One client's connection: CONNECT to a production host, TLS inside, then HTTP/1.1 as that host. Touches sockets."""

import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final

from simulator.service import Reply
from tfx.exchange import Headers, Request, Response

if TYPE_CHECKING:
    from simulator.proxy import Server

IDLE: Final = 60.0
"""Seconds an idle connection is kept."""
LARGEST_REQUEST: Final = 1_000_000
CHUNK: Final = 16_384
DROPS: Final = 25
"""Into how many drops a slow answer is cut."""
GONE: Final = (ConnectionError, TimeoutError, ssl.SSLError)
"""What a client that hangs up, falls silent or distrusts the certificate looks like from here."""
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST."""


class Outer(BaseHTTPRequestHandler):
    """The proxy's side: one CONNECT, for a production host and port 443; everything else is refused and counted."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE
    server: "Server"

    def do_CONNECT(self) -> None:  # http.server finds it by this name
        """Open the tunnel and serve what comes through it."""
        self.close_connection = True
        host, _, port = self.path.partition(":")
        context = self.server.contexts.get(host.lower())
        if context is None or port != "443":
            self.refuse()
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tls = context.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
        try:
            # From here the plain socket is an empty shell: hanging up must find this one instead.
            self.server.hold(tls)
            tls.do_handshake()
            Inner(tls, self.client_address, self.server, host.lower())
        except GONE:
            return
        finally:
            self.server.release(tls)
            tls.close()

    def refuse(self) -> None:
        """Turn away what is not Tandem Source: nothing passes through to anywhere."""
        self.close_connection = True
        self.server.ledger.refuse()
        body = b"The stand-in answers for Tandem Source over HTTPS and for nothing else.\n"
        head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.wfile.write(head.encode() + body)

    # http.server finds methods by these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = refuse  # noqa: N815

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
        wire = on_the_wire(reply.response, with_body=self.command != "HEAD")
        try:
            self.send(wire, reply)
        except GONE:
            self.close_connection = True

    # http.server finds methods by these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815

    def received(self) -> bytes | None:
        """The request body; None where its length is not told, wrong or too much."""
        if "Transfer-Encoding" in self.headers:
            return None
        told = self.headers.get("Content-Length", "0")
        if not told.isdecimal() or int(told) > LARGEST_REQUEST:
            return None
        body = self.rfile.read(int(told))
        return body if len(body) == int(told) else None

    def send(self, wire: "Wire", reply: Reply) -> None:
        """The answer, whole or as its fault has it."""
        if reply.transport is None:
            self.wfile.write(wire.head + wire.body)
            return
        if reply.transport == "drip":
            for drop in drops(wire):
                if self.server.stopping.wait(self.server.pause):
                    break
                self.wfile.write(drop)
            return
        self.close_connection = True
        if reply.transport == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        else:
            self.wfile.write(wire.head + wire.body[: len(wire.body) // 2] if wire.body else wire.head[: len(wire.head) // 2])

    def log_message(self, *_: object) -> None:
        """Nothing is logged: request lines carry identifiers."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Wire:
    """An answer as bytes: status line and headers, then the framed body."""

    head: bytes
    body: bytes


def on_the_wire(response: Response, *, with_body: bool = True) -> Wire:
    """The answer framed the way its headers say."""
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {value}" for name, value in response.headers)]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if not with_body:
        return Wire(head=head, body=b"")
    if "Transfer-Encoding" not in response.headers:
        return Wire(head=head, body=response.body)
    chunks = (response.body[at : at + CHUNK] for at in range(0, len(response.body), CHUNK))
    return Wire(head=head, body=b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n")


def drops(wire: Wire) -> Iterator[bytes]:
    """The same bytes in small pieces."""
    whole = wire.head + wire.body
    size = max(1, -(-len(whole) // DROPS))
    return (whole[at : at + size] for at in range(0, len(whole), size))
