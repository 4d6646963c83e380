"""Find the line of the user's code that made a request, for messages. Reads frames; keeps none."""

import os
import sys
import sysconfig
from pathlib import Path
from typing import Final

__tracebackhide__ = True  # pytest --showlocals would print the live request

_OURS: Final = Path(__file__).parents[2]
_LIBRARIES: Final = tuple(
    {
        *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *(f"{_OURS / package}/" for package in ("replayer", "tfx")),
    }
)
_ENTRIES: Final = frozenset(f"{__package__}.{name}" for name in ("requests_urllib_httpx", "http_client", "aiohttp_transport"))
"""Where requests come in: between these and `caller` nothing but ours runs."""
_DEEPEST: Final = 200
_ENDS: Final = [1]
"""How far from `caller` the place was where the last request came in."""


def caller() -> str:
    """`file.py:12`, the innermost line outside the standard library, installed packages and tfx; empty where there is none."""
    # Looking at a frame costs half a microsecond, and three of four stand between here and where the request came in: where that was the
    # last time, it is again.
    depth = _ENDS[0]
    try:
        frame = sys._getframe(depth)  # noqa: SLF001  # inspect.stack reads sources
    except ValueError:
        depth = 0
    if not depth or frame.f_globals.get("__name__") not in _ENTRIES:
        depth, frame = 1, sys._getframe(1)  # noqa: SLF001  # no public way costs as little
    for at in range(depth, _DEEPEST):
        # Not `f_code` at once: each look at it is an audit event, which the guard hears.
        module = frame.f_globals.get("__name__")
        if module not in _KNOWN:
            name = frame.f_code.co_filename
            if name.startswith(_LIBRARIES):
                _KNOWN.update({module} - _ANYBODYS)
            elif not name.startswith("<"):
                return f"{name[name.rfind(os.sep) + 1 :]}:{frame.f_lineno}"
        if module in _ENTRIES:
            _ENDS[0] = at
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


_ANYBODYS: Final = frozenset({"__main__", None})
"""Names of modules that say nothing of whose they are."""
_KNOWN: Final[set[str | None]] = set()
"""Modules of libraries that were met."""
