"""The environment that a program inherits if it is given none: C's, which `os.putenv` changes behind the back of `os.environ`."""

import os
from collections.abc import Mapping


def inherited() -> Mapping[str, str]:
    """Names and values as `exec` would hand them on now; `os.environ` on a system without `environ`."""
    from ctypes import CDLL, POINTER, c_char_p  # 3 ms: loaded when a program is started

    try:
        library = CDLL(None)
        if hasattr(library, "_NSGetEnviron"):  # macOS hides the variable behind this function
            library._NSGetEnviron.restype = POINTER(POINTER(c_char_p))  # noqa: SLF001  # the system's name
            pairs = library._NSGetEnviron().contents  # noqa: SLF001  # as above
        else:
            pairs = POINTER(c_char_p).in_dll(library, "environ")
    except (AttributeError, TypeError, ValueError):
        return os.environ
    found: dict[str, str] = {}
    place = 0
    while pairs and (pair := pairs[place]) is not None:
        name, _, value = pair.partition(b"=")
        # Of two of one name getenv takes the first.
        found.setdefault(os.fsdecode(name), os.fsdecode(value))
        place += 1
    return found
