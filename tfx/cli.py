"""The `tfx` command: verbs are listed by name, and a stage is imported when its verb is used.

Errors become one paragraph on stderr and the exit code of the contract; a fault of tfx itself says where it happened and never
what was in hand.
"""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

import click

from tfx import __version__
from tfx.errors import InputError, TfxError
from tfx.extras import missing
from tfx.stages import stage

VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "record": ("recorder.cli:record", "Record an account, sanitized, to cassettes/NAME.json."),
        "show": ("replayer.contents.show:show", "List what is on a cassette."),
        "sanitize": ("sanitizer.cli:sanitize", "Sanitize recordings, or check that cassettes are clean."),
        "replay": ("replayer.cli:replay", "Run a program offline against a cassette."),
        "pipeline": ("pipeline.cli:pipeline", "Load pump events into DuckDB, from a cassette or live."),
        "verify": ("recorder.verify:verify", "Compare a cassette with the live service."),
        "diff": ("replayer.contents.diff:diff", "Compare two cassettes: has the service changed?"),
        "convert": ("sanitizer.files.convert:convert", "Convert to and from vcrpy and HAR."),
        "prune": ("replayer.usage.prune:prune", "Remove from a cassette what no test requests."),
        "orphans": ("replayer.usage.prune:orphans", "List cassettes that no test uses."),
        "simulate": ("simulator.cli:simulate", "Run a simulated Tandem Source."),
        "demo": ("simulator.demo:demo", "Run the whole loop on the simulated service."),
    }
)


class LazyVerbs(click.Group):
    """A group whose commands are imported when they are asked for: `tfx --help` loads no stage."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order in which people need them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, or None if there is no such verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command = stage(VERBS[cmd_name][0])
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with their one line each, without loading them."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command and what is left of the line; an unknown verb is answered with the known ones."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            known = f". Did you mean {near[0]!r}?" if near else f"; the verbs are {', '.join(VERBS)}"
            raise click.UsageError(f"there is no verb {args[0][:40]!r}{known}", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=LazyVerbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tfx")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Record Tandem Source once, remove every secret and identifier, replay it offline.

    \b
    Examples:
      tfx demo                                    run the whole loop on a simulated service
      tfx record my-week --days 7                 record your account; asks for credentials
      tfx sanitize --check cassettes/             check that cassettes are clean
      tfx replay cassettes/my-week.json -- app.py run your program offline against it
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError(f"name a verb: {', '.join(VERBS)}", ctx)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with the contract's code: 0 done, 1 found something, 2 bad input, 3 the service failed."""
    # A process may be started with its streams closed (`>&-`): nobody listens, and that is no error.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115  # open as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115  # as above
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # which would leave temporary folders behind, and say nothing
        signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(arguments))


class _Terminated(KeyboardInterrupt):
    """SIGTERM, as something every `finally` on the way out sees."""


def _terminated(_number: int, _frame: object) -> None:
    raise _Terminated


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give back its exit code."""
    try:
        result = cli.main(args=None if arguments is None else list(arguments), prog_name="tfx", standalone_mode=False)
        sys.stdout.flush()  # a full disk or a reader that has gone shows here, and not in the interpreter's last words
    except click.exceptions.Exit as error:
        return error.exit_code
    except SystemExit as error:
        # Click leaves like this when whoever read our output has gone, as in `tfx show | head`: nothing is wrong with that.
        gone = isinstance(error.__context__, OSError) and error.__context__.errno == errno.EPIPE
        return 0 if gone else error.code if isinstance(error.code, int) else TfxError.exit_code
    except BrokenPipeError:
        # The same, met at the last flush; a second failure at exit is kept quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the last rim: a traceback would print what was in hand
        text, code = next(words(error) for kind, words in WORDS if isinstance(error, kind))
        click.echo(f"tfx: {text.rstrip('.')}.", err=True)
        return code
    return result if isinstance(result, int) else 0


def _own_fault(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    text = (
        f"a fault of tfx itself ({type(error).__name__} in {os.path.basename(last.filename)}, line {last.lineno}); nothing was written. "  # noqa: PTH119  # pathlib is not loaded for one name
        "Please report it with this line; TFX_DEBUG=1 lists the calls that led there"
    )
    if os.environ.get("TFX_DEBUG") == "1":
        # Places only: neither the message nor the source line nor a local is printed, for each may hold a secret.
        text += "".join(f"\n  {os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)  # noqa: PTH119  # pathlib is not loaded for one name
    return text


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
        return f"name what to do: {', '.join(error.ctx.command.list_commands(error.ctx))}. See: {error.ctx.command_path} --help"
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "tfx"
    text = error.format_message().rstrip(".")
    for click_says, tfx_says in PLAINLY.items():
        text = text.replace(click_says, tfx_says)
    return f"{text}{'' if text.endswith('?') else '.'} See: {where} --help"


def _outside(error: OSError) -> str:
    # Only what the system itself says: the text of a library's error may quote what was in hand.
    what = error.strerror if type(error).__module__ == "builtins" and error.strerror else type(error).__name__
    where = f" ({error.filename})" if type(error).__module__ == "builtins" and isinstance(error.filename, str) else ""
    return f"a file, folder or connection cannot be used{where}: {what}; check it and run the command again"


PLAINLY: Mapping[str, str] = MappingProxyType(
    {
        "No such command": "there is no verb",
        "does not match the format '%Y-%m-%d'": "is not a date, such as 2026-03-01",
        "is not a valid integer range": "is not a whole number",
        "is not a valid integer": "is not a whole number",
        "is not a valid float range": "is not a number",
    }
)
"""What Click says of a mistake, and what is said in its place."""

_STOPPED = ("interrupted; nothing was left half written", 130)
_TERMINATED = ("ended by SIGTERM; nothing was left half written", 143)

WORDS: tuple[tuple[type[BaseException], Callable[..., tuple[str, int]]], ...] = (
    (TfxError, lambda error: ("; ".join((str(error), *getattr(error, "__notes__", ()))), error.exit_code)),
    (click.ClickException, lambda error: (_usage(error), InputError.exit_code)),
    (click.Abort, lambda error: _TERMINATED if isinstance(error.__cause__, _Terminated) else _STOPPED),  # Click wraps what stopped it
    (_Terminated, lambda _: _TERMINATED),
    (KeyboardInterrupt, lambda _: _STOPPED),
    (OSError, lambda error: (_outside(error), InputError.exit_code)),
    (ModuleNotFoundError, lambda error: (str(missing(error.name) or _own_fault(error)), TfxError.exit_code)),
    (BaseException, lambda error: (_own_fault(error), TfxError.exit_code)),
)
"""What is said of each kind of error, and the exit code; the first kind that fits counts."""


if __name__ == "__main__":
    main()
