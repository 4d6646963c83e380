"""The inside of `tfx replay`: set up replay in a process, and in every Python process it starts, before its first line.

The parent passes its orders in the environment and reads the events from a file, one line each, at once. So it learns of a miss that
the program swallowed, of one in a grandchild, and of everything before a kill. The lines hold no live value.
"""

import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack, cast

from tandem.clients import without_caches

if TYPE_CHECKING:
    from replayer.guard.ways import Player
    from replayer.replay import Replay
    from tfx.exchange import Request, Response

CASSETTE: Final = "TFX_REPLAY_CASSETTE"
REPORT: Final = "TFX_REPLAY_REPORT"
FREEZE: Final = "TFX_REPLAY_FREEZE"
VIRTUAL: Final = "TFX_REPLAY_VIRTUAL_CLOCK"
FAULTS: Final = "TFX_REPLAY_FAULTS"
ERA: Final = "TFX_REPLAY_AS_ERA"
STRICT: Final = "TFX_REPLAY_STRICT_WINDOWS"
SIGNED_IN: Final = "TFX_REPLAY_SIGNED_IN"
PROGRAMS: Final = "TFX_REPLAY_ALLOW_PROGRAMS"
ALLOWED: Final = "TFX_REPLAY_ALLOW_HOSTS"
PLAYER: Final = "TFX_REPLAY_PLAYER"
NAMES: Final = (CASSETTE, REPORT, FREEZE, VIRTUAL, FAULTS, ERA, STRICT, SIGNED_IN, PROGRAMS, ALLOWED, PLAYER)
BOOTSTRAP: Final = Path(__file__).with_name("bootstrap")


_GIVEN: Final[dict[str, str]] = {}
"""What the environment said when this process began: a program may empty its own, and must not lose its report with it."""


def activate() -> None:
    """Block the network and lead every HTTP stack to the cassette, for as long as this process lives."""
    from replayer.guard.hook import GUARD
    from replayer.stacks import patches

    _GIVEN.update({name: os.environ[name] for name in NAMES if name in os.environ})
    GUARD.install()
    GUARD.player = cast("Player", _GIVEN.get(PLAYER, "program"))
    GUARD.allow(filter(None, _GIVEN.get(ALLOWED, "").split("\n")))
    GUARD.watch(filter(None, _GIVEN.get(PROGRAMS, "").split(os.pathsep)))
    GUARD.listen(lambda attempt: tell("blocked", attempt))
    later = _Later()
    patches.start(later.answer, later.holds)
    tell("on", str(os.getpid()))
    if _GIVEN.get(FREEZE) or _GIVEN.get(VIRTUAL):
        from replayer import clock
        from tfx.store import load

        clock.start(load(cassettes_of(_GIVEN)[0]).clock if _GIVEN.get(FREEZE) else None, virtual=bool(_GIVEN.get(VIRTUAL)))


class _Later:
    """The replay, made at the first request: most processes never make one."""

    __slots__ = ("_lock", "_replay")

    def __init__(self) -> None:
        self._replay: Replay | None = None
        self._unlock()
        if hasattr(os, "register_at_fork"):
            # The thread that was making the replay is not there in a forked process, which would wait for it for ever.
            os.register_at_fork(after_in_child=self._unlock)

    def _unlock(self) -> None:
        self._lock = threading.Lock()

    def answer(self, request: "Request") -> "Response":
        """What the cassette says."""
        return (self._replay or self._first()).answer(request)

    def holds(self, url: str) -> bool:
        """Whether the cassette has anything of that host; asked only of one that the guard lets through."""
        return (self._replay or self._first()).holds(url)

    def _first(self) -> "Replay":
        # Threads that ask first all at once must ask the same replay: each of several would answer each exchange.
        with self._lock:
            self._replay = replay = self._replay or _made()
        return replay


def _made() -> "Replay":
    """The replay that the environment tells of."""
    from replayer.replay import Replay
    from tfx.store import opened

    strict, signed_in = bool(_GIVEN.get(STRICT)), bool(_GIVEN.get(SIGNED_IN))
    era = _GIVEN.get(ERA) or None
    front, *behind = map(opened, cassettes_of(_GIVEN))
    found: Replay | None = None
    for one in reversed(behind):
        found = Replay(one, strict_windows=strict, signed_in=signed_in, behind=found)
    faults = _GIVEN.get(FAULTS, "").split()
    replay = Replay(front, strict_windows=strict, faults=faults, as_era=era, signed_in=signed_in, behind=found, tell=tell)
    if _GIVEN.get(REPORT):
        replay.credentials.share(Path(_GIVEN[REPORT]))
    return replay


def cassettes_of(environment: Mapping[str, str]) -> list[Path]:
    """The files a process plays, the first in front of the others."""
    return [Path(name) for name in environment[CASSETTE].split(os.pathsep)]


def tell(kind: str, words: str, report: Path | None = None) -> None:
    """One line to the parent, by this file. A single write to a file opened for appending stays whole among processes."""
    path = report or _GIVEN.get(REPORT) or os.environ.get(REPORT)
    if path:
        line = (json.dumps([kind, words]) + "\n").encode()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


class Options(TypedDict, total=False):
    """How the cassette is to be played, as `session.offline` takes it.

    `programs` and `allowed` are base names and hosts let through, `player` says whose words a message uses (`guard/ways.py`).
    """

    freeze: bool
    strict_windows: bool
    signed_in: bool
    virtual_clock: bool
    faults: Iterable[str]
    as_era: str | None
    programs: Iterable[str]
    allowed: Iterable[str]
    player: str


def environment(plain: Mapping[str, str], *, cassettes: Iterable[Path], report: Path, **options: Unpack[Options]) -> dict[str, str]:
    """The environment that leads a Python process, and its children, to these cassettes, the first in front; proxies are gone from it."""
    kept = {name: value for name, value in without_caches(plain).items() if not name.lower().endswith("_proxy") and name not in NAMES}
    path = [str(BOOTSTRAP), *filter(None, [kept.get("PYTHONPATH"), _own_folder()])]
    flags = {
        FREEZE: options.get("freeze"),
        STRICT: options.get("strict_windows"),
        SIGNED_IN: options.get("signed_in"),
        VIRTUAL: options.get("virtual_clock"),
    }
    lists = {
        PROGRAMS: os.pathsep.join(options.get("programs", ())),
        ALLOWED: "\n".join(options.get("allowed", ())),
        FAULTS: " ".join(options.get("faults", ())),
        ERA: options.get("as_era") or "",
        PLAYER: options.get("player", ""),
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        CASSETTE: os.pathsep.join(str(one.resolve()) for one in cassettes),
        REPORT: str(report),
        # requests walks the environment at every request: nothing stands there for nothing.
        **{name: words for name, words in lists.items() if words},
        **{name: "1" for name, wanted in flags.items() if wanted},
    }


def _own_folder() -> str | None:
    """Where tfx itself is imported from, if that is no site-packages every child finds by itself."""
    folder = str(Path(__file__).parents[2])
    return None if "site-packages" in folder or folder not in sys.path else folder
