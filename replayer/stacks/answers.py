"""Build the response object of each HTTP library from a recorded response. Pure; no sockets.

requests gets a real `urllib3.HTTPResponse` (raw, stream, iter_content, reason and decoding are urllib3's own), `urllib.request` a real
`http.client.HTTPResponse` parsed from the bytes a server would send, httpx its own Response.
"""

import io
from functools import cache
from http.client import HTTPMessage, HTTPResponse
from socket import socket
from typing import TYPE_CHECKING, cast

from tfx.exchange import Headers, Response
from tfx.wire import on_the_wire, sent_body

__tracebackhide__ = True  # pytest --showlocals would print the live request

if TYPE_CHECKING:
    import httpx
    import urllib3


class Original:
    """What urllib3 keeps of http.client's response, as far as requests looks at it: the header lines, for cookies."""

    __slots__ = ("msg",)

    def __init__(self, headers: Headers) -> None:
        self.msg = HTTPMessage()
        for name, value in headers:
            if name.lower().startswith("set-cookie"):
                self.msg[name] = value

    def isclosed(self) -> bool:
        """There was never a connection."""
        return True

    def close(self) -> None:
        """There is nothing to close."""


class Body(io.BytesIO):
    """The wire body; like a socket's it can be read after it is closed, and then gives nothing."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        return b"" if self.closed else super().read(size)


def urllib3_response(response: Response, method: str, url: str) -> "urllib3.HTTPResponse":
    """As `HTTPConnectionPool.urlopen(preload_content=False, decode_content=False)` gives it."""
    import urllib3
    from urllib3._collections import HTTPHeaderDict  # where 1.26 has it, too

    headers = HTTPHeaderDict()
    for name, value in response.headers:
        headers.add(name, value)
    original = Original(response.headers) if "set-cookie" in response.headers else None
    found = urllib3.HTTPResponse(
        body=Body(sent_body(response, method)),
        headers=headers,
        status=response.status,
        version=11,
        reason=response.reason,
        preload_content=False,
        decode_content=False,
        original_response=cast("HTTPResponse | None", original),
        request_method=method,
        # As live, where only the path goes over the wire; and requests' own default, which leaves trying again to the session.
        request_url=_target(url),
        retries=_no_retries(),
    )
    # Set, not handed in: urllib3 1.26 does not know it.
    found.version_string = "HTTP/1.1"
    return found


@cache
def _no_retries() -> "urllib3.Retry":
    import urllib3

    return urllib3.Retry(0, read=False)


def _target(url: str) -> str:
    _, _, rest = url.partition("://")
    slash = rest.find("/")
    return rest[slash:].partition("#")[0] if slash >= 0 else "/"


def http_client_response(response: Response, method: str, url: str) -> HTTPResponse:
    """As `http.client` parses it off the wire, with the attributes `urllib.request` adds."""
    found = HTTPResponse(cast("socket", Wire(wire_bytes(response, method))), method=method, url=url)
    found.begin()
    found.url = url
    # urllib.request documents its `msg` as the reason phrase.
    found.msg = found.reason  # type: ignore[assignment]  # typed as the header object it is before this
    return found


def httpx_response(response: Response, method: str) -> "httpx.Response":
    """As httpx's transports give it: the body still encoded; a stream both kinds of client can read."""
    import httpx

    return httpx.Response(
        response.status,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers],
        stream=httpx.ByteStream(sent_body(response, method)),
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": response.reason.encode("latin-1")},
    )


class Wire:
    """As much of a socket as `http.client` reads a response from."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        """The bytes as a file."""
        return io.BytesIO(self._data)


def wire_bytes(response: Response, method: str = "GET") -> bytes:
    """The response as a server sends it, chunked framing put back where it was recorded as chunked."""
    wire = on_the_wire(response, method)
    return wire.head + wire.body
