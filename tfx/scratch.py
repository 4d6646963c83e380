"""Temporary folders that do not stay, even after a kill: the next process removes those without an owner. Touches files.

The process that makes a folder holds a lock on it while it lives; the system releases the lock when the process ends, however it ends. A
process id in the name would be less reliable: ids are reused, and containers that share a folder count on their own.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "tfx-scratch-"
YOUNG: Final = 60.0
"""Seconds in which a new folder may have no lock yet."""
_SWEPT: Final[set[str]] = set()


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A private folder, mode 0700; `kind` is a word of its name."""
    place = tempfile.gettempdir()
    if place not in _SWEPT:  # once a process
        _SWEPT.add(place)
        sweep(Path(place))
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{kind}-") as name:
        handle = _held(Path(name))
        try:
            yield Path(name)
        finally:
            if handle is not None:
                os.close(handle)


def sweep(place: Path) -> None:
    """Remove the folders of mine whose makers are dead."""
    with suppress(OSError), os.scandir(place) as found:
        for one in found:
            if not one.name.startswith(PREFIX) or not one.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError):  # somebody else was first
                known = one.stat(follow_symlinks=False)
                if known.st_uid != os.geteuid() or time.time() - known.st_mtime < YOUNG:
                    continue
                handle = _held(Path(one.path))
                if handle is not None:
                    shutil.rmtree(one.path, ignore_errors=True)
                    os.close(handle)


def _held(folder: Path) -> int | None:
    """The folder with a lock on it; None where another has it, or where there are no such locks."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
