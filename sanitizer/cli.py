"""`tfx sanitize`: the command parses, has each file looked at or made clean, prints, exits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from sanitizer.findings import listed
from sanitizer.folders import files_in, foreign
from sanitizer.options import Origin, of_imports
from sanitizer.outcomes import Cleaning, Report, checked, cleaned, looked_over
from tfx.cassette import VALUES
from tfx.errors import UsageError

if TYPE_CHECKING:
    from sanitizer.policy import Policy

MEANS_NOTHING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "check": ("output", "edited", "explain", "values", "suggest", "name", "era", "region", "clock", "leave_out_refused"),
        "suggest": ("output", "edited", "explain", "values", "name", "report", "as_json"),
    }
)
"""An option that writes nothing -> those that mean nothing beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said on the command line."""

    paths: tuple[Path, ...]
    check: bool
    explain: bool
    output: Path | None
    name: str | None
    edited: bool
    values: str | None
    own: Path | None
    suggest: bool
    report: Path | None
    era: str | None
    region: str | None
    clock: str | None
    leave_out_refused: bool
    as_json: bool

    def fits(self) -> None:
        """UsageError where two options contradict each other."""
        for option, others in MEANS_NOTHING.items():
            odd = [f"--{other.removeprefix('as_').replace('_', '-')}" for other in others if getattr(self, other)]
            if getattr(self, option) and odd:
                raise UsageError(f"--{option} only looks, so it takes no {' or '.join(odd)}; leave {'it' if len(odd) == 1 else 'them'} out")
        if self.report:
            from sanitizer.report import writable

            writable(self.report)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and list every place that could not have come out of the sanitizer.")
@click.option(
    "--explain",
    is_flag=True,
    help="Show which rule touched or kept which place, and how often; a foreign file without --output is not written.",
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write the clean cassettes there instead of in place.")
@click.option("--name", metavar="NAME", help="The name of the cassette that a foreign file becomes.  [default: import-1 and so on]")
@click.option("--edited", is_flag=True, help="Take cassettes that were edited by hand: every rule is applied anew, then they are sealed.")
@click.option(
    "--values",
    type=click.Choice(VALUES),
    help="synthetic makes every amount of glucose, insulin and carbohydrate anew.  [default: keep; what is synthetic stays so]",
)
@click.option(
    "--suggest",
    is_flag=True,
    help="Write nothing; print a FILE for --policy, for the places without a rule. It alone tells names tfx does not know: read them.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Tell what was done and left in: .json, or .md for Markdown."
)
@of_imports
def sanitize(**options: object) -> int:
    """Make cassettes clean, or check that they are.

    PATHS are cassettes, or folders of them. Sanitizing a clean cassette changes nothing; one made by an older policy gets the rules
    of this one; one that was renamed takes its file's name over. A HAR file or vcrpy cassette becomes a cassette in the folder that
    --output names. A file is often called after a person, so the cassette has its name only where every word of that tells of nobody
    (browser, week, session-us); else it is import-1, or what --name says. Each file has its own outcome: of a refused one nothing is
    written, the others go on, and the exit code is 1.

    A check exits with 1 if any file is not a clean cassette, one that is truncated or of another version included; with 2 only if
    there is nothing there to check.

    In a folder that is checked every file must be a clean cassette, but for .gitattributes, .gitignore, an empty .gitkeep and
    README.md, which are passed by their names and not read.

    \b
    Examples:
      tfx sanitize --check cassettes/             what pre-commit runs; needs no secrets
      tfx sanitize --explain cassettes/week.json  which rule touched which place
      tfx sanitize --edited cassettes/week.json   after "replay": {"repeat": "last", "ignore": []} was added by hand
      tfx sanitize --values synthetic --output public cassettes/week.json
                                                  the same events with invented amounts
      tfx sanitize browser.har --output cassettes what a browser recorded becomes cassettes/browser.json
      tfx sanitize browser.har --suggest > tfx.toml   rules for what tfx does not know; read them, then use them with --policy tfx.toml
      tfx sanitize cassettes --report audit.md    what was done, and what is left that narrows the crowd
    """
    asked = Asked(**options)  # type: ignore[arg-type]  # Click's own types, one field each
    asked.fits()
    from sanitizer.own import rules_of

    rules = rules_of(asked.own)
    files, passed = files_in(asked.paths)
    origin = Origin.parse(era=asked.era, region=asked.region, clock=asked.clock, leaves_out=asked.leave_out_refused)
    if asked.suggest:
        reports = [looked_over(path, rules, origin) for path in files]
        _suggest(reports, rules)
    elif asked.check:
        reports = [checked(path, rules) for path in files]
    else:
        how = Cleaning(
            output=asked.output, name=_name(asked, files), edited=asked.edited, explains=asked.explain, values=asked.values, origin=origin
        )
        reports = [cleaned(path, how, rules) for path in files]
    if asked.report:
        _audit(asked.report, reports, rules, own=bool(asked.own))
    if asked.as_json:
        click.echo(json.dumps({"files": [report.told() for report in reports]}, ensure_ascii=False, indent=1))
    elif not asked.suggest:
        _show(reports, passed, check=asked.check, explain=asked.explain)
    return _exit_code(reports, check=asked.check)


def _name(asked: Asked, files: Sequence[Path]) -> str:
    if asked.name and (len(files) != 1 or not foreign(files[0])):
        raise UsageError("--name is for one HAR file or vcrpy cassette; a cassette is called what its file is called")
    return asked.name or ""


def _exit_code(reports: Sequence[Report], *, check: bool) -> int:
    """1 where something was found or refused, else the gravest of what went wrong."""
    codes = {report.exit_code for report in reports} | {int(check and bool(report.findings)) for report in reports}
    return 1 if 1 in codes else max(codes, default=0)


def _suggest(reports: Sequence[Report], rules: "Policy | None") -> None:
    from sanitizer.policy import policy
    from sanitizer.suggest import suggested

    click.echo(suggested((finding for report in reports for finding in report.findings), rules or policy()), nl=False)
    _refused(reports)


def _refused(reports: Sequence[Report]) -> None:
    for number, report in enumerate(reports, 1):
        if report.refused:
            # Where a file may not be named, it is told by its place among those that were.
            which = f"file {number}" if len(reports) > 1 else "the file"
            text = f"{which}{report.refused.removeprefix('the file')}" if report.refused.startswith("the file") else report.refused
            click.echo(f"tfx: {text.rstrip('.')}.", err=True)


def _audit(file: Path, reports: Sequence[Report], rules: "Policy | None", *, own: bool) -> None:
    from sanitizer.report import Entry, write

    entries = [
        Entry(
            name=report.called,
            cassette=report.cassette,
            findings=report.findings,
            touched={(word, place): number for word, places in report.touched.items() for place, number in places.items()},
            refused="" if report.cassette else _untold(report) or "; ".join(finding.kind for finding in report.findings),
            imported=bool(report.imported),
            elsewhere=report.elsewhere,
            left_out=report.left_out,
        )
        for report in reports
    ]
    write(file, entries, rules, own=own)


def _untold(report: Report) -> str:
    """Why a file was refused, without its name where that was not tested: it may be somebody's."""
    path = Path(report.path)
    text = report.refused.replace(str(path), path.name)
    return text if report.called else text.replace(path.name, "the file").replace(path.stem, "NAME")


def _show_one(report: Report, *, explain: bool) -> None:
    for finding in report.findings:
        click.echo(f"{report.path} {finding}")
    for word, places in report.touched.items() if explain else ():
        click.echo(f"{report.path} {word}: {sum(places.values())}")
        for place, number in places.items():
            click.echo(f"    {number:6} {place}")
    if report.left_out:
        click.echo(f"{report.path} exchanges left out because they cannot be understood: {report.left_out}")
    if report.elsewhere:
        click.echo(f"{report.path} requests left out, to other hosts or without an answer: {listed(report.elsewhere)}")
    if report.imported:
        click.echo(f"{report.path} {report.imported}")
    if report.written:
        click.echo(f"{report.path} -> {report.written}")


def _show(reports: Sequence[Report], passed: Sequence[Path], *, check: bool, explain: bool) -> None:
    for report in reports:
        _show_one(report, explain=explain)
    _refused(reports)
    for path in passed if check else ():
        click.echo(f"{path} passed by its name, not read")
    dirty = sum(bool(report.findings) for report in reports)
    cassettes = f"{len(reports)} cassette" + ("" if len(reports) == 1 else "s")
    if check:
        click.echo(f"{dirty} of {cassettes} not clean" if dirty else f"{cassettes} clean")
    elif any(report.imported and not report.written for report in reports):
        click.echo("nothing of a foreign file was written: that takes --output")
    elif not any(report.written or report.refused for report in reports):
        click.echo(f"{cassettes} clean already, nothing written")
