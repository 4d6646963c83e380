"""The stand-in on loopback: a proxy that any client is led to by HTTPS_PROXY and a certificate file. Touches sockets and one folder."""

import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread
from types import MappingProxyType
from typing import Final

from simulator.account import Account
from simulator.ca import Authority
from simulator.service import Reply, Service
from simulator.tunnel import GONE, Outer
from tandem.eras import CURRENT
from tandem.faults import Fault
from tandem.regions import HOSTS
from tfx.capture import Seen
from tfx.errors import UsageError
from tfx.exchange import Request

LOOPBACK: Final = "127.0.0.1"
PAUSE: Final = 0.02
"""Seconds between two drops of a slow answer."""


class Ledger:
    """What went through, without a secret: endpoints and statuses, refused requests by count, our own failures by name."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: list[tuple[str, str, int]] = []
        self._refused = 0
        self._failures: list[str] = []

    def enter(self, method: str, reply: Reply) -> None:
        """One request was answered."""
        with self._lock:
            self._requests.append((method, reply.endpoint, reply.response.status))

    def refuse(self) -> None:
        """One request was turned away."""
        with self._lock:
            self._refused += 1

    def fail(self, error: BaseException) -> None:
        """The stand-in itself failed; only the name of the exception is kept."""
        with self._lock:
            self._failures.append(type(error).__name__)

    def read(self) -> tuple[tuple[tuple[str, str, int], ...], int, tuple[str, ...]]:
        """Requests, refusals, failures, as of now."""
        with self._lock:
            return tuple(self._requests), self._refused, tuple(self._failures)


class Server(ThreadingMixIn, TCPServer):
    """A thread per connection. `hang_up` ends them all, after which closing joins every thread at once."""

    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = False

    def __init__(self, port: int, contexts: Mapping[str, ssl.SSLContext], reply: Callable[[Request], Reply], pause: float) -> None:
        self.contexts, self.reply, self.pause = contexts, reply, pause
        self.ledger = Ledger()
        self.stopping = Event()
        self._held: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((LOOPBACK, port), Outer)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """A new connection, held from its first moment."""
        connection, address = super().get_request()
        self.hold(connection)
        return connection, address

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
class StandIn:
    """A running stand-in. `environment` leads any client to it; `ca_file` holds the only certificate it needs to trust."""

    proxy_url: str
    ca_file: Path
    environment: Mapping[str, str]
    service: Service
    server: Server

    def __repr__(self) -> str:
        return f"StandIn({self.proxy_url})"

    @property
    def requests(self) -> tuple[tuple[str, str, int], ...]:
        """(method, endpoint name, status) of every request so far, in order of answering."""
        return self.server.ledger.read()[0]

    @property
    def refused(self) -> int:
        """How many requests were for somewhere else."""
        return self.server.ledger.read()[1]

    @property
    def failures(self) -> tuple[str, ...]:
        """Exceptions of the stand-in itself, by class name; empty unless it has a bug."""
        return self.server.ledger.read()[2]

    def secrets(self) -> tuple[Seen, ...]:
        """Every credential, cookie, code, token, id and name it gave out or holds: what must be found nowhere afterwards."""
        return self.service.secrets()


@contextmanager
def running(
    account: Account,
    *,
    era: str = CURRENT,
    region: str | None = None,
    now: datetime | Callable[[], datetime],
    faults: Sequence[Fault] = (),
    port: int = 0,
    pause: float = PAUSE,
) -> Iterator[StandIn]:
    """A stand-in on loopback for as long as the block lasts; port 0 takes any free one. UsageError if the port is taken.

    `now` is an aware instant, at which its clock then stands still, or a clock. At the end every connection is hung up on,
    every thread joined and the certificate file removed.
    """
    service = Service(account, era=era, region=region, now=now, faults=faults)
    with TemporaryDirectory(prefix="tfx-stand-in-") as folder:
        authority = Authority(HOSTS)
        ca_file = authority.write(Path(folder))
        try:
            server = Server(port, authority.contexts, service.reply, pause)
        except OSError as error:
            raise UsageError(f"cannot listen on {LOOPBACK} port {port} ({error.strerror}); choose another with --port") from error
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="tfx-stand-in")
        thread.start()
        proxy_url = f"http://{LOOPBACK}:{server.server_address[1]}"
        try:
            yield StandIn(
                proxy_url=proxy_url, ca_file=ca_file, environment=environment_of(proxy_url, ca_file), service=service, server=server
            )
        finally:
            server.shutdown()
            server.hang_up()
            thread.join()
            server.server_close()


def environment_of(proxy_url: str, ca_file: Path) -> Mapping[str, str]:
    """The standard variables that lead a client here: requests, urllib, httpx, curl, Go and Node read one or another."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy_url)
    # Empty, so that a list of exceptions from outside cannot lead around the stand-in to the live service.
    exceptions = dict.fromkeys(("NO_PROXY", "no_proxy"), "")
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), str(ca_file))
    return MappingProxyType(proxies | exceptions | trust)
