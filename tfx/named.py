"""A cassette named by its path, or by its name in the folder cassettes/. Looks which files there are."""

from pathlib import Path
from typing import Final

from tfx.store import SUFFIX

FOLDER: Final = Path("cassettes")


def named(path: Path) -> Path:
    """The file that is meant: cassettes/my-week.json for `my-week`, old/my-week.json for `old/my-week`; a file of that path comes first."""
    if path.exists() and not path.is_dir():
        return path
    beside = path.with_name(f"{path.name}{SUFFIX}") if path.name else path
    within = [FOLDER / path, FOLDER / beside] if len(path.parts) == 1 else []
    return next((other for other in (beside, *within) if other.is_file()), path)
