"""Python's own command line, as far as it decides whether the bootstrap of `tfx replay` runs. Pure."""

from collections.abc import Sequence
from typing import Final

WITHOUT_GUARD: Final = ("-I", "-E", "-S")
"""Options of Python that shut the bootstrap out: they ignore PYTHONPATH, or `site` with what it imports."""

_LETTERS: Final = frozenset(option[1] for option in WITHOUT_GUARD)
_TAKES_VALUE: Final = frozenset("WX")
_ENDS_OPTIONS: Final = frozenset("cm")
_LONG_WITH_VALUE: Final = frozenset({"--check-hash-based-pycs"})


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
