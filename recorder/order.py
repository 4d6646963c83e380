"""The options of `tfx record` as an order, checked against each other. Pure."""

import shlex
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from recorder.checkpoint import Errand
from tandem.eras import CURRENT
from tandem.regions import US
from tfx.errors import UsageError

DAYS: Final = 7
"""How many days are recorded when nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for on the command line; None where nothing was said."""

    name: str
    program: tuple[str, ...] = ()
    region: str | None = None
    days: int | None = None
    since: date | None = None
    until: date | None = None
    pump: str = ""
    era: str | None = None
    cassettes: Path = Path("cassettes")
    resume: bool = False
    credentials: Path | None = None
    values: str | None = None
    simulated: bool = False
    seed: int = 1
    now: str | None = None
    history: int | None = None
    faults: tuple[str, ...] = ()
    policy: Path | None = None
    report: Path | None = None
    suggest: Path | None = None
    leave_out_refused: bool = False

    def errand(self, today: date) -> Errand:
        """What to fetch, as of today."""
        until = self.until or today
        week = Errand(region=US.name, era=CURRENT, since=_first_of(DAYS, until), until=until)
        return self.going_on(week)

    def going_on(self, known: Errand) -> Errand:
        """What to fetch where all that is left out here is as it was there."""
        until = self.until or known.until
        since = self.since or (_first_of(self.days, until) if self.days else known.since)
        if until < since:
            raise UsageError(f"the recording would end ({until}) before it begins ({since}); check --since and --until")
        return Errand(region=self.region or known.region, era=self.era or known.era, since=since, until=until, pump=self.pump or known.pump)

    @property
    def resuming(self) -> str:
        """The command that goes on with this recording; the unfinished recording itself knows region, era, days and pump."""
        usual = Order(name=self.name)
        named = ("cassettes", "credentials", "values", "policy", "report", "suggest")
        given = [word for one in named if (value := getattr(self, one)) != getattr(usual, one) for word in (f"--{one}", str(value))]
        more = ["--leave-out-refused"] if self.leave_out_refused else []
        return shlex.join(["tfx", "record", self.name, *given, *more, "--resume"])


def _first_of(days: int, until: date) -> date:
    """The first of so many days, `until` included."""
    try:
        return until - timedelta(days=days - 1)
    except OverflowError:
        raise UsageError(f"{days} days up to {until} begin before the year 1; check --until and --days") from None
