"""`tfx prune` and `tfx orphans`: find what no test requested, from the report of a test run. Parses, decides, writes, prints."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import click

from tfx.cassette_argument import CASSETTE

if TYPE_CHECKING:
    from replayer.usage.losses import Losses
    from tfx.cassette import Cassette
    from tfx.exchange import Exchange


class _Scrubbed(Protocol):
    """What we need of a cassette that was sanitized again."""

    @property
    def cassette(self) -> "Cassette":
        """It."""
        ...


REPORT = click.option(
    "--usage",
    "report",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Usage report, written by pytest --cassette-report FILE or tfx replay --json > FILE.",
)


@click.command()
@click.argument("cassette", type=CASSETTE)
@REPORT
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if there is something to remove.")
@click.option("--without-login", is_flag=True, help="Also remove the sign-in, if no test signed in; refused otherwise.")
@click.option("--without-events", is_flag=True, help="Also remove the last pump events, if no test requested any; refused otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def prune(cassette: Path, report: Path, *, check: bool, without_login: bool, without_events: bool, as_json: bool) -> int:
    """Remove the exchanges of CASSETTE that no test requested.

    What goes, and which requests the cassette no longer answers, is printed first. The usage report must be of this file as it is, and of
    a run that left no test out.

    \b
    Examples:
      pytest --cassette-report usage.json; tfx prune cassettes/my-week.json --usage usage.json --check
      tfx prune cassettes/my-week.json --usage usage.json
      tfx replay cassettes/my-week.json --json -- app.py > usage.json; tfx prune cassettes/my-week.json --usage usage.json --check
    """
    from replayer.usage.losses import losses
    from tfx import store
    from tfx.errors import UsageError
    from tfx.output_file import is_same
    from tfx.stages import stage

    recorded = store.load(cassette)
    if not is_same(store.path_of(cassette.stem, cassette.parent), cassette):
        raise UsageError(f"{cassette} does not end in .json, as the pruned cassette would; rename it, then run the tests again")
    used = _used(cassette, report)
    kept = tuple(exchange for number, exchange in enumerate(recorded.exchanges, 1) if number in used)
    if not kept:
        raise UsageError(f"nothing asked for {cassette}, so pruning would leave nothing of it; if that is right, delete the file")
    if not without_login and _has_login(recorded.exchanges) and not _has_login(kept):
        raise UsageError(
            f"nobody signed in to {cassette} in that run, so pruning would leave it without a sign-in, and no client could; a client that "
            f"keeps tokens on disk may have used old ones: stop it from that and run again, or mean it with --without-login"
        )
    lost = losses(recorded, used)
    if lost.events and lost.are_all_events and not check and not without_events:
        raise UsageError(
            f"no test asked for pump events, so pruning would delete {lost.events_words} of {cassette}, and the service may not have "
            f"them any more; see what goes with --check, write a test that asks for them, or mean it with --without-events"
        )
    if not as_json:
        _echo(lost, check=check)
    if lost.labels and not check:
        # Counters begin at what is left, and synthetic amounts are those of what is left.
        again = cast("Callable[[Cassette], _Scrubbed]", stage("sanitizer.scrub:again"))
        store.save(again(replace(recorded, name=cassette.stem, exchanges=kept)).cassette, cassette.parent)
    if as_json:
        written = bool(lost.labels) and not check
        told = {"removed": lost.labels, "events": lost.events, "unanswered": lost.unanswered, "kept": len(kept), "written": written}
        click.echo(json.dumps({"cassette": str(cassette)} | told, indent=1))
    else:
        click.echo(f"{cassette}: {len(lost.labels)} of {len(recorded.exchanges)} exchanges {'are unused' if check else 'removed'}")
    return 1 if lost.labels and check else 0


def _echo(lost: "Losses", *, check: bool) -> None:
    """What goes, before it goes."""
    for number, label in lost.labels.items():
        click.echo(f"{'unused' if check else 'removing'}: #{number} {label}")
    for label in lost.unanswered:
        click.echo(f"after that, nothing answers: {label}")
    if check and lost.events_words:
        click.echo(f"tfx prune would delete {lost.events_words}{' (--without-events)' if lost.are_all_events else ''}")


@click.command()
@REPORT
@click.option(
    "--cassettes",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("cassettes"),
    show_default=True,
    help="Folder of the cassettes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def orphans(report: Path, cassettes: Path, *, as_json: bool) -> int:
    """List the cassettes that no test of a full run used; exit with 1 if there are any.

    \b
    Example:
      pytest --cassette-report usage.json; tfx orphans --usage usage.json
    """
    from replayer.usage.usage import read_report
    from tfx.errors import UsageError

    found = read_report(report)
    if not found.get("whole"):
        why = str(found.get("left_out") or "the program failed")
        raise UsageError(f"{report} is of a run that left something out, so it cannot say which cassettes are unused: {why}")
    if not cassettes.is_dir():
        raise UsageError(f"there is no folder {cassettes}; name it with --cassettes")
    used = {Path(path).name for path in cast("Mapping[str, object]", found["cassettes"])}
    left = sorted(str(path) for path in cassettes.glob("*.json") if path.name not in used)
    click.echo(
        json.dumps(left, indent=1) if as_json else "\n".join([*left, f"{len(left)} of {len(list(cassettes.glob('*.json')))} unused"])
    )
    return 1 if left else 0


def _has_login(exchanges: Iterable["Exchange"]) -> bool:
    from replayer.matching.bound import signs_in
    from replayer.matching.keys import question_of

    return any(signs_in(question_of(exchange.request).place) for exchange in exchanges)


def _used(cassette: Path, report: Path) -> frozenset[int]:
    """The exchanges a report says were used, if it speaks of this very cassette."""
    from replayer.usage.usage import fingerprint, read_report
    from tfx.errors import UsageError

    found = read_report(report)
    told = cast("Mapping[str, Mapping[str, object]]", found["cassettes"])
    mine = next((entry for path, entry in told.items() if Path(path).name == cassette.name), None)
    if mine is None:
        raise UsageError(f"{report} does not speak of {cassette.name}; if no test plays it, see: tfx orphans --usage {report}")
    if mine["sha256"] != fingerprint(cassette):
        raise UsageError(f"{cassette} has changed since {report} was written; run the tests again with --cassette-report")
    if not mine["whole"]:
        why = str(found.get("left_out") or f"tests that play {cassette.name} were skipped or failed")
        raise UsageError(f"{report} is of a run that left something out, so it cannot say which exchanges are unused: {why}")
    return frozenset(cast("list[int]", mine["used"]))
