"""Write HTTP/1.1 messages as bytes: responses as a server, requests as a client. Pure."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from tfx.exchange import Headers, Request, Response

LINE: Final = 8192
"""The longest line of a chunked body that is read."""

CHUNK: Final = 16_384
DROPS: Final = 25
"""Into how many drops a slow answer is cut."""
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}[ \t]*(\r\n)?")
"""The size of a chunk (RFC 9112 7.1): `int` alone would take a sign, `0x` and underscores, which another server reads otherwise."""
NO_BODY: Final = frozenset({204, 304})
"""Statuses whose answers have none (RFC 9110 6.4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Wire:
    """An answer as bytes: status line and headers, then the framed body."""

    head: bytes
    body: bytes


def on_the_wire(response: Response, method: str = "GET") -> Wire:
    """The answer framed the way its headers say, with a body as far as HTTP lets one be sent."""
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {value}" for name, value in response.headers)]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    body = sent_body(response, method)
    if method == "HEAD" or "chunked" not in response.headers.get("Transfer-Encoding").lower():
        return Wire(head=head, body=body)
    chunks = (body[at : at + CHUNK] for at in range(0, len(body), CHUNK))
    return Wire(head=head, body=b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n")


def sent_body(response: Response, method: str) -> bytes:
    """The body as far as HTTP lets one be sent."""
    return b"" if method == "HEAD" or response.status in NO_BODY else response.body


def drops(wire: Wire) -> Iterator[bytes]:
    """The same bytes in small pieces."""
    whole = wire.head + wire.body
    size = max(1, -(-len(whole) // DROPS))
    return (whole[at : at + size] for at in range(0, len(whole), size))


class Readable(Protocol):
    """As much of a file as a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Up to this many bytes."""

    def readline(self, size: int, /) -> bytes:
        """A line, its end included."""


def unchunked(file: Readable, most: int) -> bytes | None:
    """A body in chunks; None if it is not whole, no chunks at all, or more than `most` bytes. Trailers are dropped."""
    body = b""
    while True:
        size, _, _ = file.readline(LINE).partition(b";")
        if not _SIZE.fullmatch(size):
            return None
        length = int(size, 16)
        if len(body) + length > most:
            return None
        if length == 0:
            break
        piece = file.read(length)
        if len(piece) < length or file.readline(LINE) != b"\r\n":
            return None
        body += piece
    while (line := file.readline(LINE)) not in (b"\r\n", b"\n"):
        if not line:
            return None
    return body


def request_of(sent: bytes, origin: str) -> Request | None:
    """The request a client has sent to this origin (`https://host`, a port if it is an odd one); None while it is not whole."""
    head, end, rest = sent.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = Headers((name, value.strip()) for name, _, value in pairs)
    if "Transfer-Encoding" in headers:
        body = unchunked(io.BytesIO(rest), len(rest))
    else:
        length = int(headers.get("Content-Length") or 0)
        body = rest[:length] if len(rest) >= length else None
    if body is None:
        return None
    # A client that believes in a proxy for plain HTTP sends the whole URL.
    return Request(method=method, url=target if "://" in target.partition("?")[0] else origin + target, headers=headers, body=body)
