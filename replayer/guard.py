"""No way out to the network: an audit hook, so that it holds in every thread and below every library. The only module that installs it.

CPython asks its audit hooks before it connects, looks a name up or sends to an address, also where C code or a reference taken before
us does it; a hook that raises stops the call. A hook cannot be removed, so ours stays and does nothing while no guard is on.

Blocked: connect, connect_ex, sendto, sendmsg with an address, to Unix sockets too (behind one may be a proxy, or Docker), and every
look-up. Not blocked: netlink, socket pairs (asyncio), the Unix sockets in `_PYTHONS_OWN`, listening. Loopback and other Unix sockets
(`unix:/path`) only by allow-list. Attempts are counted even if the program swallows the error.

While a cassette plays, programs that would not carry the guard (`children.py`) are not started either. Beyond its reach: C code with
sockets of its own (DuckDB's HTTP client), what is called through ctypes, and processes that ran before.
"""

import mmap
import os
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from replayer.asker import asker
from replayer.children import EVENTS, unguarded
from tfx.errors import NetworkBlockedError

__tracebackhide__ = True  # pytest --showlocals would print the live request

LOOPBACK: Final = "loopback"
"""The allow-list entry for 127.0.0.0/8, ::1 and localhost, and for asking their names."""

_CALLS: Final = {
    "socket.connect": "connect to {}",
    "socket.sendto": "send a datagram to {} (sendto)",
    "socket.sendmsg": "send a datagram to {} (sendmsg)",
    "socket.getaddrinfo": "look up {} (getaddrinfo)",
    "socket.gethostbyname": "look up {} (gethostbyname)",
    "socket.gethostbyaddr": "look up the name of {} (gethostbyaddr)",
    "socket.getnameinfo": "look up the name of {} (getnameinfo)",
}
"""Audit event -> what is said of it, and of which host and port."""
_BACKWARDS: Final = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})
_LOCAL_FAMILIES: Final = frozenset(int(getattr(socket, name)) for name in ("AF_NETLINK", "AF_ALG") if hasattr(socket, name))
_UNIX: Final = int(getattr(socket, "AF_UNIX", -1))
_SOCKET: Final = "unix:"
"""What the allow-list entry of a Unix socket begins with; its path follows, for an abstract one `@` and its name."""
_PYTHONS_OWN: Final = (
    re.compile(r".*/pymp-[^/]+/listener-[^/]+"),  # multiprocessing: forkserver, managers and queues, in a temporary folder of its own
    re.compile(r"@listener-\d+-\d+"),  # the same, abstract, as newer Pythons prefer
)
"""Names of Unix sockets that Python itself makes and connects to."""
_OWN_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
"""Names every machine has for itself; what it is called besides, `socket.gethostname` says."""
_NO_HOST: Final = frozenset({"", "0.0.0.0", "::", "None"})  # noqa: S104  # "any address" of a listener, not a bind


class Guard:
    """The state behind the hook: how many guards are on, what they allow, and what was attempted."""

    __slots__ = (
        "_allowed",
        "_attempts",
        "_depth",
        "_forked",
        "_hooked",
        "_listener",
        "_lock",
        "_owner",
        "_prepare",
        "_programs",
        "_tellers",
        "_watching",
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._allowed: Counter[str] = Counter()
        self._programs: Counter[str] = Counter()
        self._watching = 0
        self._prepare: list[Callable[[], None]] = []
        self._depth = 0
        self._hooked = False
        self._listener: Callable[[str], None] = lambda _attempt: None
        self._attempts: list[str] = []
        self._tellers: list[Callable[[str], bool]] = []
        # One byte that forked processes share with the one that put the guard on.
        self._forked = mmap.mmap(-1, 1)
        self._owner = os.getpid()

    @property
    def attempts(self) -> list[str]:
        """What was attempted so far, by forked processes too (while no cassette plays without words: they can only count)."""
        if self._forked[0] and os.getpid() == self._owner:
            count, self._forked[0] = self._forked[0], 0
            self._attempts += ["reach out from a forked process"] * count
        return self._attempts

    @property
    def is_on(self) -> bool:
        """Whether the network is blocked now."""
        return self._depth > 0

    @property
    def is_mine(self) -> bool:
        """Whether this process put the guard on, and none that forked it."""
        return os.getpid() == self._owner

    def install(self) -> None:
        """Block the network until the matching `uninstall`; may nest."""
        with self._lock:
            self._depth += 1
            if not self._hooked:
                self._owner = os.getpid()
                sys.addaudithook(self._audit)
                self._hooked = True

    def uninstall(self) -> None:
        """Take one `install` back."""
        with self._lock:
            self._depth -= 1

    @contextmanager
    def allowing(self, hosts: Iterable[str]) -> Iterator[None]:
        """Let these hosts through meanwhile, in every thread: `loopback`, names, addresses or `unix:/path`."""
        names = [host.lower() for host in hosts]
        with self._lock:
            self._allowed.update(names)
        try:
            yield
        finally:
            with self._lock:
                self._allowed.subtract(names)

    @property
    def allowed(self) -> tuple[str, ...]:
        """What is let through now."""
        return tuple(name for name, times in self._allowed.items() if times > 0)

    def allow(self, hosts: Iterable[str]) -> None:
        """As `allowing`, for the rest of the process's life."""
        with self._lock:
            self._allowed.update(host.lower() for host in hosts)

    @contextmanager
    def watching(self, programs: Iterable[str] = (), prepare: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Refuse meanwhile to start programs that would not carry the guard, but for those with these base names.

        `prepare` is called before any program is started.
        """
        names = list(programs)
        self.watch(names)
        self._prepare.append(prepare)
        try:
            yield
        finally:
            self._prepare.remove(prepare)
            with self._lock:
                self._watching -= 1
                self._programs.subtract(names)

    def watch(self, programs: Iterable[str] = ()) -> None:
        """As `watching`, for the rest of the process's life."""
        with self._lock:
            self._watching += 1
            self._programs.update(programs)

    def forget(self, since: int) -> None:
        """Forget the attempts after the first `since`."""
        with self._lock:
            del self.attempts[since:]

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Forget the attempts made meanwhile: for tests that provoke them."""
        before = len(self.attempts)
        try:
            yield
        finally:
            self.forget(before)

    @contextmanager
    def told(self, teller: Callable[[str], bool]) -> Iterator[None]:
        """Meanwhile the words of an attempt go to `teller`, too, which says whether the process that put the guard on hears them by it."""
        self._tellers.append(teller)
        try:
            yield
        finally:
            self._tellers.remove(teller)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell somebody of every attempt at once."""
        self._listener = listener

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if event in _CALLS and self._depth:
            attempt = self._call(event, args)
            remedy = "Use requests, urllib.request, httpx, aiohttp, urllib3 or http.client, or allow loopback where a test needs it"
        elif event in EVENTS and self._watching:
            for prepare in self._prepare:
                prepare()
            attempt = self._start(event, args)
            remedy = (
                "Allow the program by name (tfx replay --allow-programs, in pytest the ini option tfx_allow_programs) if it may run unseen"
            )
        else:
            return
        # They may hold an environment or an address.
        del args
        if attempt is None:
            return
        attempt = f"{attempt}{_at(asker())}"
        self._attempts.append(attempt)
        told = [teller(attempt) for teller in self._tellers[-1:]]
        if os.getpid() != self._owner and not any(told):
            self._forked[0] = min(255, self._forked[0] + 1)
        self._listener(attempt)
        raise NetworkBlockedError(
            f"replay is offline, and something tried to {attempt}; only what is on the cassette is answered. {remedy}"
        )

    def _call(self, event: str, args: tuple[object, ...]) -> str | None:
        found = _target(event, args)
        return None if found is None or self.lets(found[0]) else _CALLS[event].format(place_words(*found))

    def _start(self, event: str, args: tuple[object, ...]) -> str | None:
        name = unguarded(event, args)
        return None if name is None or self._programs[name] > 0 else f"start {name}, which tfx cannot see into"

    @property
    def lets_any(self) -> bool:
        """Whether any host is let through now."""
        return any(count > 0 for count in self._allowed.values())

    def lets(self, host: str) -> bool:
        """Whether this host is let through."""
        return any(self._allowed[name] > 0 for name in ((LOOPBACK, host) if _is_loopback(host) else (host,)))


def _target(event: str, args: tuple[object, ...]) -> tuple[str, int | None] | None:
    """The host and port an audit event is about; None where it stays on this machine."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        family, address = getattr(args[0], "family", None), args[1]
        if family in _LOCAL_FAMILIES or address is None:
            return None
        if family == _UNIX:
            return _unix_socket(address)
        if isinstance(address, tuple) and len(address) > 1:
            return str(address[0]).lower(), address[1] if isinstance(address[1], int) else None
        return str(address).lower(), None
    host, port = args[0], args[1] if event == "socket.getaddrinfo" else None
    if event == "socket.getnameinfo" and isinstance(host, tuple):
        host, port = host[:2]
    name = host.decode("utf-8", "replace") if isinstance(host, bytes) else str(host)
    # A listener asks for its own loopback address; that leaves the machine as little as binding does. Which name an address has may be
    # asked of a server elsewhere, whatever the address.
    is_local = event not in _BACKWARDS and _is_loopback(name)
    return None if name in _NO_HOST or is_local or _is_own(name.lower()) else (name.lower(), port if isinstance(port, int) else None)


def _is_own(name: str) -> bool:
    """Whether a machine asks for itself (`socket.getfqdn`, mail and log libraries do): its own name is no way out."""
    mine = socket.gethostname().lower()
    return name in _OWN_NAMES or name in (mine, mine.partition(".")[0])


def _at(place: str) -> str:
    return f", at {place}" if place else ""


def _unix_socket(address: object) -> tuple[str, int | None] | None:
    path = os.fsdecode(address) if isinstance(address, str | bytes | os.PathLike) else str(address)
    path = path.replace("\0", "@", 1) if path.startswith("\0") else path
    return None if any(pattern.fullmatch(path) for pattern in _PYTHONS_OWN) else (f"{_SOCKET}{path}".lower(), None)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def place_words(host: str, port: int | None) -> str:
    """A host and port as a message may name them."""
    from tandem.regions import HOSTS  # the guard must be cheap to load

    if host.startswith(_SOCKET):
        return "a Unix socket"
    # Any other host may be somebody's own; it is not named.
    where = host if host in HOSTS else "loopback" if _is_loopback(host) else _shape(host)
    return where if port is None else f"{where}:{port}"


def _shape(host: str) -> str:
    for family, words in ((socket.AF_INET, "<IPv4 address>"), (socket.AF_INET6, "<IPv6 address>")):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return words
    return "<a host that is not Tandem Source's>"


GUARD: Final = Guard()
"""The process's one guard."""


@contextmanager
def blocked(allow: Iterable[str] = ()) -> Iterator[Guard]:
    """The network blocked process-wide while this lasts; `allow` may name hosts, or `loopback`."""
    GUARD.install()
    try:
        with GUARD.allowing(allow):
            yield GUARD
    finally:
        GUARD.uninstall()
