"""Which Python program a command line means, and running it offline: the module that starts processes."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from replayer.child import environment
from tfx.errors import UsageError

_SCRIPT_START: Final = 200
_PYTHONS: Final = ("python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}")
_WITHOUT_GUARD: Final = ("-I", "-E", "-S")
"""Options of Python that shut the bootstrap out."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a program did: its exit code as a shell says it, the exchanges it used, what it missed, what was blocked."""

    code: int
    used: set[int] = field(default_factory=set)
    misses: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    guarded: bool = False


def command(words: Sequence[str]) -> list[str]:
    """The command line of the same interpreter for a `.py` file, `-m module`, `python ...`, or a console script written in Python.

    Raises:
        UsageError: it is none of these, or asks Python to start without tfx.
    """
    first, rest = words[0], list(words[1:])
    if Path(first).name in _PYTHONS or first == sys.executable:
        return [sys.executable, *_guardable(rest)]
    if first in ("-m", "-c"):
        return [sys.executable, first, *rest]
    if first.endswith((".py", ".pyz")):
        if not Path(first).is_file():
            raise UsageError(f"there is no program {first}; name a .py file, -m MODULE, or a console script written in Python")
        return [sys.executable, first, *rest]
    beside = Path(sys.executable).with_name(first)
    found = first if os.sep in first else str(beside) if beside.is_file() else shutil.which(first)
    if found is None or not Path(found).is_file():
        raise UsageError(f"there is no program {first}; name a .py file, -m MODULE, or a console script written in Python")
    if not _is_python(Path(found)):
        raise UsageError(f"{first} is not a Python program, and only Python programs can be replayed to so far")
    return [sys.executable, found, *rest]


def run(words: Sequence[str], *, cassette: Path, freeze: bool = False, strict_windows: bool = False, quiet: bool = False) -> Outcome:
    """Run the program offline until it ends. `quiet` sends what it prints to stderr, so that stdout is free for a report."""
    line = command(words)
    with tempfile.TemporaryDirectory(prefix="tfx-replay-") as folder:
        report = Path(folder) / "report"
        report.touch(mode=0o600)
        surroundings = environment(os.environ, cassette=cassette, report=report, freeze=freeze, strict_windows=strict_windows)
        with subprocess.Popen(line, env=surroundings, stdout=sys.stderr.fileno() if quiet else None) as process:  # noqa: S603  # it is what the user asked to run
            code = _wait(process)
        return _outcome(code, report)


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal sent it to the child as well; its answer is the outcome.
            continue


def _outcome(code: int, report: Path) -> Outcome:
    outcome = Outcome(code=128 - code if code < 0 else code)
    for line in report.read_text("utf-8").splitlines():
        kind, words = json.loads(line)
        if kind == "used":
            outcome.used.add(int(words))
        elif kind == "on":
            outcome.guarded = True
        else:
            (outcome.misses if kind == "miss" else outcome.blocked).append(words)
    return outcome


def _guardable(options: list[str]) -> list[str]:
    for option in options:
        if not option.startswith("-") or option in ("-m", "-c", "-"):
            break
        if any(letter in option for letter in "IES") and not option.startswith("--") and option[:2] not in ("-W", "-X"):
            raise UsageError(f"python {option} starts without tfx's guard; leave {', '.join(_WITHOUT_GUARD)} out")
    return options


def _is_python(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_SCRIPT_START)
    # Long interpreter paths are wrapped in a shell line that hands over to Python.
    return start.startswith(b"#!") and b"python" in start
