"""The outcome of each file, independent of the others: clean, not clean, cleaned, or refused without output."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sanitizer.audit.findings import Finding
from sanitizer.files.input_files import IMPORTED, foreign, is_telling_together, odd, public_part
from tfx.cassette import KEEP
from tfx.errors import RefusedError, TfxError, UsageError
from tfx.output_file import is_same, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sanitizer.files.options import Origin
    from sanitizer.files.targets import Targets
    from sanitizer.policy.policy import Policy
    from tfx.cassette import Cassette


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """How files are made clean: what was said on the command line. `explains`: a foreign file without `output` is only explained."""

    targets: "Targets"
    output: Path | None = None
    name: str = ""
    edited: bool = False
    explains: bool = False
    values: str | None = None
    origin: "Origin"


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found in one file, and where it was written; or why it was refused, and the exit code of that.

    `called` is the file's name where it may stand in a report: it was held against what was seen in the file.
    """

    path: str
    findings: list[Finding] = field(default_factory=list)
    touched: dict[str, dict[str, int]] = field(default_factory=dict)
    imported: str = ""
    written: str = ""
    refused: str = ""
    exit_code: int = 0
    called: str = ""
    cassette: "Cassette | None" = None
    elsewhere: tuple[int, ...] = ()
    left_out: int = 0

    def told(self) -> dict[str, object]:
        """The same for a machine."""
        findings = [{"exchange": one.exchange, "place": one.place, "kind": one.kind} for one in self.findings]
        told = {"path": self.path, "findings": findings, "touched": self.touched, "imported": self.imported, "written": self.written}
        return {**told, "refused": self.refused or None, "left out": self.left_out, "elsewhere": list(self.elsewhere)}

    def refuse(self, error: TfxError) -> None:
        """Say why nothing came of the file."""
        text = str(error)
        self.refused = text if self.path in text or Path(self.path).name in text or text.startswith("the file") else f"{self.path}: {text}"
        self.exit_code = error.exit_code


def cassette_name(path: Path, folder: Path, targets: "Targets") -> str:
    """A name for the cassette of a foreign file: its own where every word of that tells of nobody, else the next free number.

    What somebody calls an export of an account is often whose it is, in a spelling that no comparison foresees; and a cassette's name is
    public.
    """
    from sanitizer.files.cassette_names import plain_name
    from tfx.store import path_of

    numbered = (f"import-{number}" for number in count(1))
    return plain_name(path.stem) or next(name for name in numbered if _is_free(path_of(name, folder), targets))


def _is_free(path: Path, targets: "Targets") -> bool:
    return not path.exists() and place_of(path) not in targets.taken


@contextmanager
def _outcome(report: Report) -> Iterator[None]:
    """Whatever ends a file is said of that file, and the others are tried: what nobody thought of too, whose text may quote a value."""
    from sanitizer.run import NOT_UNDERSTOOD

    try:
        try:
            yield
        except NOT_UNDERSTOOD:
            raise RefusedError("the file cannot be understood, so nothing was written; export it another way") from None
    except TfxError as error:
        report.refuse(error)


def checked(path: Path, rules: "Policy | None" = None, *, named: "Sequence[Path]" = ()) -> Report:
    """What is not clean about a file; any file that is no whole cassette is a finding itself.

    `named` are the folders that were named to be checked: the names of those below are published with the file's.
    """
    from sanitizer.check import opened
    from sanitizer.run import NOT_UNDERSTOOD

    report = Report(path=str(path))
    try:
        what = odd(path) or foreign(path)
        if what:
            report.findings.append(Finding(exchange=0, place="file", kind=f"{what}, not a cassette"))
            return report
        if is_telling_together(path, named):
            report.findings.append(Finding(exchange=0, place="name", kind="a long number or a date, with the names of its folders"))
        data = path.read_bytes()
        report.cassette, found = opened(data, str(path), rules=rules)
        report.findings.extend(found)
        if report.cassette.name != path.stem:
            report.findings.append(Finding(exchange=0, place="name", kind=f"not the name of the file; {_renaming(path)}"))
    except OSError as error:
        report.findings.append(Finding(exchange=0, place="file", kind=f"cannot be read ({error.strerror})"))
    except NOT_UNDERSTOOD:
        report.findings.append(Finding(exchange=0, place="file", kind="cannot be understood, so nothing says that it is clean"))
    except TfxError as error:
        # The message names the file; the line it stands on does so already.
        report.findings.append(Finding(exchange=0, place="file", kind=str(error).removeprefix(f"{path} ")))
    return report


def _renaming(path: Path) -> str:
    """What makes the names of a file and its cassette one."""
    from tfx.store import path_of

    try:
        path_of(path.stem, path.parent)
    except UsageError:
        return "rename the file, for no cassette can have the name it has"
    return f"use that one with: tfx sanitize {path}"


def looked_over(path: Path, rules: "Policy | None", origin: "Origin") -> Report:
    """What is found in a recording of any sort, without writing anything."""
    from sanitizer.check import looked_at
    from tfx.store import load

    report = Report(path=str(path))
    with _outcome(report):
        if not foreign(path):
            report.findings += looked_at(load(path, edited=True), rules=rules)
        else:
            from sanitizer.files.convert import opened

            report.findings += opened(_recording(path), origin).cleaned(name="cassette", is_our_name=True, rules=rules).findings
    return report


def cleaned(path: Path, how: Cleaning, rules: "Policy | None") -> Report:
    """The file made clean and written, or refused with nothing of it written."""
    report = Report(path=str(path))
    with _outcome(report):
        if foreign(path):
            _import(report, path, how, rules)
        else:
            _again(report, path, how, rules)
    return report


def _again(report: Report, path: Path, how: Cleaning, rules: "Policy | None") -> None:
    from sanitizer.check import looked_at
    from sanitizer.scrub import again
    from tfx.store import dumps, save

    done = again(replace(_loaded(path, edited=how.edited), name=path.stem), how.values, rules)
    left = looked_at(done.cassette, rules=rules)
    if left:  # what the rules do not reach: the name of the file
        report.findings += [*done.findings, *left]
        raise RefusedError(f"{path} would not be clean for --check, so nothing was written; mend what is named above, then try again")
    _take(report, done.cassette, done.findings, done.touched)
    target = how.targets.of.get(path, path)
    is_new = not target.exists()
    _check_replaced(target, path, done.cassette, how, rules)
    if how.output or dumps(done.cassette) != path.read_bytes():
        report.written = str(save(done.cassette, target.parent, is_new=is_new))


def _loaded(path: Path, *, edited: bool) -> "Cassette":
    """The cassette in a file. What a file changed by hand says of removed places is not taken over: nobody can count them again."""
    from tfx.errors import CassetteError
    from tfx.store import load

    try:
        return load(path)
    except CassetteError:
        if not edited:
            raise
    return replace(load(path, edited=True), rules={})


def _check_replaced(target: Path, path: Path, made: "Cassette", how: Cleaning, rules: "Policy | None") -> None:
    """UsageError where the cassette that stands there is not the same one, sanitized before."""
    if not target.exists() or is_same(target, path) or _is_remade(target, made, how, rules):
        return
    raise UsageError(f"{target} exists and is not what {path} becomes, so it was not replaced; remove it, or name another folder")


def _is_remade(target: Path, made: "Cassette", how: Cleaning, rules: "Policy | None") -> bool:
    """Whether the same sanitizing makes the same of a file: then it holds nothing that would be lost."""
    from sanitizer.run import NOT_UNDERSTOOD
    from sanitizer.scrub import again
    from tfx.store import load

    try:
        known = again(replace(load(target), name=made.name), how.values, rules).cassette
    except (TfxError, *NOT_UNDERSTOOD):
        return False
    return replace(known, rules={}) == replace(made, rules={})


def _import(report: Report, path: Path, how: Cleaning, rules: "Policy | None") -> None:
    from sanitizer.files.convert import opened
    from tfx.store import path_of, save

    what = foreign(_recording(path))
    if how.output is None and not how.explains:
        raise UsageError(
            f"{path} is {what}, and its cassette needs a place of its own; name one with: tfx sanitize {path} --output cassettes"
        )
    folder = how.output or Path()
    name = how.name or cassette_name(path, folder, how.targets)
    target = path_of(name, folder)
    if how.output and target.exists():
        raise UsageError(f"{target} exists, and importing {path} replaces nothing; name another folder or --name, or remove it")
    found = opened(path, how.origin)
    report.called = found.where
    made = found.cleaned(
        name=name,
        is_our_name=not how.name,
        folder=public_part(folder) if how.output else "",
        rules=rules,
        values=how.values or KEEP,
    )
    _take(report, made.done.cassette, made.findings, made.done.touched)
    report.imported, report.elsewhere, report.left_out = made.places, made.elsewhere, made.left_out
    if how.output:
        report.written = str(save(made.done.cassette, how.output, is_new=True))


def _take(report: Report, cassette: "Cassette", findings: "tuple[Finding, ...]", touched: "Mapping[tuple[str, str], int]") -> None:
    report.cassette = cassette
    report.findings = list(findings)
    for (word, place), number in sorted(touched.items()):
        report.touched.setdefault(word, {})[place] = number


def _recording(path: Path) -> Path:
    what = foreign(path)
    if what not in IMPORTED:
        raise UsageError(f"{path} is {what}, not a recording; remove it, for nothing checks what it holds")
    return path
