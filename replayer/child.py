"""The inside of `tfx replay`: a process, and every Python process it starts, led to a cassette before its first line.

The parent says what to do in the environment and reads what happened from a file, one line an event, written at once: so it hears of
a miss the program swallowed, of one in a grandchild, and of all that came before a kill. Its lines hold no live value.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tandem.clients import without_caches

if TYPE_CHECKING:
    from replayer.session import Replay
    from tfx.exchange import Request, Response

CASSETTE: Final = "TFX_REPLAY_CASSETTE"
REPORT: Final = "TFX_REPLAY_REPORT"
FREEZE: Final = "TFX_REPLAY_FREEZE"
VIRTUAL: Final = "TFX_REPLAY_VIRTUAL_CLOCK"
FAULTS: Final = "TFX_REPLAY_FAULTS"
ERA: Final = "TFX_REPLAY_AS_ERA"
STRICT: Final = "TFX_REPLAY_STRICT_WINDOWS"
PROGRAMS: Final = "TFX_REPLAY_ALLOW_PROGRAMS"
BOOTSTRAP: Final = Path(__file__).with_name("bootstrap")


def activate() -> None:
    """Block the network and lead every HTTP stack to the cassette, for as long as this process lives."""
    from replayer import world
    from replayer.guard import GUARD

    GUARD.install()
    GUARD.watch(filter(None, os.environ.get(PROGRAMS, "").split(os.pathsep)))
    GUARD.listen(lambda attempt: tell("blocked", attempt))
    world.start(_Later().answer, lambda _url: True)
    tell("on", str(os.getpid()))
    if os.environ.get(FREEZE) or os.environ.get(VIRTUAL):
        from replayer import clock
        from tfx.store import load

        clock.start(load(Path(os.environ[CASSETTE])).clock if os.environ.get(FREEZE) else None, virtual=bool(os.environ.get(VIRTUAL)))


class _Later:
    """The replay, made at the first request: most processes never make one."""

    __slots__ = ("_replay",)

    def __init__(self) -> None:
        self._replay: Replay | None = None

    def answer(self, request: "Request") -> "Response":
        """What the cassette says."""
        if self._replay is None:
            from replayer.session import Replay
            from tfx.store import load

            cassette = load(Path(os.environ[CASSETTE]))
            faults = os.environ.get(FAULTS, "").split()
            self._replay = Replay(
                cassette, strict_windows=bool(os.environ.get(STRICT)), faults=faults, as_era=os.environ.get(ERA), tell=tell
            )
        return self._replay.answer(request)


def tell(kind: str, words: str) -> None:
    """One line to the parent. A single write to a file opened for appending stays whole among processes."""
    path = os.environ.get(REPORT)
    if path:
        line = (json.dumps([kind, words]) + "\n").encode()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


def environment(
    plain: Mapping[str, str],
    *,
    cassette: Path,
    report: Path,
    freeze: bool = False,
    strict_windows: bool = False,
    virtual_clock: bool = False,
    faults: Iterable[str] = (),
    as_era: str | None = None,
    programs: Iterable[str] = (),
) -> dict[str, str]:
    """The environment that leads a Python process, and its children, to the cassette; proxies are gone from it.

    `programs` are the base names of those that may be started without the guard.
    """
    kept = {name: value for name, value in without_caches(plain).items() if not name.lower().endswith("_proxy")}
    path = [str(BOOTSTRAP), *filter(None, [kept.get("PYTHONPATH"), _own_folder()])]
    said = {FREEZE: freeze, STRICT: strict_windows, VIRTUAL: virtual_clock}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        CASSETTE: str(cassette.resolve()),
        REPORT: str(report),
        PROGRAMS: os.pathsep.join(programs),
        FAULTS: " ".join(faults),
        **({ERA: as_era} if as_era else {}),
        **{name: "1" for name, wanted in said.items() if wanted},
    }


def _own_folder() -> str | None:
    """Where tfx itself is imported from, if that is no site-packages every child finds by itself."""
    folder = str(Path(__file__).parents[1])
    return None if "site-packages" in folder or folder not in sys.path else folder
