"""`tfx convert`: recordings of other tools into cassettes by the same rules, and cassettes into what other tools read."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import click

from sanitizer.formats import har, vcr
from sanitizer.formats.nodes import json_file
from sanitizer.formats.recording import Recording, capture_of, instant
from sanitizer.formats.safe_yaml import safe_yaml
from sanitizer.own import rules_of
from sanitizer.policy import Policy
from sanitizer.scrub import Scrubbed, again, scrub
from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.cassette import KEEP, Cassette
from tfx.errors import FormatError, UsageError
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
    """A foreign file made clean; `elsewhere` requests in it went to other hosts, or got no answer, and were left out."""

    done: Scrubbed
    elsewhere: int = 0

    @property
    def places(self) -> str:
        """How many places held something that had to go, by rule."""
        counts = self.done.cassette.rules
        listed = ", ".join(f"{word} {number}" for word, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        return f"{sum(counts.values())} places touched by the rules ({listed})"


def imported(
    path: Path,
    *,
    name: str,
    era: str = "",
    region: str = "",
    clock: datetime | None = None,
    rules: Policy | None = None,
    values: str = KEEP,
) -> Imported:
    """A vcrpy cassette or HAR file through the sanitizer; nothing is written.

    Raises:
        FormatError: the file is broken or neither of them.
        UsageError: it has nothing of Tandem Source, or does not tell its era, region or clock.
        RefusedError: something in it cannot be understood.
        LeakError: a value in it would have survived.
    """
    recording = _read(path, _bytes(path))
    capture = capture_of(recording, str(path), era=era, region=region, clock=clock)
    return Imported(done=scrub(capture, name=name, rules=rules, values=values), elsewhere=recording.elsewhere)


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--era", type=click.Choice(list(ERAS)), default=None, help="The state of the API a foreign file is of, where it does not show."
)
@click.option("--region", type=click.Choice(list(REGIONS)), default=None, help="The region a foreign file is of, where it does not show.")
@click.option("--clock", help="When a foreign file was recorded (2026-10-05T18:30:00Z), where it does not say.")
@click.option("--policy", "own", type=click.Path(path_type=Path), metavar="FILE", help="Rules of your own for places that have none.")
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable report.")
def convert(*, source: Path, target: Path, era: str | None, region: str | None, clock: str | None, own: Path | None, as_json: bool) -> None:
    """To and from vcrpy and HAR, always through the sanitizer.

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
    if is_cassette:
        if era or region or clock:
            raise UsageError(f"{source} is a cassette and says its era, region and clock itself; leave the options out")
        made = Imported(done=again(loads(data, str(source)), rules=rules_of(own)))
    else:
        if target.suffix == ".json":
            path_of(target.stem, target.parent)
        made = imported(source, name=target.stem, era=era or "", region=region or "", clock=_clock(clock), rules=rules_of(own))
    if target.suffix in WRITERS:
        _write(target, WRITERS[target.suffix](made.done.cassette))
    elif is_cassette:
        _write(target, vcr.write(made.done.cassette, "json"))
    else:
        save(made.done.cassette, target.parent)
    _show(source, target, made, as_json=as_json)


def _writable(target: Path) -> None:
    if target.suffix not in (*WRITERS, ".json"):
        raise UsageError(f"{target} has no suffix tfx can write; use .json, {', '.join(WRITERS)}")
    if target.exists():
        raise UsageError(f"{target} exists, and converting replaces nothing; name another file or remove it")


def _clock(text: str | None) -> datetime | None:
    found = instant(text) if text else None
    if text and found is None:
        raise UsageError("--clock is not an instant; write it as 2026-10-05T18:30:00Z")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise UsageError(f"{path} {what}; name a cassette, a vcrpy cassette or a HAR file") from None


def _read(path: Path, data: bytes) -> Recording:
    if path.suffix in (".yaml", ".yml"):
        return vcr.read(safe_yaml(data, str(path)), str(path))
    value = json_file(data, str(path))
    if path.suffix == ".har" or (isinstance(value, dict) and "log" in value):
        return har.read(value, str(path))
    if isinstance(value, dict) and "interactions" in value:
        return vcr.read(value, str(path))
    raise FormatError(f"{path} is neither a cassette, nor vcrpy's, nor a HAR file; name one of these")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _show(source: Path, target: Path, made: Imported, *, as_json: bool) -> None:
    cassette, findings = made.done.cassette, made.done.findings
    if as_json:
        report = {
            "in": str(source),
            "out": str(target),
            "era": cassette.era,
            "region": cassette.region,
            "exchanges": len(cassette.exchanges),
            "elsewhere": made.elsewhere,
            "rules": dict(cassette.rules),
            "findings": [asdict(finding) for finding in findings],
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return
    for finding in findings:
        click.echo(f"{source} {finding}")
    if made.elsewhere:
        click.echo(f"{source} requests left out, to other hosts or without an answer: {made.elsewhere}")
    click.echo(f"{source} {made.places}")
    click.echo(f"{source} -> {target}: {len(cassette.exchanges)} exchanges, region {cassette.region}, era {cassette.era}")
