"""`tfx record`: the command parses, calls `recorder.job`, prints, exits."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click

from tfx.cassette import VALUES
from tfx.errors import UsageError

_Command = TypeVar("_Command", bound=Callable[..., object])
DATE = click.DateTime(formats=["%Y-%m-%d"])

_STAND_IN = (
    click.option("--simulated", is_flag=True, help="Record the stand-in that comes with tfx instead of the live service."),
    click.option("--seed", type=int, default=1, show_default=True, help="With --simulated: which invented person."),
    click.option("--now", metavar="ISO", help="With --simulated: the instant its clock stands at.  [default: 2026-11-18T20:30:00Z]"),
    click.option("--history", type=click.IntRange(1, 3660), help="With --simulated: days of history.  [default: as many as are recorded]"),
    click.option("--fault", "faults", multiple=True, metavar="ENDPOINT:N:KIND", help="With --simulated: the Nth request there fails."),
)


def stand_in(command: _Command) -> _Command:
    """The options that lead a command to the stand-in."""
    for option in reversed(_STAND_IN):
        command = option(command)
    return command


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("name")
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
@click.option("--region", type=click.Choice(["us", "eu"]), help="The cloud the account lives in.  [default: us]")
@click.option("--days", type=click.IntRange(1, 3660), help="This many days up to today.  [default: 7]")
@click.option("--since", type=DATE, metavar="DATE", help="From this day on (YYYY-MM-DD), instead of --days.")
@click.option("--until", type=DATE, metavar="DATE", help="Up to this day, included.  [default: today]")
@click.option("--pump", envvar="TFX_PUMP", default="", metavar="SERIAL", help="This pump (or TFX_PUMP), not the one used last.")
@click.option("--era", type=click.Choice(["2025", "2026-07", "2026-10"]), help="The state of the API.  [default: 2026-10, the live one]")
@click.option("--cassettes", type=click.Path(path_type=Path), default=Path("cassettes"), show_default=True, help="Where the cassette goes.")
@click.option("--resume", is_flag=True, help="Go on with the recording of this name that was interrupted; never with --simulated.")
@click.option("--credentials", type=click.Path(path_type=Path), metavar="FILE", help="TOML: email and password under [tandem].")
@click.option(
    "--values",
    type=click.Choice(VALUES),
    help="synthetic makes every amount of glucose, insulin and carbohydrate anew.  [default: keep; as it was where it replaces a cassette]",
)
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="Rules of your own for places that have none.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Tell what was done and left in: .json, or .md for Markdown."
)
@click.option(
    "--suggest",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write rules for places that have none to a new FILE, for --policy. It alone tells names tfx does not know: read them.",
)
@click.option(
    "--leave-out-refused", is_flag=True, help="Leave exchanges that cannot be understood out, and name them; otherwise nothing is written."
)
@stand_in
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable report.")
@click.pass_context
def record(ctx: click.Context, /, *, name: str, program: tuple[str, ...], as_json: bool, **options: object) -> None:
    """Record Tandem Source, sanitize, write cassettes/NAME.json.

    Logs in, reads the account, fetches the pump's events window by window, takes every credential and every identifier
    out, proves it, and only then writes. An older cassette of that name stays until the new one is whole.
    An interrupted recording is kept encrypted outside the repository; tfx record NAME --resume
    goes on with it (region, era, days and pump are as they were), anything else begins anew.

    Credentials come from --credentials FILE, from TFX_EMAIL and TFX_PASSWORD, from the OS keyring (service "tfx"), or
    from a hidden prompt. They are never arguments, because every user of a computer can read those.

    With -- PROGRAM ARGS, records whatever that Python program fetches from Tandem Source, with its own credentials.

    \b
    Examples:
      tfx record my-week                              the last seven days, credentials are asked for
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
        click.echo(f"tfx: interrupted; what was fetched waits encrypted, go on with: {order.resuming}", err=True)
        ctx.exit(130)
    click.echo(json.dumps(done.report) if as_json else "\n".join(done.lines))
    if done.exit_code:
        click.echo(f"tfx: the program ended with exit code {done.exit_code}; what it fetched is on the cassette.", err=True)
        ctx.exit(done.exit_code)


def _parsed(options: dict[str, object]) -> dict[str, object]:
    """The options with dates for datetimes; UsageError where two of them contradict each other."""
    if options["since"] is not None and options["days"] is not None:
        raise UsageError("--days and --since both say where to begin; leave one out")
    check_stand_in(options)
    return {key: value.date() if isinstance(value, datetime) else value for key, value in options.items()}


def check_stand_in(options: Mapping[str, object]) -> None:
    """UsageError where options of the stand-in are given without it."""
    if not options["simulated"] and (options["faults"] or options["now"] or options["history"]):
        raise UsageError("--fault, --now and --history belong to the stand-in; add --simulated, or leave them out")
