"""Which Python runs a program, and whether its command line lets the bootstrap of `tfx replay` run. Reads first lines of files."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

WITHOUT_GUARD: Final = ("-I", "-E", "-S")
"""Options of Python that shut the bootstrap out: they ignore PYTHONPATH, or `site` with what it imports."""

_LETTERS: Final = frozenset(option[1] for option in WITHOUT_GUARD)
_TAKES_VALUE: Final = frozenset("WX")
_ENDS_OPTIONS: Final = frozenset("cm")
_LONG_WITH_VALUE: Final = frozenset({"--check-hash-based-pycs"})
_START: Final = 1000
"""Bytes of a file in which its first two lines stand."""


def shuts_out(words: Sequence[str]) -> str | None:
    """The option after `python` that would start it without the guard, as it was given; None if there is none.

    As CPython reads it (Python/getopt.c): letters may share a dash, `-W` and `-X` take the rest of theirs or the next word, `-c` and
    `-m` and the first word that is no option end the options.
    """
    rest = iter(words)
    for word in rest:
        if word in _LONG_WITH_VALUE:
            next(rest, None)
        elif word in ("-", "--") or not word.startswith("-"):
            return None
        elif not word.startswith("--"):
            ending = next((letter for letter in word[1:] if letter in _LETTERS | _TAKES_VALUE | _ENDS_OPTIONS), "")
            if ending in _LETTERS:
                return word
            if ending in _ENDS_OPTIONS:
                return None
            if ending and word.index(ending) == len(word) - 1:
                next(rest, None)
    return None


def is_this_python(path: Path) -> bool:
    """Whether it is the Python that runs now: the same file elsewhere is that of another environment, with other packages."""
    me = Path(sys.executable)
    try:
        return path.name.startswith("python") and path.samefile(me) and path.parent.samefile(me.parent)
    except OSError:
        return False


def shebang(path: Path) -> list[str]:
    """The words of the line that says what a script is for; nothing if there is none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        lines = file.read(_START).decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].startswith("#!"):
        return []
    try:
        # Long interpreter paths are wrapped in a shell line that hands over to Python.
        wrapped = shlex.split(lines[1]) if len(lines) > 1 and lines[1].startswith("'''exec'") else []
    except ValueError:
        return []
    return [word for word in wrapped[1:] if word not in ("$0", "$@")] or lines[0].removeprefix("#!").split()
