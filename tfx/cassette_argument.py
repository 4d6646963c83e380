"""The argument of commands that read a cassette: its path, or its name in cassettes/. Light: commands import it before they run."""

from os import PathLike
from pathlib import Path
from typing import Final

import click


class CassetteFile(click.Path):
    """A path as click has it, of the file that is meant."""

    def __init__(self, *, or_folder: bool = False) -> None:
        """`or_folder`: a folder of cassettes may be meant, too."""
        super().__init__(path_type=Path)
        self._or_folder = or_folder

    def convert(self, value: str | PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The file that is meant."""
        from tfx.named import named

        return named(Path(str(super().convert(value, param, ctx))), or_folder=self._or_folder)


CASSETTE: Final = CassetteFile()
CASSETTES: Final = CassetteFile(or_folder=True)
