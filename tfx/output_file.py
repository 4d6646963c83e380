"""Files that a command writes: whole or not at all, and a report replaces nothing but an older report of the same kind."""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tfx.errors import UsageError

_START: Final = 4096


def check_output(file: Path, what: str, starts: Iterable[str], others: Iterable[Path] = ()) -> None:
    """See that writing a file loses nothing; before the command writes anything.

    `what` is written there, such as "the report"; `starts` are the texts that such a file begins with, white space aside; `others` are the
    files that the command reads or writes. An empty file, a pipe and a device hold nothing that could be lost.

    Raises:
        UsageError: it is one of the others, however it is spelled or linked, or holds something else, or cannot be read.
    """
    same = next((other for other in others if is_same(file, other)), None)
    if same:
        raise UsageError(f"{what} {file} would replace {same}, which this command reads or writes; name another file")
    try:
        if not file.is_file():
            return
        with file.open("rb") as opened:
            found = b"".join(opened.read(_START).split())
    except OSError as error:
        raise UsageError(f"cannot write {what} {file} ({error.strerror}); name another file") from None
    if found and not any(found.startswith("".join(start.split()).encode()) for start in starts):
        raise UsageError(f"{what} {file} would replace a file of another kind; name another file, or remove that one")


def place_of(path: Path) -> str:
    """A path with its links followed, whether there is a file or not; names that differ in case only are one name."""
    return os.path.realpath(path).casefold()


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths are one file, links followed, or would be if they were written."""
    if place_of(one) == place_of(other):
        return True
    try:
        return one.samefile(other)  # hard links
    except OSError:
        return False


def write_whole(path: Path, data: bytes, *, through_links: bool = False) -> None:
    """Write a file; what stood there stays until all of the new one is on disk. A link is replaced, unless what it leads to is to be.

    Raises:
        OSError: it cannot be written; then nothing has changed. A pipe or a device, which gets the bytes as they come, may have some.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    if through_links:
        try:
            path = path.resolve()
        except RuntimeError:  # what Python 3.11 calls a link that leads to itself
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    with _complete(path, data) as temporary:
        temporary.replace(path)


def write_new(path: Path, data: bytes) -> None:
    """Write a file where there is none, whole or not at all, however many processes do so at once.

    Raises:
        FileExistsError: there is one, be it made a moment ago by another process; it stays as it is.
        OSError: it cannot be written; then nothing has changed.
    """
    with _complete(path, data) as temporary:
        path.open("xb").close()  # only one process can; a hard link would do the same, but not every disk has them
        try:
            temporary.replace(path)
        except BaseException:
            path.unlink()
            raise


@contextmanager
def _complete(path: Path, data: bytes) -> Iterator[Path]:
    """The data on disk beside that path, under another name that is free again at the end."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
