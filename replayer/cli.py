"""`tfx replay`: run a program offline against a cassette. Parses, runs, prints."""

from pathlib import Path

import click


@click.command()
@click.argument("cassette", type=click.Path(path_type=Path))
@click.argument("program", nargs=-1, type=click.UNPROCESSED, metavar="-- PROGRAM [ARGS]...")
@click.option("--all-used", is_flag=True, help="Fail if an exchange on the cassette was not asked for.")
@click.option("--freeze", is_flag=True, help="Set the program's clock to the cassette's.")
@click.option("--strict-windows", is_flag=True, help="Answer only the date windows that were recorded.")
@click.option(
    "--allow-programs",
    "programs",
    metavar="NAME",
    multiple=True,
    help="Let the program start NAME (curl, sh), which is refused otherwise: tfx cannot see into it. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a report on stdout; what the program prints goes to stderr.")
def replay(
    cassette: Path,
    program: tuple[str, ...],
    *,
    all_used: bool,
    freeze: bool,
    strict_windows: bool,
    programs: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run a Python program offline: CASSETTE answers everything it asks Tandem Source, and nothing else is let out.

    PROGRAM is a .py file, -m MODULE, python ..., or a console script written in Python. It logs in with any e-mail address and password.
    Exit code 1 if it asked for something that is not on the cassette or tried to reach the network, whatever it made of the error;
    otherwise the program's own.

    \b
    Examples:
      tfx replay cassettes/session-us.json -- app.py --verbose
      tfx replay cassettes/session-us.json --freeze -- -m mypackage
      tfx replay cassettes/session-us.json --json -- simulator/reading_program.py us 2024-07-02 2024-07-03
    """
    from replayer import program as runner
    from replayer.session import Replay
    from tfx.errors import UsageError
    from tfx.store import load

    recorded = load(cassette)
    if not program:
        raise UsageError("name the PROGRAM to run, after two dashes: tfx replay CASSETTE -- PROGRAM ARGS")
    Replay(recorded, strict_windows=strict_windows).look_through()
    outcome = runner.run(program, cassette=cassette, freeze=freeze, strict_windows=strict_windows, programs=programs, quiet=as_json)
    from replayer.report import exit_code, lines, machine_readable

    if as_json:
        click.echo(machine_readable(recorded, outcome))
    for line in lines(recorded, outcome, all_used=all_used):
        click.echo(f"tfx: {line}", err=True)
    return exit_code(recorded, outcome, all_used=all_used)
