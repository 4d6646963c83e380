"""`tfx record`: parse the command line, call `recorder.job`, print, exit."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import click

from tfx.cassette import VALUES
from tfx.errors import UsageError

_Command = TypeVar("_Command", bound=Callable[..., object])
DATE = click.DateTime(formats=["%Y-%m-%d"])

_STAND_IN = (
    click.option("--simulated", is_flag=True, help="Use the simulated service that comes with tfx instead of the live one."),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=1,
        show_default=True,
        help="With --simulated: another number is another invented account.",
    ),
    click.option("--now", metavar="ISO", help="With --simulated: the time on its clock.  [default: 2026-11-18T20:30:00Z]"),
    click.option("--history", type=click.IntRange(1, 3660), help="With --simulated: days of history.  [default: the days recorded]"),
    click.option(
        "--fault",
        "faults",
        multiple=True,
        metavar="ENDPOINT:N:KIND",
        help="With --simulated: make the Nth request to ENDPOINT fail; see tfx simulate --help.",
    ),
)


SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "What to record": ("region", "days", "since", "until", "pump", "era"),
        "Credentials and resuming": ("credentials", "resume"),
        "Sanitizing": ("values", "policy", "leave_out_refused", "suggest"),
        "Output": ("cassettes", "report", "as_json"),
        "Simulated service": ("simulated", "seed", "now", "history", "faults"),
    }
)
"""The parts of `tfx record --help`, and the options of each, as shown. Options in none of them come last."""


class InSections(click.Command):
    """A command whose help shows its options in the parts of `SECTIONS`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, each under the title of its part."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {option.name: record for option in options if (record := option.get_help_record(ctx)) is not None}
        parts = {title: [records.pop(name) for name in names] for title, names in SECTIONS.items()}
        for title, rows in {**parts, "Other": [*records.values()]}.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def stand_in(command: _Command) -> _Command:
    """Add the options of the simulated service to a command."""
    for option in reversed(_STAND_IN):
        command = option(command)
    return command


@click.command(cls=InSections, context_settings={"ignore_unknown_options": False})
@click.argument("name")
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
@click.option("--region", type=click.Choice(["us", "eu"]), help="Region of the account.  [default: us]")
@click.option("--days", type=click.IntRange(1, 3660), help="Record this many days, up to today.  [default: 7]")
@click.option("--since", type=DATE, metavar="DATE", help="First day (YYYY-MM-DD), instead of --days.")
@click.option("--until", type=DATE, metavar="DATE", help="Last day, included.  [default: today]")
@click.option(
    "--pump",
    envvar="TFX_PUMP",
    default="",
    metavar="SERIAL",
    help="Serial number of the pump, also from TFX_PUMP.  [default: the pump used last]",
)
@click.option(
    "--era", type=click.Choice(["2025", "2026-07", "2026-10"]), help="Version of the API to use.  [default: 2026-10, the live one]"
)
@click.option(
    "--cassettes", type=click.Path(path_type=Path), default=Path("cassettes"), show_default=True, help="Folder to write the cassette to."
)
@click.option("--resume", is_flag=True, help="Continue the interrupted recording of this name; not with --simulated.")
@click.option(
    "--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML file with email and password in a section [tandem]."
)
@click.option(
    "--values",
    type=click.Choice(VALUES),
    help="Keep amounts of glucose, insulin and carbohydrate, or invent them.  [default: keep, or as in the cassette it replaces]",
)
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="Your own rules, for places that tfx has no rule for.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Write what was replaced and what was kept, as .json or .md."
)
@click.option(
    "--suggest",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write suggested rules to a new FILE, for --policy. Read it first: it may contain personal names.",
)
@click.option(
    "--leave-out-refused", is_flag=True, help="Drop exchanges that cannot be understood, and list them, instead of refusing the recording."
)
@stand_in
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def record(ctx: click.Context, /, *, name: str, program: tuple[str, ...], as_json: bool, **options: object) -> None:
    """Record your Tandem Source account, sanitize it in memory, and write cassettes/NAME.json.

    Signs in, reads the account and fetches the pump's events. Every credential and identifier is replaced, and the result is checked,
    before anything is written. An existing cassette of that name is replaced only when the new one is complete.

    An interrupted recording is kept encrypted, outside the repository. tfx record NAME --resume continues it, with the same region, days
    and pump; without --resume the recording starts again.

    Credentials come from --credentials FILE, from TFX_EMAIL and TFX_PASSWORD, from the OS keyring (service "tfx"), or
    from a hidden prompt; never from arguments, which every user of a computer can read.

    With -- PROGRAM ARGS, records what that Python program fetches from Tandem Source with requests, urllib.request or httpx, and its own
    credentials. If it connects through another library (aiohttp, urllib3, http.client), nothing is written. Requests without a
    whole answer are counted, and the exit code is then 1.

    \b
    Examples:
      tfx record my-week                              the last seven days; asks for credentials
      tfx record spring --region eu --since 2026-03-01 --until 2026-05-31
      tfx record spring --resume
      tfx record sync -- -m tconnectsync --check-login
      tfx record demo --simulated --days 1            needs no account
    """
    from recorder import job
    from recorder.order import Order

    order = Order(name=name, program=program, **_parsed(options))  # type: ignore[arg-type]  # Click's own types, one field each
    job.keep_no_core()
    try:
        done = job.run(order)
    except KeyboardInterrupt:
        if order.simulated or order.program or not job.is_kept(order):
            raise  # nothing is kept of these
        click.echo(f"tfx: interrupted; what was fetched is kept, encrypted; continue with: {order.resuming}", err=True)
        ctx.exit(130)
    click.echo(json.dumps(done.report) if as_json else "\n".join(done.lines))
    for warning in done.warnings:
        click.echo(f"tfx: {warning}.", err=True)
    if done.exit_code:
        click.echo(f"tfx: the program ended with exit code {done.exit_code}; what it fetched is on the cassette.", err=True)
    if done.exit_code or not done.is_whole:
        ctx.exit(done.exit_code or 1)


def _parsed(options: dict[str, object]) -> dict[str, object]:
    """The options with dates for datetimes; UsageError where two of them contradict each other."""
    if options["since"] is not None and options["days"] is not None:
        raise UsageError("--days and --since exclude each other; leave one out")
    check_stand_in(options)
    return {key: value.date() if isinstance(value, datetime) else value for key, value in options.items()}


def check_stand_in(options: Mapping[str, object]) -> None:
    """UsageError where options of the stand-in are given without it."""
    if not options["simulated"] and (options["faults"] or options["now"] or options["history"]):
        raise UsageError("--fault, --now and --history belong to the stand-in; add --simulated, or leave them out")
