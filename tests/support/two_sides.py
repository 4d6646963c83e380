"""A server on loopback and a cassette that give the same bytes: no HTTP library may see a difference."""

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from replayer.session import offline
from replayer.stacks.answers import wire_bytes
from tfx.cassette import Cassette
from tfx.codec import encoded
from tfx.exchange import Exchange, Headers, Request, Response

TEXT = Headers([("Content-Type", "text/plain; charset=iso-8859-1")])
GZIP = Headers([("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")])
BODY = b'{"name": "t:slim X2\xe2\x84\xa2"}' * 3000

_ANSWERS: dict[str, Response] = {
    "/plain": Response(status=200, reason="Fine By Me", headers=TEXT, body="é".encode("latin-1")),
    "/lines": Response(status=200, reason="OK", headers=Headers([("Content-Type", "text/plain")]), body=b"one\ntwo\r\nthree"),
    "/empty": Response(status=204, reason="No Content"),
    "/none": Response(status=200, reason="", headers=Headers([("Content-Length", "0")])),
    "/chunked": Response(
        status=200, reason="OK", headers=Headers([("Transfer-Encoding", "chunked"), ("Content-Type", "text/html")]), body=b"<html>" * 999
    ),
    "/gzip": Response(status=200, reason="OK", headers=GZIP, body=encoded(GZIP, BODY)),
    "/binary": Response(status=200, reason="OK", headers=Headers([("Content-Type", "image/png")]), body=bytes(range(256)) * 99),
    "/moved": Response(status=302, reason="Found", headers=Headers([("Location", "/cookies?a=1"), ("Set-Cookie", "hop=1; Path=/")])),
    "/cookies?a=1": Response(
        status=200,
        reason="OK",
        headers=Headers(
            [
                ("Set-Cookie", "one=1; Path=/; HttpOnly"),
                ("set-cookie", "two=2, and more; Max-Age=3600; Path=/"),
                ("X-Twice", "a"),
                ("x-twice", "b"),
            ]
        ),
        body=b"hello",
    ),
    "/denied": Response(status=401, reason="Unauthorized", headers=Headers([("WWW-Authenticate", "Bearer")]), body=b"no"),
    "/broken": Response(status=500, reason="Oh No", headers=TEXT, body=b"trace"),
}


def with_length(response: Response) -> Response:
    if response.status == 204 or "transfer-encoding" in response.headers:
        return response
    return Response(
        status=response.status,
        reason=response.reason,
        headers=response.headers.replacing("Content-Length", str(len(response.body))),
        body=response.body,
    )


ANSWERS = {path: with_length(response) for path, response in _ANSWERS.items()}
PATHS = tuple(ANSWERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A base URL, and how to be there."""

    url: str
    there: Callable[[], contextlib.AbstractContextManager[object]]


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that stops in the middle
            self.answer()

    def answer(self) -> None:
        # Kept alive, as every HTTP/1.1 answer that does not say otherwise.
        while line := self.rfile.readline():
            method, target, _ = line.decode().split(" ", 2)
            length = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                length = int(value) if name.lower() == "content-length" else length
            self.rfile.read(length)
            self.wfile.write(wire_bytes(ANSWERS[target], method))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def serving() -> Iterator[Side]:
    """The live side."""
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Side(url=f"http://127.0.0.1:{server.server_address[1]}", there=contextlib.nullcontext)
        server.shutdown()
        thread.join()


def recorded(live: Side) -> Side:
    """The same URLs, from a cassette; nothing listens for them any more than the network would."""
    exchanges = [
        Exchange(
            request=Request(method=method, url=live.url + path, headers=Headers([("Accept-Encoding", "gzip, deflate")])), response=response
        )
        for path, response in ANSWERS.items()
        for method in ("GET", "HEAD")
        for _ in range(8)
    ]
    cassette = Cassette(
        name="stacks", era="2026-10", region="us", clock=datetime(2024, 7, 1, tzinfo=UTC), policy=1, exchanges=tuple(exchanges)
    )
    return Side(url=live.url, there=lambda: offline(cassette))
