"""`tfx replay`: run a program offline against a cassette. Parses, runs, prints."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from tfx.cassette_argument import CASSETTE

if TYPE_CHECKING:
    from replayer.programs.child import Options
    from replayer.programs.program import Line, Outcome
    from replayer.replay import Replay


@click.command()
@click.argument("cassette", type=CASSETTE)
@click.argument("program", nargs=-1, type=click.UNPROCESSED, metavar="-- PROGRAM [ARGS]...")
@click.option("--all-used", is_flag=True, help="Fail if a recorded exchange was not requested.")
@click.option("--freeze", is_flag=True, help="Set the program's clock to the time of the recording.")
@click.option("--virtual-clock", is_flag=True, help="Skip waiting: sleeps return at once, and the clock moves on.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="ENDPOINT:N:KIND",
    help="Make the Nth recorded request to ENDPOINT fail; N+ for all from the Nth on.",
)
@click.option("--as-era", type=click.Choice(["2025", "2026-07", "2026-10"]), help="Serve the cassette as that version of the API.")
@click.option("--signed-in", is_flag=True, help="Accept the cassette's cookies and tokens without a sign-in.")
@click.option("--strict-windows", is_flag=True, help="Answer only the exact date windows that were recorded.")
@click.option(
    "--allow-programs",
    "programs",
    metavar="NAME",
    multiple=True,
    help="Let the program start NAME (curl, sh), which tfx cannot guard. May be repeated.",
)
@click.option(
    "--allow",
    "allowed",
    metavar="HOST",
    multiple=True,
    help="Let the program connect to HOST: loopback (this machine), an address, or unix:/PATH. May be repeated.",
)
@click.option("--serve", is_flag=True, help="Serve over HTTPS on loopback, to PROGRAM or until interrupted.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port for --serve.  [default: any free one]")
@click.option("--unsealed", is_flag=True, help="Do not isolate the network of a program that is not Python.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout; the program's own output goes to stderr.")
def replay(
    cassette: Path,
    program: tuple[str, ...],
    *,
    all_used: bool,
    serve: bool,
    port: int,
    unsealed: bool,
    as_json: bool,
    **options: Unpack["Options"],
) -> int:
    """Run a program offline against a cassette.

    CASSETTE, a file or a name in cassettes/, answers what the program asks Tandem Source; any other network access is blocked, to this
    machine itself too, unless --allow lets it through. Any e-mail address and password sign in.

    PROGRAM is a .py file, -m MODULE, a console script, or a program in any other language. A program that is not Python is led to a local
    proxy by HTTPS_PROXY and the like, and on Linux runs in a network namespace of its own. --serve without PROGRAM prints those variables
    and serves until interrupted.

    The exit code is 1 if the program requested something that is not on the cassette or tried to reach the network, even if it swallowed
    the error; otherwise it is the program's own.

    \b
    Faults:
      STATUS (an error status such as 401, 429 or 503), 403-waf, content-type, expired (until the next sign-in),
      reset, timeout, truncated, drip, late=SECONDS

    \b
    Examples:
      tfx replay cassettes/session-us.json -- app.py --verbose
      tfx replay cassettes/session-us.json --freeze -- -m mypackage
      tfx replay my-week --allow loopback -- bridge.py              (that talks to a server on this machine, too)
      tfx replay cassettes/session-us.json --json -- app.py > usage.json
      tfx replay cassettes/session-us.json --fault pump-logs:1:429 --fault any:3:reset --virtual-clock -- app.py
      tfx replay cassettes/session-us.json --as-era 2025 -- old_client.py
      tfx replay cassettes/session-us.json -- node app.js
      tfx replay cassettes/session-us.json --serve > cassette.env &
    """
    from replayer.guard.ways import is_host
    from replayer.replay import Replay
    from replayer.usage.report import exit_code, lines, machine_readable
    from tfx.errors import UsageError
    from tfx.store import opened

    if not all(map(is_host, options["allowed"])):
        raise UsageError("--allow takes loopback, an address or a name, without a port, or unix:/PATH; one that was given is none of these")
    recorded = opened(cassette)
    if not program and not serve:
        raise UsageError("name the PROGRAM to run, after two dashes: tfx replay CASSETTE -- PROGRAM ARGS; or --serve the cassette")
    running = Replay(
        recorded,
        strict_windows=options["strict_windows"],
        faults=options["faults"],
        as_era=options["as_era"],
        signed_in=options["signed_in"],
    )
    running.look_through()
    recorded = running.cassette
    line = _line(program, serve=serve)
    if line is not None and line.is_python and not serve:
        from replayer.programs.program import run

        outcome = run(line, cassette=cassette, quiet=as_json, **options)
    else:
        if options["freeze"] or options["programs"] or options["virtual_clock"] or options["allowed"]:
            raise UsageError(_only_for_python(cassette, running))
        outcome = _served(line, running, port=port, as_json=as_json, sealed=not unsealed)
    if as_json:
        click.echo(machine_readable(recorded, outcome, cassette))
    for words in lines(recorded, outcome, all_used=all_used):
        click.echo(f"tfx: {words}", err=True)
    return exit_code(recorded, outcome, all_used=all_used)


def _line(program: tuple[str, ...], *, serve: bool) -> "Line | None":
    from replayer.programs.program import as_it_is, command

    return (as_it_is if serve else command)(program) if program else None


def _only_for_python(cassette: Path, running: "Replay") -> str:
    clock = f"TZ=UTC tfx replay {cassette} -- faketime -f '@{running.cassette.clock:%Y-%m-%d %H:%M:%S}' PROGRAM"
    return (
        "--freeze, --virtual-clock, --allow and --allow-programs are for Python programs that tfx runs itself; leave them out. "
        f"libfaketime sets the clock of other programs: {clock}"
    )


def _served(line: "Line | None", running: "Replay", *, port: int, as_json: bool, sealed: bool) -> "Outcome":
    from replayer.programs import served

    if line is not None:
        return served.run(line, running, port=port, quiet=as_json, sealed=sealed)
    return served.until_interrupted(running, port=port, tell=_environment_as_json if as_json else _environment_as_lines)


def _environment_as_lines(environment: Mapping[str, str]) -> None:
    click.echo("# The cassette is served; Ctrl-C ends it.", err=True)
    for name, value in environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _environment_as_json(environment: Mapping[str, str]) -> None:
    click.echo(json.dumps({"environment": dict(environment)}))
