"""A response as the bytes a server sends. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tfx.exchange import Response

CHUNK: Final = 16_384
DROPS: Final = 25
"""Into how many drops a slow answer is cut."""
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
