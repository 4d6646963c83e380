"""What several verbs of `tfx pipeline` share: options, which of them go together, and how a report is printed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

import click
import orjson
from click.core import ParameterSource

from tandem.eras import CURRENT, ERAS
from tandem.regions import REGIONS
from tfx.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

Command = TypeVar("Command", bound=Callable[..., None])
Report = TypeVar("Report")

DAY: Final = click.DateTime(formats=["%Y-%m-%d"])

DATABASE: Final = click.option("--database", metavar="URL", required=True, help="The database, such as duckdb:///pump.duckdb.")
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")

_ZONE: Final = "Time zone of the account, such as Europe/Berlin.  [default: the database's; UTC in a new one]"
_ACCOUNT: Final = (
    click.option("--zone", metavar="NAME", help=_ZONE),
    click.option("--region", type=click.Choice(tuple(REGIONS)), default="us", show_default=True, help="Region of the account."),
    click.option("--era", type=click.Choice(tuple(ERAS)), default=CURRENT, show_default=True, help="Version of the API to use."),
    click.option("--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file: email and password under [tandem]."),
    click.option("--pump", metavar="SERIAL", help="Serial number of the pump.  [default: the one with the latest events]"),
    click.option(
        "--changed-records", type=click.Choice(("stop", "keep")), default="stop", show_default=True,
        help="What to do if more than five known events arrive with other content, as if from another person.",
    ),
)  # fmt: skip


class Account(TypedDict):
    """What those options give."""

    zone: str | None
    region: str
    era: str
    credentials: Path | None
    pump: str | None
    changed_records: str


def account(command: Command) -> Command:
    """The options that say whose events to ask for."""
    for option in reversed(_ACCOUNT):
        command = option(command)
    return command


_OF_MANY: Final = ("output", "runner", "workers", "address")
_LIVE: Final = ("region", "era", "credentials")
_OF_ONE: Final = ("cassette", "as_era", "database", *_LIVE, "pump", "days", "since", "until", "prefect", "changed_records")


def see_that_they_go_together(context: click.Context) -> None:
    """Raise UsageError for an option of `run` that would be passed over in silence."""
    given = {name: name.replace("_", "-") for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if "cassettes" in given:
        _refuse(given, _OF_ONE, "is for one account, and --cassettes names many; leave one of them out")
        if context.params["output"] is None:
            raise UsageError("many accounts need both --cassettes DIR and --output DIR")
    else:
        _refuse(given, _OF_MANY, "is for many accounts; name their folder with --cassettes DIR, too")
    if context.params["runner"] != "dask":
        _refuse(given, ("workers", "address"), "needs --runner dask; add that")
    if "address" in given:
        _refuse(given, ("workers",), "says how many processes Dask starts here, and --address names a cluster that runs; leave one out")
    if "cassette" in given:
        _refuse(given, _LIVE, "is for the live service, and a cassette has its own; leave it out")
    elif "as_era" in given:
        raise UsageError("--as-era is how a cassette is served; name one with --cassette, or say with --era what the live service speaks")


def _refuse(given: Mapping[str, str], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if name in given:
            raise UsageError(f"--{given[name]} {why}")


def say_which_zone(engine: "Engine", zone: str | None) -> None:
    """Warn before anything is stored where nobody named the account's zone: a database stays with the one it began with."""
    from pipeline.store.devices import zones

    with engine.connect() as connection:
        if zone is None and not zones(connection):
            click.echo(
                "tfx: no --zone, so the pump's clock is taken for UTC; name the account's, such as Europe/Berlin, if it is not", err=True
            )


def as_text_or_json(report: Report, as_text: Callable[[Report], str], *, as_json: bool) -> None:
    """Print a report."""
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if as_json else as_text(report))
