"""`tfx convert`: recordings of other tools to cassettes by the same rules, and cassettes to other tools' formats."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import click

from sanitizer.audit.findings import Finding, listed, without_advice
from sanitizer.files.cassette_names import named_in
from sanitizer.files.input_files import public_part
from sanitizer.files.options import Origin, of_imports
from sanitizer.formats import har, vcr
from sanitizer.formats.nodes import json_file
from sanitizer.formats.recording import Recording, capture_of
from sanitizer.formats.safe_yaml import safe_yaml
from sanitizer.policy.policy import Policy
from sanitizer.policy.user_rules import rules_of
from sanitizer.scrub import Scrubbed, again, scrub
from tfx.capture import Capture
from tfx.cassette import KEEP, Cassette
from tfx.cassette_argument import CASSETTE
from tfx.errors import FormatError, LeakError, RefusedError, UsageError
from tfx.output_file import write_new
from tfx.plural import plural
from tfx.store import loads, path_of, save

WRITERS: Mapping[str, Callable[[Cassette], bytes]] = MappingProxyType(
    {
        ".har": har.write,
        ".yaml": lambda cassette: vcr.write(cassette, "yaml"),
        ".yml": lambda cassette: vcr.write(cassette, "yaml"),
    }
)
"""The suffix of OUT to what writes it; `.json` is a cassette, or vcrpy's where IN is a cassette itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A foreign file made clean; `elsewhere` are the numbers of requests to other hosts, or without an answer: left out.

    `refused` names entries that could not be read, beside the findings of what was `done`.
    """

    done: Scrubbed
    elsewhere: tuple[int, ...] = ()
    refused: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was blanked, removed or left out."""
        return (*self.refused, *self.done.findings)

    @property
    def left_out(self) -> int:
        """How many exchanges with the service could not be understood and were left out."""
        return len(self.refused) + self.done.left_out

    @property
    def places(self) -> str:
        """How many places held something that had to go, by rule."""
        counts = self.done.cassette.rules
        listed = ", ".join(f"{word} {number}" for word, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        return f"{sum(counts.values())} places touched by the rules ({listed})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Opened:
    """A foreign file that was read and not yet made clean; holds secrets. `where` is what it may be called in reports."""

    recording: Recording
    capture: Capture
    where: str
    leaves_out: bool

    def cleaned(
        self, *, name: str, is_our_name: bool = False, folder: str = "", rules: Policy | None = None, values: str = KEEP
    ) -> Imported:
        """The file through the sanitizer; nothing is written. `is_our_name`: tfx chose the name, so it can tell of nobody.

        Raises:
            RefusedError: something in it cannot be understood.
            LeakError: a value in it would have survived.
        """
        try:
            done = scrub(
                self.capture,
                name=name,
                is_our_name=is_our_name,
                folder=folder,
                rules=rules,
                values=values,
                leaves_out=self.leaves_out,
            )
        except RefusedError as error:
            said = without_advice(str(error))
            advice = "" if self.leaves_out else ". Leave out what cannot be understood with --leave-out-refused, or export it another way"
            raise RefusedError(f"{self.where or 'the file'} {said}; nothing was written{advice}") from None
        except LeakError as error:
            raise LeakError(f"{self.where or 'the file'}: {error}") from None
        return Imported(done=done, elsewhere=self.recording.elsewhere, refused=self.recording.refused)


def opened(path: Path, origin: Origin) -> Opened:
    """A vcrpy cassette or HAR file, read.

    Raises:
        FormatError: the file is broken or neither of them.
        UsageError: it has nothing of Tandem Source, or does not tell its era, region or clock.
    """
    recording = _read(path, _bytes(path), leaves_out=origin.leaves_out)
    capture = capture_of(recording, str(path), era=origin.era, region=origin.region, clock=origin.clock)
    where = "" if named_in(path.name, capture.seen) else path.name
    return Opened(recording=recording, capture=capture, where=where, leaves_out=origin.leaves_out)


@click.command()
@click.argument("source", metavar="IN", type=CASSETTE)
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@of_imports
def convert(
    *,
    source: Path,
    target: Path,
    era: str | None,
    region: str | None,
    clock: str | None,
    leave_out_refused: bool,
    own: Path | None,
    as_json: bool,
) -> None:
    """Convert to and from vcrpy and HAR, always through the sanitizer.

    IN is a cassette, a vcrpy cassette (.yaml, .json) or a HAR file; OUT is .har, .yaml for vcrpy, or .json: a cassette, or vcrpy's JSON
    where IN is a cassette. An OUT that exists is never replaced. Neither format carries Content-Encoding or the terms of replay.

    \b
    Examples:
      tfx convert browser.har cassettes/week.json   a HAR file becomes a cassette
      tfx convert cassettes/week.json week.yaml     a cassette becomes vcrpy's
      tfx convert cassettes/week.json week.har      ... or something a browser opens
    """
    _writable(target)
    data = _bytes(source)
    is_cassette = source.suffix == ".json" and b'"tfx_cassette"' in data[:4096]
    origin = Origin.parse(era=era, region=region, clock=clock, leaves_out=leave_out_refused)
    if is_cassette:
        if origin.is_said:
            raise UsageError(
                f"{source} is a cassette, which says its era, region and clock itself and holds nothing refused; leave the options out"
            )
        made = Imported(done=again(loads(data, str(source)), rules=rules_of(own)))
    else:
        if target.suffix == ".json":
            path_of(target.stem, target.parent)
        made = opened(source, origin).cleaned(name=target.stem, folder=public_part(target.parent), rules=rules_of(own))
    if target.suffix in WRITERS:
        _write(target, WRITERS[target.suffix](made.done.cassette))
    elif is_cassette:
        _write(target, vcr.write(made.done.cassette, "json"))
    else:
        save(made.done.cassette, target.parent, is_new=True)
    _show(source, target, made, as_json=as_json)


def _writable(target: Path) -> None:
    if target.suffix not in (*WRITERS, ".json"):
        raise UsageError(f"{target} has no suffix tfx can write; use .json, {', '.join(WRITERS)}")
    if target.exists():
        raise UsageError(f"{target} exists, and converting replaces nothing; name another file or remove it")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} to write {target.name} to; make it first, or name another")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        kinds = {FileNotFoundError: "does not exist", IsADirectoryError: "is a folder"}
        what = kinds.get(type(error)) or f"cannot be read ({error.strerror})"
        raise UsageError(f"{path} {what}; name a cassette, a vcrpy cassette or a HAR file") from None


def _read(path: Path, data: bytes, *, leaves_out: bool) -> Recording:
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return vcr.read(safe_yaml(data, str(path)), str(path), leaves_out=leaves_out)
    value = json_file(data, str(path))
    if suffix == ".har" or (isinstance(value, dict) and "log" in value):
        return har.read(value, str(path), leaves_out=leaves_out)
    if isinstance(value, dict) and "interactions" in value:
        return vcr.read(value, str(path), leaves_out=leaves_out)
    if isinstance(value, list):
        raise FormatError(
            f"{path} is a list, as vcrpy wrote before version 1.0; migrate it with: python -m vcr.migration {path}. "
            "A vcrpy cassette in JSON is an object with version 1 and interactions"
        )
    raise FormatError(
        f"{path} is neither a cassette, nor vcrpy's (an object with version 1 and interactions), nor a HAR file (an object with a log); "
        "name one of these"
    )


def _write(path: Path, data: bytes) -> None:
    try:
        write_new(path, data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name another file, or make room there") from None


def _show(source: Path, target: Path, made: Imported, *, as_json: bool) -> None:
    cassette, findings = made.done.cassette, made.findings
    if as_json:
        report = {
            "in": str(source),
            "out": str(target),
            "era": cassette.era,
            "region": cassette.region,
            "exchanges": len(cassette.exchanges),
            "elsewhere": list(made.elsewhere),
            "refused and left out": made.left_out,
            "rules": dict(cassette.rules),
            "findings": [{"exchange": one.exchange, "place": one.place, "kind": one.kind} for one in findings],
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return
    for finding in findings:
        click.echo(f"{source} {finding}")
    if made.elsewhere:
        click.echo(f"{source} requests left out, to other hosts or without an answer: {listed(made.elsewhere)}")
    if made.left_out:
        click.echo(f"{source} exchanges left out because they cannot be understood: {made.left_out}")
    click.echo(f"{source} {made.places}")
    click.echo(f"{source} -> {target}: {plural(len(cassette.exchanges), 'exchange')}, region {cassette.region}, era {cassette.era}")
