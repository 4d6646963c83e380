"""Python processes started during `offline()`: they get guard and cassette, and report through a file. Sets environment variables.

What `tfx replay` does for its program (`child.py`), `offline()` does for the processes its own program starts: subprocesses of this very
Python, and those of multiprocessing's "spawn" and "forkserver". A process that was running before is out of reach.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Unpack, cast

from replayer.programs import child
from replayer.stacks.patch import Switch, Undo
from tfx import store
from tfx.cassette import Cassette
from tfx.scratch import scratch

__tracebackhide__ = True  # environments hold live values

Heard = Callable[[str, str], object]


class ChildReport:
    """The file in which child processes say what they did. Read from where it was left off."""

    __slots__ = ("_at", "_owner", "_report")

    def __init__(self, report: Path) -> None:
        self._report, self._at, self._owner = report, 0, os.getpid()

    def tell(self, kind: str, words: str) -> bool:
        """A line of a process forked while this lasts; whether this is one."""
        if os.getpid() == self._owner:
            return False
        child.tell(kind, words, self._report)
        return True

    @property
    def report(self) -> Path:
        """The file."""
        return self._report

    def hear(self, heard: Heard) -> None:
        """Pass on what was reported since: a kind (`used`, `miss`, `blocked`, `struck`) and its words."""
        # A forked child has the parent's file, and must not take its lines from it.
        if os.getpid() != self._owner or not self._report.exists() or self._report.stat().st_size <= self._at:
            return
        with self._report.open("rb") as file:
            file.seek(self._at)
            lines = file.read().splitlines(keepends=True)
        for line in lines:
            if line.endswith(b"\n"):
                self._at += len(line)
                kind, words = json.loads(line)
                heard(kind, words)


@contextmanager
def carried_into_children(
    cassettes: Sequence[Cassette], **options: Unpack[child.Options]
) -> Iterator[tuple[ChildReport, Callable[[], None]]]:
    """The environment set so that Python processes carry guard and cassettes; also what must be done before one is started.

    The cassettes (public as they are) are written when the first process is about to start.
    """
    with scratch("children") as folder:
        report = folder / "report"
        report.touch(mode=0o600)
        missing = [(folder / str(number), cassette) for number, cassette in enumerate(cassettes)]
        paths = [store.path_of(cassette.name, place) for place, cassette in missing]

        def prepare() -> None:
            while missing:
                place, cassette = missing.pop()
                store.save(cassette, place)

        found = child.environment(os.environ, cassettes=paths, report=report, **options)
        with _environment({key: found.get(key) for key in ("PYTHONPATH", *child.NAMES)}):
            stop_forkserver()
            yield ChildReport(report), prepare
            # Whatever it forks later would carry this cassette still.
            stop_forkserver()


@contextmanager
def _environment(wanted: Mapping[str, str | None]) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in wanted}
    _put(wanted)
    try:
        yield
    finally:
        _put(before)


def _put(values: Mapping[str, str | None]) -> None:
    for key, value in values.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


def stop_forkserver() -> None:
    """End the process that multiprocessing's "forkserver" forks from, if there is one: the next one is born as things are then."""
    module = sys.modules.get("multiprocessing.forkserver")
    if module is not None:
        module._forkserver._stop()  # noqa: SLF001  # multiprocessing's own tests do so; there is no public way


def patch_fork_exec(module: ModuleType, switch: Switch) -> list[Undo]:
    """What starts processes below every audit event (multiprocessing's "spawn" asks it directly) raises one for each program it may try."""
    return [switch.replace(cast("type", module), "fork_exec", asking_first(module.fork_exec))]  # a module is as good an owner as a class


@contextmanager
def fork_exec_asking_first() -> Iterator[None]:
    """The same while no cassette plays."""
    import _posixsubprocess as module

    original = module.fork_exec
    module.fork_exec = asking_first(original)
    try:
        yield
    finally:
        module.fork_exec = original


def asking_first(original: Callable[..., int]) -> Callable[..., int]:
    """`fork_exec` with an audit event."""

    def fork_exec(args: Sequence[object], programs: Sequence[object], *rest: object) -> int:
        # CPython's own order: close_fds, pass_fds, cwd, env, and on.
        folder, given = rest[2], cast("Sequence[bytes] | None", rest[3])
        surroundings = None if given is None else dict(pair.split(b"=", 1) for pair in given)
        for program in programs:
            sys.audit("subprocess.Popen", program, args, folder, surroundings)
        return original(args, programs, *rest)

    return fork_exec
