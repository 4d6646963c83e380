"""Whether a program about to be started will carry the guard of `tfx replay`. Reads the first lines of scripts; touches nothing else.

A child carries it if it is this very Python (or a script for it), has no option that disables the bootstrap, and inherits what
`child.environment` put into the environment. Inside `offline()` nothing was put there, so no child carries it.
"""

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from replayer.guard.inherited import inherited
from replayer.guard.interpreter import is_this_python, shebang, shuts_out
from replayer.programs.child import BOOTSTRAP, CASSETTE, REPORT

__tracebackhide__ = True  # command lines and environments hold live values

EVENTS: Final = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "pty.spawn"})
"""The audit events of a program that is started."""

_LOOK_UPS: Final = (
    (frozenset({"/sbin/ldconfig"}), re.compile(r"-p|-r")),
    (frozenset({"gcc", "cc"}), re.compile(r"-Wl,-t -o \S+ -l[\w.+-]+")),
    (frozenset({"ld"}), re.compile(r"-t( -L \S+)* -o /dev/null -l[\w.+-]+")),
    (frozenset({"objdump"}), re.compile(r"-p -j \.dynamic \S+")),
    (frozenset({"uname"}), re.compile(r"-p")),
)
"""How `ctypes.util.find_library` looks a library up, and `platform.processor` the machine, by program and its arguments: compilers,
linkers and a word about the kernel, none of which reaches a network."""
_SHELL: Final = "sh"


def unguarded(event: str, args: tuple[object, ...]) -> str | None:
    """The base name of the program an audit event starts without the guard; None if it carries it, or is not there to be started."""
    if event == "os.system":
        return _SHELL
    if event == "pty.spawn":
        words, given, folder = _words(args[0]), None, None
        program = words[0] if words else ""
    else:
        words, given = _words(args[1]), args[-1]
        program, folder = _word(args[0]), args[2] if event == "subprocess.Popen" else None
    surroundings = _surroundings(given)
    if event == "subprocess.Popen" and _is_look_up(program, words[1:]):
        return None
    path = _path(program, None if folder is None else _word(folder), surroundings)
    if path is None:
        return None
    return None if carries(surroundings) and _is_guardable(path, words[1:], surroundings) else os.path.basename(program)  # noqa: PTH119  # not a path of ours


def _is_look_up(program: str, options: Sequence[str]) -> bool:
    # By name where the look-up asks PATH itself: who may put a gcc of his own there may do anything anyhow.
    names = {program, os.path.basename(program)}  # noqa: PTH119  # not a path of ours
    return any(names & programs and pattern.fullmatch(" ".join(options)) for programs, pattern in _LOOK_UPS)


def carries(surroundings: Mapping[str, str]) -> bool:
    """Whether a Python started with this environment imports the bootstrap before anything else of that name."""
    if not surroundings.get(CASSETTE) or not surroundings.get(REPORT):
        return False
    for folder in filter(None, surroundings.get("PYTHONPATH", "").split(os.pathsep)):
        if Path(folder) == BOOTSTRAP:
            return True
        if (Path(folder) / "sitecustomize.py").exists() or (Path(folder) / "sitecustomize").exists():
            return False
    return False


def _is_guardable(path: Path, options: Sequence[str], surroundings: Mapping[str, str]) -> bool:
    if is_this_python(path):
        return shuts_out(options) is None
    try:
        words = shebang(path)
    except OSError:
        return False
    if words and Path(words[0]).name == "env":
        words = words[2:] if words[1:2] == ["-S"] else words[1:]
        words = [shutil.which(words[0], path=surroundings.get("PATH", os.defpath)) or "", *words[1:]] if words else []
    return bool(words) and is_this_python(Path(words[0])) and shuts_out(words[1:]) is None


def _path(program: str, folder: str | None, surroundings: Mapping[str, str]) -> Path | None:
    if os.sep not in program:
        found = shutil.which(program, path=surroundings.get("PATH", os.defpath))
        return Path(found) if found else None
    path = Path(folder or os.curdir) / program
    return path if path.is_file() else None


def _surroundings(given: object) -> Mapping[str, str]:
    if not isinstance(given, Mapping):
        return inherited()
    return {_word(name): _word(value) for name, value in given.items()}


def _words(given: object) -> list[str]:
    if isinstance(given, str | bytes | os.PathLike):
        return [_word(given)]
    return [_word(word) for word in cast("Iterable[object]", given)]


def _word(given: object) -> str:
    # A program may be named by an open file's number; nothing can be said of it.
    return os.fsdecode(cast("str", given)) if isinstance(given, str | bytes | os.PathLike) else f"{os.sep}dev{os.sep}fd{os.sep}{given}"
