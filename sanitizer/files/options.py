"""Options shared by all commands that make cassettes from other tools' recordings."""

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
    click.option("--era", type=click.Choice(list(ERAS)), help="API version of a HAR or vcrpy file, if the file does not show it."),
    click.option("--region", type=click.Choice(list(REGIONS)), help="Region of a HAR or vcrpy file, if the file does not show it."),
    click.option(
        "--clock", metavar="INSTANT", help="When a HAR or vcrpy file was recorded (2026-10-05T18:30:00Z), if the file does not say."
    ),
    click.option(
        "--leave-out-refused",
        is_flag=True,
        help="Drop exchanges of a HAR or vcrpy file that cannot be understood, list them, and exit with 0; otherwise the file is refused.",
    ),
    click.option(
        "--policy", "own", type=click.Path(path_type=Path), metavar="FILE", help="Your own rules, for places that tfx has no rule for."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
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
