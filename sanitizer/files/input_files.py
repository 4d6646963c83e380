"""Which files are checked or cleaned, and what each of them is; in a folder of cassettes, every file."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tfx.errors import UsageError

BY_NAME: Final = (".gitattributes", ".gitignore", ".gitkeep", "README.md")
"""Files that may stand beside cassettes unread; a check reports them. A `.gitkeep` is one only while it is empty."""

HAR: Final = "a HAR file"
VCR: Final = "a vcrpy cassette"
IMPORTED: Final = frozenset({HAR, VCR})
"""What can be made a cassette of."""

_ARCHIVE: Final = "an archive, which no check looks into"
_LEFTOVER: Final = "a leftover of an editor or merge"
_SUFFIXES: Final = MappingProxyType(
    {".har": HAR, ".yaml": VCR, ".yml": VCR}
    | dict.fromkeys((".gz", ".zip", ".bz2", ".xz", ".zst", ".br", ".7z", ".tar", ".tgz"), _ARCHIVE)
    | dict.fromkeys((".orig", ".bak", ".rej", ".swp", ".swo", ".tmp"), _LEFTOVER)
)
_MARKS: Final = ((b'"tfx_cassette"', ""), (b'"log"', HAR), (b'"interactions"', VCR), (b'"http_interactions"', VCR))
"""What the first kilobytes of a file hold -> what it is; the first that fits."""


def files_in(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Every file named or below a folder that is named, and apart those that are passed by their name.

    Raises:
        UsageError: one does not exist, or there is no file at all, or in the folders named only such as are passed.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist; name a cassette or a folder of cassettes")
        found += sorted(filter(_is_looked_at, path.rglob("*"))) if path.is_dir() else [path]
    passed = [path for path in found if _is_passed(path)]
    read = [path for path in found if path not in passed]
    if not read and any(path.is_dir() for path in paths):  # a README.md by itself is what a pre-commit hook hands over
        raise UsageError(f"there is no cassette in {', '.join(map(str, paths))}; record one with: tfx record NAME")
    return read, passed


def _is_looked_at(inner: Path) -> bool:
    """Below a named folder whatever git would store, its name included; of folders those whose name could be somebody's."""
    return bool(odd(inner)) or inner.is_file()


def odd(path: Path) -> str:
    """What is wrong with an entry itself, empty where nothing is; git stores the target of a link as it stands, and nobody reads a pipe."""
    if path.is_symlink():
        return "a symbolic link"
    if path.is_dir():
        return "" if _FOLDER.match(path.name) and not is_telling(path.name) else _FOLDERS
    return "" if path.is_file() else "no regular file"


def is_telling(name: str) -> bool:
    """Whether a public name holds an address, six digits however they are spaced, or a date; one year and month are nobody's."""
    left = _MONTH.sub("", name, count=1)
    return "@" in name or len(re.findall(r"\d", left)) >= _MOST_DIGITS or _DATED.search(name) is not None


def is_telling_together(path: Path, named: Sequence[Path]) -> bool:
    """Whether the folders below a named one, with the file's name, hold a date or six digits which none of them holds alone."""
    top = next((folder for folder in named if path != folder and path.is_relative_to(folder)), None)
    parts = path.relative_to(top).with_suffix("").parts if top else ()
    digits = sum(len(re.findall(r"\d", _MONTH.sub("", part, count=1))) for part in parts)
    return not any(map(is_telling, parts)) and (digits >= _MOST_DIGITS or _DATED.search("-".join(parts)) is not None)


_MONTH: Final = re.compile(r"(?<!\d)20(?:19|2\d|30)(?:[._-]?(?:0[1-9]|1[0-2]))?(?!\d)")
_DATED: Final = re.compile(
    r"(?<!\d)(?:\d{2,4}[._-]+\d{1,2}[._-]+\d{1,4}|\d{1,2}[._-]+\d{1,2}[._-]+\d{2,4}|\d{4}[._-]*\d{2}[._-]*\d{2})(?!\d)"
)
"""Three numbers of which the first or the last is a year or a day: 2.3.4 is a version."""
_MOST_DIGITS: Final = 6
_FOLDER: Final = re.compile(r"\.?[a-z0-9][a-z0-9._-]{0,79}\Z")
_FOLDERS: Final = "a folder whose name is not lower-case letters, digits, dots, dashes and underscores, or has a long number in it"


def _is_passed(path: Path) -> bool:
    return path.name in BY_NAME and not odd(path) and (path.name != ".gitkeep" or not path.stat().st_size)


def foreign(path: Path) -> str:
    """What a file is that is no cassette; empty for JSON, which is either one or says itself why not.

    Raises:
        UsageError: it cannot be read.
    """
    if path.is_fifo() or path.is_socket() or path.is_char_device():
        return odd(path)  # opening a pipe would wait for somebody
    by_suffix = _LEFTOVER if path.name.endswith("~") else _SUFFIXES.get(path.suffix.lower(), "")
    if by_suffix:
        return by_suffix
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check it, or name another file") from None
    if start.lstrip()[:1] == b"[" and b'"request"' in start:  # as vcrpy wrote before its version 1.0
        return VCR
    told = next((kind for mark, kind in _MARKS if mark in start), "")
    return told if told or path.suffix == ".json" else "a file whose name does not end in .json"


def public_part(folder: Path) -> str:
    """The part of a folder's path that is published with it: below where the command runs, else its last name."""
    here = folder.absolute()
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else here.name
