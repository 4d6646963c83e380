"""Serve internet host names on loopback: a proxy for HTTPS_PROXY, and a certificate file. Touches sockets and one folder.

The function that answers is passed in; nothing is ever forwarded. The stand-in answers as the service would, a replay as it did.
"""

import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Event, Lock, Thread
from types import MappingProxyType
from typing import Final

from tfx.authority import Authority
from tfx.errors import UsageError
from tfx.exchange import Request
from tfx.scratch import scratch
from tfx.tunnel import GONE, Outer, Reply

LOOPBACK: Final = "127.0.0.1"
MOST: Final = 256
"""Connections served at once; the next one waits until one of them ends."""
_WAIT: Final = 0.05  # seconds between two looks whether all is over
_NODE: Final = Path(__file__).with_name("node.cjs")


class Ledger:
    """What went through, without a secret: endpoints and statuses, refused hosts, our own failures by name."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: list[tuple[str, str, int]] = []
        self._refused: list[tuple[str, int | None]] = []
        self._failures: list[str] = []

    def __repr__(self) -> str:
        return f"Ledger({len(self._requests)} requests, {len(self._refused)} refused)"

    def enter(self, method: str, reply: Reply) -> None:
        """One request was answered."""
        with self._lock:
            self._requests.append((method, reply.endpoint, reply.response.status))

    def refuse(self, host: str, port: int | None) -> None:
        """One request was turned away; the host may be somebody's own, so it is kept in memory and printed by nobody."""
        with self._lock:
            self._refused.append((host, port))

    def fail(self, error: BaseException) -> None:
        """What answers failed itself; only the name of the exception is kept."""
        with self._lock:
            self._failures.append(type(error).__name__)

    @property
    def requests(self) -> tuple[tuple[str, str, int], ...]:
        """(method, endpoint name, status) of every request so far, in order of answering."""
        with self._lock:
            return tuple(self._requests)

    @property
    def refused(self) -> tuple[tuple[str, int | None], ...]:
        """Host and port of every request for somewhere else; no host where it named none that can be read."""
        with self._lock:
            return tuple(self._refused)

    @property
    def failures(self) -> tuple[str, ...]:
        """Exceptions of what answers, by class name; empty unless it has a bug."""
        with self._lock:
            return tuple(self._failures)


class Server(ThreadingMixIn, TCPServer):
    """A thread per connection. `hang_up` ends them all, after which closing joins every thread at once."""

    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = False

    def __init__(
        self, at: int | socket.socket, contexts: Mapping[str, ssl.SSLContext], reply: Callable[[Request], Reply], *, name: str, pause: float
    ) -> None:
        """`at` is a port (0: any free one) or a socket that listens already; `pause` the seconds between two drops of a slow answer."""
        self.contexts, self.reply, self.name, self.pause = contexts, reply, name, pause
        self.ledger = Ledger()
        self.stopping = Event()
        self._held: set[socket.socket] = set()
        self._lock = Lock()
        self._places = BoundedSemaphore(MOST)
        given = at if isinstance(at, socket.socket) else None
        super().__init__((LOOPBACK, at if isinstance(at, int) else 0), Outer, bind_and_activate=given is None)
        if given is not None:
            self.socket.close()
            self.socket, self.server_address = given, given.getsockname()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """A new connection, held from its first moment."""
        connection, address = super().get_request()
        try:
            self.hold(connection)
        except ConnectionError:
            connection.close()
            raise
        return connection, address

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """A thread for it, as soon as there is a place."""
        while not self._places.acquire(timeout=_WAIT):
            if self.stopping.is_set():
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve it, and leave the place to the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def hold(self, connection: socket.socket) -> None:
        """Remember a connection to hang up on; ConnectionError if that has happened already."""
        with self._lock:
            if self.stopping.is_set():
                raise ConnectionAbortedError
            self._held.add(connection)

    def release(self, connection: socket.socket) -> None:
        """That connection is over."""
        with self._lock:
            self._held.discard(connection)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """That connection is over."""
        assert isinstance(request, socket.socket)
        self.release(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every open connection, whatever its thread waits for."""
        with self._lock:
            self.stopping.set()
            for connection in self._held:
                try:
                    # Not SSLSocket's own shutdown: that one takes the TLS layer away under the reading thread.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was first

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nothing; anything else is a failure of ours, kept by name and never printed."""
        del request, client_address
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, GONE):
            self.ledger.fail(error)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Loopback:
    """A running proxy. `environment` leads any client to it; `ca_file` holds the only certificate it needs to trust."""

    proxy_url: str
    ca_file: Path
    environment: Mapping[str, str]
    server: Server
    authority: Authority

    @property
    def ledger(self) -> Ledger:
        """What went through."""
        return self.server.ledger


@contextmanager
def answering(
    hosts: Iterable[str],
    reply: Callable[[Request], Reply],
    *,
    name: str,
    at: int | socket.socket = 0,
    pause: float = 0.02,
) -> Iterator[Loopback]:
    """These hosts on loopback for as long as the block lasts; UsageError if the port is taken.

    `name` is who speaks, for its certificate and its refusals. At the end every connection is hung up on, every thread joined and
    the certificate file removed.
    """
    with scratch("loopback") as folder:
        authority = Authority(hosts, name=name)
        ca_file = authority.write(folder)
        try:
            server = Server(at, authority.contexts, reply, name=name, pause=pause)
        except OSError as error:
            raise UsageError(f"cannot listen on {LOOPBACK} port {at} ({error.strerror}); choose another with --port") from error
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="tfx-loopback")
        thread.start()
        proxy_url = f"http://{LOOPBACK}:{server.server_address[1]}"
        try:
            environment = environment_of(proxy_url, ca_file)
            yield Loopback(proxy_url=proxy_url, ca_file=ca_file, environment=environment, server=server, authority=authority)
        finally:
            # First, for the accepting thread may wait for a place.
            server.hang_up()
            server.shutdown()
            thread.join()
            server.server_close()


def environment_of(proxy_url: str, ca_file: Path) -> Mapping[str, str]:
    """The standard variables that lead a client here: requests, urllib, httpx, curl, Go, Ruby, Node and Deno read one or another."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy_url)
    # Empty, so that a list of exceptions from outside cannot lead around the proxy to the live service.
    exceptions = dict.fromkeys(("NO_PROXY", "no_proxy"), "")
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "DENO_CERT"), str(ca_file))
    # Node reads the proxy's variables from version 24 on, and only if NODE_USE_ENV_PROXY is set.
    return MappingProxyType(proxies | exceptions | trust | {"NODE_USE_ENV_PROXY": "1"})


def options_of_runtimes(loopback: Loopback, plain: Mapping[str, str]) -> dict[str, str]:
    """What leads Node of any version and Java here, which read no such variables: options of theirs, after those `plain` holds already."""
    node = f'{plain.get("NODE_OPTIONS", "")} --require "{_NODE}"'.strip()
    store = loopback.authority.write_for_java(loopback.ca_file.parent)
    host, _, port = loopback.proxy_url.removeprefix("http://").partition(":")
    proxy = {"https.proxyHost": host, "https.proxyPort": port}
    java = {**proxy, "javax.net.ssl.trustStore": store, "javax.net.ssl.trustStorePassword": "changeit"}
    said = " ".join(f"-D{name}={value}" for name, value in java.items())
    return {"NODE_OPTIONS": node} | ({"JAVA_TOOL_OPTIONS": f"{plain.get('JAVA_TOOL_OPTIONS', '')} {said}".strip()} if store else {})
