"""Where the cassette of each file is written with --output: never two to one place."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sanitizer.files.cassette_names import plain_name
from sanitizer.files.input_files import IMPORTED, foreign, odd
from tfx.errors import UsageError
from tfx.output_file import is_same, place_of
from tfx.store import SUFFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """`of` are the targets that are known before a file is read: input -> target. `taken` are the places of these and of a report."""

    of: Mapping[Path, Path] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()


def targets(files: Sequence[Path], named: Sequence[Path], output: Path, name: str = "") -> Targets:
    """Where each file goes: a cassette below a `named` folder keeps its folders, every other file stands in `output` itself.

    A recording of another tool never keeps them, because folders of downloads are often named after a person. `name` is what was chosen
    for the only one.

    Raises:
        UsageError: two files would be written to one place, or a folder that is kept has a name that --check refuses.
    """
    found: dict[Path, Path] = {}
    sources: dict[str, Path] = {}
    for path in files:
        target = _target(path, named, output, name)
        if target is None:
            continue
        other = sources.setdefault(place_of(target), path)
        if not is_same(other, path):
            raise UsageError(
                f"{other} and {path} would both become {target}, so nothing was written; name different folders, or rename one"
            )
        found[path] = target
    return Targets(of=found, taken=frozenset(sources))


def _target(path: Path, named: Iterable[Path], output: Path, name: str) -> Path | None:
    """None where that is decided later: for a name with a number, and a file that is refused."""
    try:
        what = foreign(path)
    except UsageError:
        return None
    if what:
        own = name or plain_name(path.stem)
        return output / f"{own}{SUFFIX}" if what in IMPORTED and own else None
    top = next((folder for folder in named if folder.is_dir() and path.is_relative_to(folder)), None)
    if top is None:
        return output / path.name
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(output)):
        return path  # of an earlier run
    inner = path.parent.relative_to(top)
    for depth in range(1, len(inner.parts) + 1):
        folder = top.joinpath(*inner.parts[:depth])
        if odd(folder):
            raise UsageError(f"{folder} is {odd(folder)}, and --output keeps folders; rename it, or name the files in it")
    return output / inner / path.name
