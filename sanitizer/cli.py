"""`tfx sanitize`: parse the command line, check or clean each file, print, exit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from sanitizer.audit.findings import listed
from sanitizer.files.input_files import files_in, foreign
from sanitizer.files.options import Origin, of_imports
from sanitizer.files.outcomes import Cleaning, Report, checked, cleaned, looked_over
from tfx.cassette import VALUES
from tfx.cassette_argument import CASSETTES
from tfx.errors import UsageError
from tfx.plural import plural

if TYPE_CHECKING:
    from sanitizer.files.targets import Targets
    from sanitizer.policy.policy import Policy

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
                raise UsageError(
                    f"--{option} writes no cassette, so it excludes {' or '.join(odd)}; leave {'it' if len(odd) == 1 else 'them'} out"
                )
        if self.report:
            from sanitizer.audit.report import check_form

            check_form(self.report)

    def targets(self, files: Sequence[Path], passed: Sequence[Path]) -> "Targets":
        """Where each file is written; UsageError where something would be lost."""
        from sanitizer.files.targets import Targets, targets

        found = targets(files, self.paths, self.output, self.name or "") if self.output else Targets()
        if self.report is None:
            return found
        from sanitizer.audit.report import writable
        from tfx.output_file import place_of

        own = (self.own,) if self.own else ()
        writable(self.report, [*files, *passed, *own, *found.of.values()])
        return replace(found, taken=found.taken | {place_of(self.report)})


@click.command()
@click.argument("paths", nargs=-1, required=True, type=CASSETTES)
@click.option("--check", is_flag=True, help="Write nothing; list every place that may be personal, and exit with 1 if there are any.")
@click.option(
    "--explain",
    is_flag=True,
    help="Show which rule changed or kept which place, and how often.",
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write cassettes to this folder instead of in place.")
@click.option("--name", metavar="NAME", help="Name of the cassette made from a HAR or vcrpy file.  [default: import-1 and so on]")
@click.option("--edited", is_flag=True, help="Accept cassettes edited by hand: apply every rule again and renew counts and digest.")
@click.option(
    "--values",
    type=click.Choice(VALUES),
    help="Keep amounts of glucose, insulin and carbohydrate, or invent them.  [default: as they are]",
)
@click.option(
    "--suggest",
    is_flag=True,
    help="Write nothing; print suggested rules, for --policy. Read them first: they may contain personal names.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Write what was replaced and what was kept, as .json or .md."
)
@of_imports
def sanitize(**options: object) -> int:
    """Sanitize recordings, or check that cassettes are clean.

    PATHS are cassettes, HAR files, vcrpy cassettes, or folders of cassettes. Cassettes are sanitized in place (a clean one does
    not change); a HAR or vcrpy file becomes a cassette in the folder given by --output. Cassettes of a folder keep the folders below it
    there, and what exists there is replaced only by a new result of the same cassette. The own name of a HAR or vcrpy file is used
    only if all words of it are plain ones (browser, week, session-us), because files are often named after a person; otherwise it is
    import-1 and so on, or --name.

    Each file succeeds or fails on its own, and of a refused file nothing is written. The exit code is 1 if anything was found that cannot
    be made clean, and 2 if files were only unusable: no recording, damaged, or a name that is taken.

    --check needs no secrets. It exits with 1 if any file is not a clean cassette (truncated and unknown versions included), and with 2
    if a folder holds nothing to check: it checks every file except .gitattributes, .gitignore, an empty .gitkeep and README.md.

    \b
    Examples:
      tfx sanitize --check cassettes/             what the pre-commit hook runs
      tfx sanitize --explain cassettes/week.json  which rule changed which place
      tfx sanitize --edited cassettes/week.json   after an edit by hand
      tfx sanitize --values synthetic --output public cassettes/week.json
                                                  the same events with invented amounts
      tfx sanitize browser.har --output cassettes write cassettes/browser.json
      tfx sanitize browser.har --suggest > tfx-policy.toml
                                                  rules for unknown places; read them, then add --policy tfx-policy.toml
      tfx sanitize cassettes --report audit.md    what was replaced, and what is left that may identify somebody
    """
    asked = Asked(**options)  # type: ignore[arg-type]  # Click's own types, one field each
    asked.fits()
    from sanitizer.policy.user_rules import rules_of

    rules = rules_of(asked.own)
    files, passed = files_in(asked.paths)
    origin = Origin.parse(era=asked.era, region=asked.region, clock=asked.clock, leaves_out=asked.leave_out_refused)
    name, targets = _name(asked, files), asked.targets(files, passed)
    if asked.suggest:
        reports = [looked_over(path, rules, origin) for path in files]
        _suggest(reports, rules)
    elif asked.check:
        reports = [checked(path, rules, named=asked.paths) for path in files]
    else:
        how = Cleaning(
            output=asked.output,
            targets=targets,
            name=name,
            edited=asked.edited,
            explains=asked.explain,
            values=asked.values,
            origin=origin,
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
    from sanitizer.policy.policy import policy
    from sanitizer.policy.suggest import suggested

    click.echo(suggested((finding for report in reports for finding in report.findings), rules or policy()), nl=False)
    _refused(reports)


def _refused(reports: Sequence[Report]) -> None:
    for number, report in enumerate(reports, 1):
        if report.refused:
            # A file that may not be named is reported by its number among the arguments.
            which = f"file {number}" if len(reports) > 1 else "the file"
            text = f"{which}{report.refused.removeprefix('the file')}" if report.refused.startswith("the file") else report.refused
            click.echo(f"tfx: {text.rstrip('.')}.", err=True)


def _audit(file: Path, reports: Sequence[Report], rules: "Policy | None", *, own: bool) -> None:
    from sanitizer.audit.report import Entry, write

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
        click.echo(f"{path} not read, because of its name")
    dirty = sum(bool(report.findings) for report in reports)
    cassettes = plural(len(reports), "cassette")
    if check:
        click.echo(f"{dirty} of {cassettes} not clean" if dirty else f"{cassettes} clean")
    elif any(report.imported and not (report.written or report.refused) for report in reports):
        click.echo("nothing was written: a HAR or vcrpy file needs --output")
    elif not any(report.written or report.refused for report in reports):
        click.echo(f"{cassettes} clean already, nothing written")
