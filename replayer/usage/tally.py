"""Count what one run used and missed, including what its child processes report, and the run's outcome."""

import threading
from collections.abc import Callable, Iterable, Mapping

from replayer.faults import Plan
from replayer.guard.hook import GUARD
from replayer.matching.index import Entry
from replayer.matching.words import label
from replayer.programs.child_processes import ChildReport
from replayer.stacks.caller import caller
from tandem.faults import Fault, never_met
from tfx.errors import MismatchError, NetworkBlockedError, UnusedError

__tracebackhide__ = True  # pytest --showlocals would print the live request


class Tally:
    """The used, the missed, the refused and the blocked of one run. Thread-safe; words in it hold no live value."""

    def __init__(self, name: str, entries: tuple[Entry, ...], plan: Plan, tell: Callable[[str, str], None] | None) -> None:
        self._name, self._entries, self._plan, self._teller = name, entries, plan, tell
        self._lock = threading.RLock()
        self._used: dict[int, str] = {}
        self._since = len(GUARD.attempts)
        self._misses: list[str] = []
        self._refused: dict[str, None] = {}
        self.child_report: ChildReport | None = None

    @property
    def misses(self) -> list[str]:
        """What was asked and is not on the cassette, in words, by processes this one started too."""
        self._hear()
        return self._misses

    @property
    def refused(self) -> tuple[str, ...]:
        """What was refused as the service refuses it (no token, no session), in words; no fault of a run."""
        self._hear()
        return tuple(self._refused)

    @property
    def used(self) -> tuple[int, ...]:
        """The numbers (from 1) of the exchanges that answered something, to processes this one started too."""
        self._hear()
        return tuple(sorted(self._used))

    @property
    def unused(self) -> tuple[int, ...]:
        """The numbers of the exchanges nobody asked for."""
        self._hear()
        return tuple(entry.number for entry in self._entries if entry.number not in self._used)

    @property
    def idle(self) -> tuple[str, ...]:
        """The faults that have not been used yet."""
        self._hear()
        return self._plan.idle

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults it was given."""
        return self._plan.faults

    @property
    def blocked(self) -> tuple[str, ...]:
        """Attempts to reach the network since this replay began, whoever made them."""
        self._hear()
        return tuple(GUARD.attempts[self._since :])

    def label(self, number: int) -> str:
        """Method, host and path template of an exchange."""
        return label(self._entries[number - 1].question)

    def labels(self) -> dict[int, str]:
        """What every exchange is called."""
        return {entry.number: label(entry.question) for entry in self._entries}

    def forgive(self) -> tuple[str, ...]:
        """Forget the misses and blocked attempts so far, and give the misses back: for tests that provoke them."""
        with self._lock:
            misses = tuple(self.misses)
            self.misses.clear()
            GUARD.forget(self._since)
        return misses

    def check(self, *, all_used: bool = False, idle: bool = True) -> None:
        """Let a clean run pass, even if the program swallowed what went wrong. `idle`: unused faults count.

        Raises:
            MismatchError: something was asked that is not on the cassette.
            NetworkBlockedError: something tried to reach the network.
            UnusedError: a fault was not used, or an exchange was not requested although `all_used` is set.
        """
        if self.misses:
            raise MismatchError(
                self.misses[0] if len(self.misses) == 1 else f"{len(self.misses)} requests missed; the first: {self.misses[0]}"
            )
        if self.blocked:
            times = "" if len(self.blocked) == 1 else f" {len(self.blocked)} times"
            raise NetworkBlockedError(f"replay is offline, and something tried{times} to {self.blocked[0]}")
        if idle and self._plan.idle:
            raise UnusedError(idle_words(self._plan.idle))
        if all_used and self.unused:
            first = self.unused[0]
            raise UnusedError(
                f"{len(self.unused)} of {len(self._entries)} exchanges on {self._name} were not asked for, the first is "
                f"#{first} {self.label(first)}; record without them, or ask for them"
            )

    def _tell(self, kind: str, words: str) -> None:
        # A forked process has this very replay, and nobody would know what it made of it.
        if self._teller:
            self._teller(kind, words)
        elif self.child_report:
            self.child_report.tell(kind, words)

    def _hear(self) -> None:
        """Add what child processes of this one have reported."""
        heard: Mapping[str, Callable[[str], object]] = {
            "used": lambda words: self._used.setdefault(int(words), "another process"),
            "miss": self._misses.append,
            "blocked": GUARD.attempts.append,
            "struck": self._plan.used_elsewhere.add,
            "refused": self._refused.setdefault,
        }
        if self.child_report:
            with self._lock:
                self.child_report.hear(lambda kind, words: heard.get(kind, len)(words))

    def _mark(self, number: int) -> None:
        if number not in self._used:
            self._used[number] = caller()
            self._tell("used", str(number))


def idle_words(idle: Iterable[str]) -> str:
    """The message about unused faults."""
    return never_met(idle, "the cassette")
