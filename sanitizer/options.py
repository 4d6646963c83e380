"""Options that every command takes which makes cassettes of other tools' recordings, and what they come to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click

from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.errors import UsageError

_Command = TypeVar("_Command", bound=Callable[..., object])

_OPTIONS = (
    click.option("--era", type=click.Choice(list(ERAS)), help="The state of the API a foreign file is of, where it does not show."),
    click.option("--region", type=click.Choice(list(REGIONS)), help="The region a foreign file is of, where it does not show."),
    click.option("--clock", metavar="INSTANT", help="When a foreign file was recorded (2026-10-05T18:30:00Z), where it does not say."),
    click.option(
        "--leave-out-refused",
        is_flag=True,
        help="Leave what cannot be understood of a foreign file out, exchange by exchange, and name it: exit code 0, for it was asked for. "
        "Otherwise the file is refused: 1.",
    ),
    click.option("--policy", "own", type=click.Path(path_type=Path), metavar="FILE", help="Rules of your own for places that have none."),
    click.option("--json", "as_json", is_flag=True, help="Print a machine-readable report."),
)


def of_imports(command: _Command) -> _Command:
    """The options for recordings of other tools."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a person says of a foreign file; empty or None for what the file is to say. `leaves_out`: see --leave-out-refused."""

    era: str = ""
    region: str = ""
    clock: datetime | None = None
    leaves_out: bool = False

    @classmethod
    def parse(cls, *, era: str | None, region: str | None, clock: str | None, leaves_out: bool) -> "Origin":
        """From the options; UsageError where the clock is no instant."""
        from sanitizer.formats.recording import instant

        found = instant(clock) if clock else None
        if clock and found is None:
            raise UsageError("--clock is not an instant; write it as 2026-10-05T18:30:00Z")
        return cls(era=era or "", region=region or "", clock=found, leaves_out=leaves_out)

    @property
    def is_said(self) -> bool:
        """Whether anything is said."""
        return bool(self.era or self.region or self.clock or self.leaves_out)
