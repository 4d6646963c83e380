"""Who asked: the line of the user's own code a request came from, for messages. Reads frames; keeps none."""

import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Final

__tracebackhide__ = True  # pytest --showlocals would print the live request

_OURS: Final = Path(__file__).parents[1]
_LIBRARIES: Final = tuple(
    {
        *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *(f"{_OURS / package}/" for package in ("replayer", "tfx")),
    }
)
_DEEPEST: Final = 200


def asker() -> str:
    """`file.py:12`, the innermost line outside the standard library, installed packages and tfx; empty where there is none."""
    frame = sys._getframe(1)  # noqa: SLF001  # inspect.stack reads sources
    for _ in range(_DEEPEST):
        name = frame.f_code.co_filename
        if not _is_library(name):
            return f"{Path(name).name}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


@cache
def _is_library(name: str) -> bool:
    return name.startswith((*_LIBRARIES, "<"))
