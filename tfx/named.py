"""A cassette named by its path, or by its name in the folder cassettes/. Looks which files there are."""

from pathlib import Path
from typing import Final

from tfx.store import SUFFIX

FOLDER: Final = Path("cassettes")


def named(path: Path, *, or_folder: bool = False) -> Path:
    """The file that is meant: cassettes/my-week.json for `my-week`, old/my-week.json for `old/my-week`; a file of that path comes first.

    `or_folder`: so does a folder.
    """
    if path.exists() and (or_folder or not path.is_dir()):
        return path
    beside = path.with_name(f"{path.name}{SUFFIX}") if path.name else path
    within = [FOLDER / path, FOLDER / beside] if len(path.parts) == 1 else []
    return next((other for other in (beside, *within) if other.is_file()), path)
