"""Find the program that a command line means, and run a Python program offline. Starts processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Unpack

from replayer.guard.interpreter import WITHOUT_GUARD, is_this_python, shebang, shuts_out
from replayer.programs.child import Options, environment
from tfx.errors import UsageError
from tfx.interrupted import heard
from tfx.scratch import scratch

_DEATH_OF_PARENT: Final = 1  # PR_SET_PDEATHSIG of prctl(2)
_PYTHONS: Final = ("python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a program did: its exit code as a shell says it, the exchanges it used, what it missed, what was blocked."""

    code: int
    used: set[int] = field(default_factory=set)
    misses: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    """The faults that were never used."""
    refused: list[str] = field(default_factory=list)
    """What was refused as the service refuses it; no fault."""
    guarded: bool = False
    sealed: bool | None = None
    """Whether a program that is not Python ran in a network of its own; None for one that is, which tfx sees into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command line that can be started, and whether it is one of this Python's."""

    words: tuple[str, ...]
    is_python: bool


def command(words: Sequence[str]) -> Line:
    """What a command line starts: this interpreter for a `.py` file, `-m module`, `python ...` or a script that is for it.

    A Python named by its path, on the line or by a script, is that very one: it may be another environment's.

    Raises:
        UsageError: there is no such program, or it asks Python to start without tfx.
    """
    first, rest = words[0], list(words[1:])
    if first in _PYTHONS or is_this_python(Path(first)):
        return _python(*_guardable(rest))
    if first in ("-m", "-c"):
        return _python(first, *rest)
    is_script = first.endswith((".py", ".pyz"))
    try:
        found = first if is_script else _found(first)
        if found is None or not Path(found).is_file():
            raise UsageError(f"there is no program {first!r}; name a .py file, -m MODULE, a console script, or any program there is")
        if _is_source(Path(found)) if is_script else _is_for_this_python(Path(found)):
            return _python(found, *rest)
        if not os.access(found, os.X_OK):
            raise UsageError(f"{first} is not a Python program for {sys.executable}, nor any other that can be started; name one that can")
    except OSError as error:
        raise UsageError(f"the program {first} cannot be read ({error.strerror}); name one that can") from None
    return Line(words=(found, *rest), is_python=False)


def as_it_is(words: Sequence[str]) -> Line:
    """The same, but whatever can be started by itself is: the Python of another environment, too.

    Raises:
        UsageError: there is no such program.
    """
    found = None if words[0].endswith((".py", ".pyz")) else _found(words[0])
    return Line(words=(found, *words[1:]), is_python=False) if found and os.access(found, os.X_OK) else command(words)


def _python(*words: str) -> Line:
    return Line(words=(sys.executable, *words), is_python=True)


def _found(name: str) -> str | None:
    if os.sep in name or name in ("", os.curdir, os.pardir):
        return name
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else shutil.which(name)


def run(line: Line, *, cassette: Path, quiet: bool = False, **options: Unpack[Options]) -> Outcome:
    """Run a Python program offline until it ends. `quiet` sends what it prints to stderr, so that stdout is free for a report."""
    with scratch("replay") as folder:
        report = folder / "report"
        report.touch(mode=0o600)
        with subprocess.Popen(  # noqa: S603  # it is what the user asked to run
            line.words,
            env=environment(os.environ, cassettes=[cassette], report=report, **options),
            stdout=sys.stderr.fileno() if quiet else None,
            preexec_fn=_ends_with_us(),  # noqa: PLW1509  # one system call, nothing of Python's that a thread may hold
        ) as process:
            code = _wait(process)
        return _outcome(code, report, options.get("faults", ()))


def _ends_with_us() -> Callable[[], object] | None:
    """Linux only: a program must not run on, its report read by nobody, when tfx is killed without a word."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return None if prctl is None else partial(prctl, _DEATH_OF_PARENT, int(signal.SIGTERM))


def _wait(process: subprocess.Popen[bytes]) -> int:
    def pass_on(number: int) -> None:
        # Ctrl-C the terminal sent to the child as well; its answer is the outcome.
        if number == signal.SIGTERM:
            process.terminate()

    with heard(pass_on):
        return process.wait()


def _outcome(code: int, report: Path, faults: Iterable[str]) -> Outcome:
    outcome = Outcome(code=128 - code if code < 0 else code, idle=list(faults))
    lists = {"miss": outcome.misses, "blocked": outcome.blocked, "refused": outcome.refused}
    for line in report.read_text("utf-8").splitlines():
        kind, words = json.loads(line)
        if kind == "used":
            outcome.used.add(int(words))
        elif kind == "on":
            outcome.guarded = True
        elif kind == "struck":
            outcome.idle = [fault for fault in outcome.idle if fault != words]
        elif kind in lists:
            lists[kind].append(words)
    return outcome


def _guardable(options: list[str]) -> list[str]:
    option = shuts_out(options)
    if option is not None:
        raise UsageError(f"python {option} starts without tfx's guard; leave {', '.join(WITHOUT_GUARD)} out")
    return options


def _is_source(path: Path) -> bool:
    # Python refuses a NUL in a source file with a traceback of its own; an archive is full of them.
    return path.suffix == ".pyz" or b"\0" not in path.read_bytes()


def _is_for_this_python(path: Path) -> bool:
    words = shebang(path)
    if not words:
        return False
    if Path(words[0]).name == "env":
        # As on the command line: `python` without a path is the one that runs tfx.
        return any(word in _PYTHONS for word in words[1:])
    return is_this_python(Path(words[0]))
