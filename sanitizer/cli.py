"""`tfx sanitize`: the only module of the sanitizer that touches files."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sanitizer.findings import Finding
from tfx.cassette import KEEP, VALUES
from tfx.errors import TfxError, UsageError

if TYPE_CHECKING:
    from sanitizer.convert import Imported
    from sanitizer.policy import Policy
    from tfx.cassette import Cassette

LEFTOVERS = (".orig", ".bak", ".rej", ".swp", ".tmp", ".har", ".yaml", ".yml")
"""Files that hold recordings beside cassettes and that a check of `*.json` alone would never open."""

FOREIGN = {".har": "a HAR file", ".yaml": "a vcrpy cassette", ".yml": "a vcrpy cassette"}


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found in one file, and where it was written."""

    path: str
    findings: list[Finding] = field(default_factory=list)
    touched: dict[str, dict[str, int]] = field(default_factory=dict)
    imported: str = ""
    written: str = ""
    cassette: "Cassette | None" = None
    elsewhere: int = 0

    def told(self) -> dict[str, object]:
        """The same for a machine."""
        findings = [asdict(finding) for finding in self.findings]
        return {"path": self.path, "findings": findings, "touched": self.touched, "imported": self.imported, "written": self.written}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and list every place that could not have come out of the sanitizer.")
@click.option("--explain", is_flag=True, help="Show which rule touched which place, and how often.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write the clean cassettes there instead of in place.")
@click.option("--edited", is_flag=True, help="Take cassettes that were edited by hand: every rule is applied anew, then they are sealed.")
@click.option(
    "--values",
    type=click.Choice(VALUES),
    help="synthetic makes every amount of glucose, insulin and carbohydrate anew.  [default: keep; what is synthetic stays so]",
)
@click.option("--policy", "own", type=click.Path(path_type=Path), metavar="FILE", help="Rules of your own for places that have none.")
@click.option("--suggest", is_flag=True, help="Write nothing; print such a FILE for the places without a rule.")
@click.option(
    "--report", "audit", type=click.Path(path_type=Path), metavar="FILE", help="Tell what was done and left in: .json or Markdown."
)
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable report.")
def sanitize(
    paths: tuple[Path, ...],
    *,
    check: bool,
    explain: bool,
    output: Path | None,
    edited: bool,
    values: str | None,
    own: Path | None,
    suggest: bool,
    audit: Path | None,
    as_json: bool,
) -> int:
    """Make cassettes clean, or check that they are.

    PATHS are cassettes, or folders of them. Sanitizing a clean cassette changes nothing; one made by an older policy gets the rules
    of this one; one that was renamed takes its file's name over. A HAR file or vcrpy cassette becomes a cassette in the folder that
    --output names.

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
    if check and (output or edited or explain or values):
        raise UsageError("--check only looks, so it takes no --output, --edited, --explain or --values; leave them out")
    from sanitizer.own import rules_of

    rules = rules_of(own)
    files = list(_files(paths))
    if not files:
        raise UsageError(f"there is no cassette in {', '.join(map(str, paths))}; record one with: tfx record NAME")
    if suggest:
        from sanitizer.suggest import suggested

        click.echo(suggested(finding for path in files for finding in _looked_over(path, rules)), nl=False)
        return 0
    reports: list[Report] = []
    refused = ""
    try:
        for path in files:
            reports.append(_checked(path, rules) if check else _cleaned(path, output, rules, edited=edited, values=values))
    except TfxError as error:
        # The name of a file that became no cassette was never tested: it may be somebody's.
        refused = str(error).replace(str(path), "the file").replace(path.name, "the file").replace(path.stem, "NAME")
        raise
    finally:
        if audit:
            _audit(audit, reports, rules, refused=refused, own=bool(own))
    if as_json:
        click.echo(json.dumps({"files": [report.told() for report in reports]}, ensure_ascii=False, indent=1))
    else:
        _show(reports, check=check, explain=explain)
    return 1 if check and any(report.findings for report in reports) else 0


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = (inner for inner in sorted(path.rglob("*")) if inner.is_file())
            yield from (inner for inner in found if inner.suffix == ".json" or inner.suffix in LEFTOVERS or inner.name.endswith("~"))
        elif path.exists():
            yield path
        else:
            raise UsageError(f"{path} does not exist; name a cassette or a folder of cassettes")


def _looked_over(path: Path, rules: "Policy | None") -> Iterable[Finding]:
    """What is found in a recording of any sort, without writing anything."""
    from sanitizer.check import looked_at
    from tfx.store import load

    what = _foreign(path)
    if not what:
        return looked_at(load(path, edited=True), rules=rules)
    from sanitizer.convert import imported

    return imported(_recording(path, what), name=path.stem, rules=rules).done.findings


def _audit(file: Path, reports: list[Report], rules: "Policy | None", *, refused: str, own: bool) -> None:
    from sanitizer.report import Entry, write

    entries = [
        Entry(
            cassette=report.cassette,
            findings=report.findings,
            touched={(word, place): number for word, places in report.touched.items() for place, number in places.items()},
            refused="" if report.cassette else "; ".join(finding.kind for finding in report.findings),
            imported=bool(report.imported),
            elsewhere=report.elsewhere,
        )
        for report in reports
    ]
    write(file, [*entries, *([Entry(refused=refused)] if refused else [])], rules, own=own)


def _checked(path: Path, rules: "Policy | None" = None) -> Report:
    from sanitizer.check import check
    from sanitizer.run import NOT_UNDERSTOOD
    from tfx.store import loads

    report = Report(path=str(path))
    try:
        foreign = _foreign(path)
        if foreign:
            report.findings.append(Finding(exchange=0, place="file", kind=f"{foreign}, not a cassette"))
            return report
        data = path.read_bytes()
        report.findings.extend(check(data, str(path), rules=rules))
        report.cassette = loads(data, str(path))
        if json.loads(data)["name"] != path.stem:
            report.findings.append(
                Finding(exchange=0, place="name", kind=f"not the name of the file; take that over with: tfx sanitize {path}")
            )
    except OSError as error:
        report.findings.append(Finding(exchange=0, place="file", kind=f"cannot be read ({error.strerror})"))
    except NOT_UNDERSTOOD:
        report.findings.append(Finding(exchange=0, place="file", kind="cannot be understood, so nothing says that it is clean"))
    except TfxError as error:
        # The message names the file; the line it stands on does so already.
        report.findings.append(Finding(exchange=0, place="file", kind=str(error).removeprefix(f"{path} ")))
    return report


def _cleaned(path: Path, output: Path | None, rules: "Policy | None", *, edited: bool, values: str | None) -> Report:
    from sanitizer.scrub import again
    from tfx.store import dumps, load, save

    foreign = _foreign(path)
    imported = _imported(path, output, foreign, rules, values or KEEP) if foreign else None
    done = imported.done if imported else again(replace(load(path, edited=edited), name=path.stem), values, rules)
    report = Report(
        path=str(path),
        findings=list(done.findings),
        imported=imported.places if imported else "",
        cassette=done.cassette,
        elsewhere=imported.elsewhere if imported else 0,
    )
    for (word, place), number in sorted(done.touched.items()):
        report.touched.setdefault(word, {})[place] = number
    if output or dumps(done.cassette) != path.read_bytes():
        report.written = str(save(done.cassette, output or path.parent))
    return report


def _recording(path: Path, what: str) -> Path:
    if what not in FOREIGN.values():
        raise UsageError(f"{path} is {what}, not a recording; remove it, for nothing checks what it holds")
    return path


def _imported(path: Path, output: Path | None, what: str, rules: "Policy | None", values: str) -> "Imported":
    from sanitizer.convert import imported
    from tfx.store import path_of

    _recording(path, what)
    if output is None:
        raise UsageError(
            f"{path} is {what}, and its cassette needs a place of its own; name one with: tfx sanitize {path} --output cassettes"
        )
    if path_of(path.stem, output).exists():
        raise UsageError(f"{output / path.stem}.json exists, and importing {path} replaces nothing; name another folder or remove it")
    return imported(path, name=path.stem, rules=rules, values=values)


def _foreign(path: Path) -> str:
    """What a file is that is no cassette but holds a recording; empty for anything that claims to be a cassette."""
    if path.suffix != ".json":
        return FOREIGN.get(path.suffix, "a leftover of an editor or merge")
    start = path.read_bytes()[:4096].lstrip()
    if b'"tfx_cassette"' in start:
        return ""
    if b'"log"' in start:
        return "a HAR file"
    return "a vcrpy cassette" if b'"interactions"' in start or b'"http_interactions"' in start else ""


def _show(reports: list[Report], *, check: bool, explain: bool) -> None:
    for report in reports:
        for finding in report.findings:
            click.echo(f"{report.path} {finding}")
            for line in finding.rule.splitlines():
                click.echo(f"    rule to add, with --policy FILE: {line}")
        for word, places in report.touched.items() if explain else ():
            click.echo(f"{report.path} {word}: {sum(places.values())}")
            for place, number in places.items():
                click.echo(f"    {number:6} {place}")
        if report.imported:
            click.echo(f"{report.path} {report.imported}")
        if report.written:
            click.echo(f"{report.path} -> {report.written}")
    dirty = sum(bool(report.findings) for report in reports)
    cassettes = f"{len(reports)} cassette" + ("s" if len(reports) > 1 else "")
    if check:
        click.echo(f"{dirty} of {cassettes} not clean" if dirty else f"{cassettes} clean")
    elif not any(report.written for report in reports):
        click.echo(f"{cassettes} clean already, nothing written")
