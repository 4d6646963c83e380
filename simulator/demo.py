"""`tfx demo`: every stage on the simulated service, through the same commands a user types, in a temporary directory.

Each step is a process of its own with nothing but the standard environment leading it to the stand-in; what the report says
is read from what the commands printed and wrote.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tfx.errors import FoundError, UsageError
from tfx.extras import need

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from simulator.account import Account
    from simulator.demo_report import Proof, Report
    from tfx.capture import Seen
    from tfx.cassette import Cassette

    class Scrubbed(Protocol):
        """What the demo needs of the sanitizer's answer."""

        @property
        def cassette(self) -> Cassette:
            """The cassette made."""
            ...


NAME = "demo"
STEPS = ("recording the stand-in over HTTPS", "proving the cassette clean", "replaying it to tconnectsync", "running the pipeline")
_SECONDS = 300


@click.command()
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True, help="Region of the simulated service.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep the cassette and the database in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def demo(region: str, keep: Path | None, as_json: bool) -> None:
    """Run the whole loop on the simulated service, and report.

    Records, sanitizes, checks, replays to tconnectsync and loads into DuckDB. No account is needed, and nothing leaves this machine.

    \b
    Examples:
      tfx demo
      tfx demo --region eu --keep demo-files
      tfx demo --json
    """
    need("tfx demo", "simulator", "pipeline")
    from rich.console import Console

    from simulator.demo_report import show

    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tfx-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        taken = [name for name in (f"{NAME}.json", f"{NAME}.duckdb") if (folder / name).exists()]
        if taken:
            raise UsageError(f"{folder} has a {taken[0]}, and the demo replaces nothing; name a new folder with --keep")
        report = loop(folder, region, Console(stderr=True, quiet=as_json or not sys.stderr.isatty()).print)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=1))
    else:
        show(report, Console(width=None if sys.stdout.isatty() else 120))
    if not report.holds:
        raise FoundError("the demo did not show what it should; the report above says which proof fails")


def loop(folder: Path, region: str, say: "Callable[[str], None]") -> "Report":
    """The four steps, and the report of them."""
    from simulator.account import account
    from simulator.demo_picture import glucose_picture
    from simulator.demo_report import Report
    from tfx import store

    started = time.monotonic()
    now = datetime.now(UTC).replace(microsecond=0)
    person = account(identity=1, therapy=1, now=now, days=2, region=region)
    say(f"1/4 {STEPS[0]}")
    secrets = _record(folder, region, person, now)
    cassette = store.load(folder / f"{NAME}.json")
    say(f"2/4 {STEPS[1]}")
    proofs = [_checked(folder), _absent(folder, secrets), _same_for_another_person(region, now)]
    say(f"3/4 {STEPS[2]}")
    client = _replay(folder, region, cassette)
    say(f"4/4 {STEPS[3]}")
    pipeline = _pipeline(folder)
    rows = {name: table["rows"] for name, table in cast("Mapping[str, Mapping[str, int]]", pipeline["tables"]).items()}
    return Report(
        recorded=_facts(folder, cassette),
        rules=dict(cassette.rules),
        proofs=[*proofs, _verified(client)],
        client={
            **{key: value for key, value in client.items() if key in ("pumps", "events", "events_by_default")},
            "clock changes, which it leaves alone": rows["events"] - cast("int", client["events"]),
        },
        rows=rows,
        summary=_told(pipeline, rows),
        picture=glucose_picture(_readings(folder)),
        seconds=time.monotonic() - started,
    )


def _tfx(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    command = [sys.executable, "-m", "tfx", *arguments]
    done = subprocess.run(  # noqa: S603  # our own interpreter, our own arguments
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2].removeprefix("tfx: ")
        raise FoundError(f"the step `tfx {arguments[0]}` ended with exit code {done.returncode}: {last}")
    return done.stdout


def _record(folder: Path, region: str, person: "Account", now: datetime) -> "Sequence[Seen]":
    from simulator.proxy import running

    first = (now - timedelta(days=1)).date().isoformat()
    with running(person, era="2026-10", region=region, now=now) as stand_in:
        environment = {**stand_in.environment, "TFX_EMAIL": person.email, "TFX_PASSWORD": person.password}
        _tfx("record", NAME, "--region", region, "--since", first, "--cassettes", str(folder), environment=environment)
        return stand_in.secrets()


def _facts(folder: Path, cassette: "Cassette") -> dict[str, str]:
    size = (folder / f"{NAME}.json").stat().st_size
    return {
        "service": f"the stand-in for Tandem Source, region {cassette.region}, era {cassette.era}, real HTTPS on loopback",
        "exchanges": str(len(cassette.exchanges)),
        "cassette": f"{size / 1000:,.0f} kB, format version 1, policy version {cassette.policy}",
        "synthetic now": f"{cassette.clock:%Y-%m-%d %H:%M} UTC",
    }


def _checked(folder: Path) -> "Proof":
    from simulator.demo_report import Proof

    _tfx("sanitize", "--check", str(folder / f"{NAME}.json"))
    return Proof(
        claim="every leaf of the cassette is a literal, an enum, a bounded number or a stand-in",
        shown="tfx sanitize --check, which knows none of the secrets",
        holds=True,
    )


def _absent(folder: Path, secrets: "Sequence[Seen]") -> "Proof":
    from simulator.demo_report import Proof

    everything = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    sought = {secret.value for secret in secrets if len(secret.value) > 3}  # noqa: PLR2004  # three characters occur anywhere
    hits = sum(value.encode() in everything for value in sought)
    return Proof(
        claim="no credential, token, cookie, code, name or id of the account is in any file written",
        shown=f"{len(sought)} values sought, {hits} found",
        holds=hits == 0,
    )


def _same_for_another_person(region: str, now: datetime) -> "Proof":
    from simulator.account import account
    from simulator.demo_report import Proof
    from simulator.session import captured_session
    from tfx import store
    from tfx.stages import stage

    scrub = cast("Callable[..., Scrubbed]", stage("sanitizer.scrub:scrub"))
    texts = set()
    for identity, weeks in ((1, 0), (2, 31)):
        then = now - timedelta(weeks=weeks)
        person = account(identity=identity, therapy=1, now=then, days=1, region=region)
        texts.add(store.dumps(scrub(captured_session(person, now=then), name=NAME).cassette))
    return Proof(
        claim="another person with the same therapy, 31 weeks earlier, gives the same cassette",
        shown=f"{min(map(len, texts)):,} bytes, " + ("identical" if len(texts) == 1 else "different"),
        holds=len(texts) == 1,
    )


def _replay(folder: Path, region: str, cassette: "Cassette") -> dict[str, object]:
    last = cassette.clock.date()
    program = Path(__file__).with_name("reading_program.py")
    days = ((last - timedelta(days=1)).isoformat(), last.isoformat())
    try:
        out = _tfx("replay", str(folder / f"{NAME}.json"), "--", str(program), region, *days)
    except FoundError as error:
        raise UsageError(f"{error}; the demo replays to tconnectsync, install it with: pip install tconnectsync") from error
    return cast("dict[str, object]", json.loads(out.strip().splitlines()[-1]))


def _verified(client: Mapping[str, object]) -> "Proof":
    from simulator.demo_report import Proof

    claims = cast("list[str]", client["verified_claims"])
    return Proof(
        claim="the real tconnectsync logs in, verifies the token and reads every event, with the network blocked",
        shown=f"{len(claims)} claims verified, {client['events']} events",
        holds="pumperId" in claims and bool(client["events"]),
    )


def _pipeline(folder: Path) -> dict[str, object]:
    out = _tfx("pipeline", "run", "--cassette", str(folder / f"{NAME}.json"), "--database", f"duckdb:///{folder / NAME}.duckdb", "--json")
    return cast("dict[str, object]", json.loads(out))


def _told(pipeline: Mapping[str, object], rows: Mapping[str, int]) -> dict[str, str]:
    glucose, insulin, span = (cast("Mapping[str, float]", pipeline[name]) for name in ("glucose", "insulin", "span"))
    return {
        "span": f"{span['first']} to {span['last']} on the pump's clock",
        "glucose": f"{glucose['readings']:,} readings in {rows['cgm_readings']:,} messages, mean {glucose['mean_mg_dl']} mg/dL, "
        f"{glucose['in_range_70_180']:.1%} in range",
        "insulin": f"{insulin['delivered_units']} units: {insulin['basal_units']} basal, {insulin['bolus_units']} in boluses",
    }


def _readings(folder: Path) -> list[tuple[datetime, int]]:
    import duckdb

    with duckdb.connect(str(folder / f"{NAME}.duckdb"), read_only=True) as database:
        rows = database.execute("select pump_time, glucose_mg_dl from cgm_readings where glucose_mg_dl is not null order by 1").fetchall()
    return [(moment, int(glucose)) for moment, glucose in rows]
