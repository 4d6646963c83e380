"""The network guard: an audit hook, so it works in every thread and below every library. The only module that installs it.

CPython asks its audit hooks before it connects, looks a name up or sends to an address, also where C code or a reference taken before
us does it; a hook that raises stops the call. A hook cannot be removed, so ours stays and does nothing while no guard is on.

Blocked: connect, connect_ex, sendto, sendmsg with an address, to Unix sockets too (behind one may be a proxy, or Docker), and every
look-up. Not blocked: netlink, socket pairs (asyncio), the Unix sockets in `_PYTHONS_OWN`, listening (but for
raw packet sockets, which send once they are bound). Loopback and other Unix sockets
(`unix:/path`) only by allow-list. Attempts are counted even if the program swallows the error.

Sub-interpreters are not made: they have hooks of their own, and so none. While a cassette plays, programs that would not carry the guard
(`children.py`) are not started either. Beyond its reach: C code with
sockets of its own (DuckDB's HTTP client), what is called through ctypes, and processes that ran before.
"""

import mmap
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from replayer.guard.children import EVENTS, unguarded
from replayer.guard.targets import CALLS, is_address, is_loopback, place_words, target
from replayer.guard.ways import Player, kind_of, way
from replayer.stacks.caller import caller
from tfx.errors import NetworkBlockedError

__tracebackhide__ = True  # pytest --showlocals would print the live request

LOOPBACK: Final = "loopback"
"""The allow-list entry for 127.0.0.0/8, ::1 and localhost, and for asking their names."""


INTERPRETER: Final = "tfx.interpreter"
"""The event of ours that says a sub-interpreter is asked for (`interpreters.py`)."""
_INTERPRETERS: Final = frozenset({INTERPRETER} | ({"cpython.PyInterpreterState_New"} if sys.version_info < (3, 12) else set()))
"""CPython's own event is of use in 3.11 alone: 3.12 crashes if a hook raises there, 3.13 asks nobody."""


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
        "_reports",
        "_watching",
        "player",
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
        self._reports: list[Callable[[str], bool]] = []
        # One byte that forked processes share with the one that put the guard on.
        self._forked = mmap.mmap(-1, 1)
        self._owner = os.getpid()
        self.player: Player = "offline"

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
    def reporting_to(self, report: Callable[[str], bool]) -> Iterator[None]:
        """Meanwhile the words of an attempt go to `report`, too, which says whether the process that put the guard on hears them by it."""
        self._reports.append(report)
        try:
            yield
        finally:
            self._reports.remove(report)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell somebody of every attempt at once."""
        self._listener = listener

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if event in CALLS and self._depth:
            attempt, remedy = self._call(event, args)
        elif event in EVENTS and self._watching:
            for prepare in self._prepare:
                prepare()
            attempt = self._start(event, args)
            remedy = (
                "Allow the program by name (tfx replay --allow-programs, in pytest the marker's allow_programs or the ini option "
                "tfx_allow_programs) if it may run unseen"
            )
        elif event in _INTERPRETERS and self._depth:
            # Audit hooks are an interpreter's own: one more would have none.
            attempt, remedy = "start a sub-interpreter, which tfx cannot see into", "Use threads or processes"
        else:
            return
        # They may hold an environment or an address.
        del args
        if attempt is None:
            return
        attempt += f", at {place}" if (place := caller()) else ""
        self._attempts.append(attempt)
        heard = [report(attempt) for report in self._reports[-1:]]
        if os.getpid() != self._owner and not any(heard):
            self._forked[0] = min(255, self._forked[0] + 1)
        self._listener(attempt)
        raise NetworkBlockedError(
            f"replay is offline, and something tried to {attempt}; only what is on the cassette is answered. {remedy}"
        )

    def _call(self, event: str, args: tuple[object, ...]) -> tuple[str | None, str]:
        """What the call would reach, if it may not, and what to do about it."""
        found = target(event, args)
        if found is None or self.lets(found[0]):
            return None, ""
        # Of an address there is nothing to look up: it is the first step of a connection.
        words = "reach {} (getaddrinfo)" if event == "socket.getaddrinfo" and is_address(found[0]) else CALLS[event]
        through = way(self.player, kind_of(found[0]))
        let = f". To let it through: {through}" if through else ""
        return words.format(place_words(*found)), f"Ask by requests, urllib.request, httpx, aiohttp, urllib3 or http.client{let}"

    def _start(self, event: str, args: tuple[object, ...]) -> str | None:
        name = unguarded(event, args)
        return None if name is None or self._programs[name] > 0 else f"start {name}, which tfx cannot see into"

    @property
    def lets_any(self) -> bool:
        """Whether any host is let through now."""
        return max(self._allowed.values(), default=0) > 0  # asked for every request: no generator

    def lets(self, host: str) -> bool:
        """Whether this host is let through."""
        return any(self._allowed[name] > 0 for name in ((LOOPBACK, host) if is_loopback(host) else (host,)))


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
