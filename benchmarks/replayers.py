"""`make bench-replayer`: loading, time per request and memory of tfx, the floor and every peer, on the same data in one run.

Each measurement is a process of its own (`replayer_rival.py`): a fresh heap, and the peers live in `.venv-peers-replayer`, made from
`peers-replayer.lock`. Rivals take turns; what counts are medians over the rounds, and ratios taken within one process: a request to
the floor's, loading to `json.load` of the same bytes. A peer that has had its time sits out the rounds that are left. The load of
pytest-recording holds pytest's own collection.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from replaying import many
from rich import box
from rich.console import Console
from rich.table import Table

from tfx import store
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.exchange import Exchange, Headers, Response

HERE: Final = Path(__file__).parent
PEERS: Final = HERE.parent / ".venv-peers-replayer" / "bin" / "python"
BIG: Final = 20
MEGABYTE: Final = 1_000_000
ASKED: Final = 300
LINEAR: Final = 10
"""What looks through all exchanges for each request is asked fewer of them."""
PATIENCE: Final = 8.0
"""Seconds a peer may take for one table before it sits out."""
MORE: Final = 2
"""Times the rounds for what is to be known exactly: what is tfx's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """`file` is what it loads; one that looks through all exchanges for each request is asked fewer of them."""

    name: str
    file: str
    is_peer: bool = True
    is_linear: bool = False


RIVALS: Final = (
    Rival(name="floor", file="plain.json", is_peer=False),
    Rival(name="tfx", file="many.json", is_peer=False),
    Rival(name="requests-mock", file="plain.json", is_linear=True),
    Rival(name="cassetter", file="cassetter.toml"),
    Rival(name="betamax", file="betamax.json", is_linear=True),
    Rival(name="responses", file="responses.yaml", is_linear=True),
    Rival(name="vcrpy json", file="vcrpy.json", is_linear=True),
    Rival(name="vcrpy yaml", file="vcrpy.yaml", is_linear=True),
    Rival(name="pytest-recording", file="vcrpy.yaml", is_linear=True),
)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1_000, 10_000], help="exchanges on the cassette")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-big", action="store_true", help=f"leave the {BIG} answers of 5 MB out")
    chosen = parser.parse_args(arguments)
    if not PEERS.exists():
        sys.exit("the peers are not installed; run: make bench-replayer")
    console = Console(width=140)
    console.print(f"{date.today()}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")  # noqa: DTZ011  # of whoever measures
    with tempfile.TemporaryDirectory(prefix="tfx-bench-") as folder:
        for title, cassette in _cassettes(chosen.sizes, big=not chosen.no_big):
            place = Path(folder) / str(len(cassette.exchanges))
            write(many(1), place / "one")
            write(cassette, place)
            console.print(measured(title, cassette, place, chosen.rounds))


def _cassettes(sizes: Sequence[int], *, big: bool) -> Iterator[tuple[str, Cassette]]:
    for size in sizes:
        yield f"{size} exchanges of 2 kB", many(size)
    if big:
        headers = Headers([("Content-Type", "application/json"), ("Content-Length", "0")])
        body = json.dumps({"events": ["x" * 100 for _ in range(5 * MEGABYTE // 103)]}, separators=(",", ":")).encode()
        answer = Response(status=200, reason="OK", headers=headers.replacing("Content-Length", str(len(body))), body=body)
        plain = many(BIG)
        exchanges = tuple(Exchange(request=one.request, response=answer, terms=one.terms) for one in plain.exchanges)
        yield (
            f"{BIG} exchanges of 5 MB",
            Cassette(name="many", era=plain.era, region="us", clock=plain.clock, policy=1, exchanges=exchanges),
        )


def write(cassette: Cassette, place: Path) -> None:
    """The same exchanges as every rival keeps them."""
    store.save(cassette, place)
    rows = [
        {
            "url": one.request.url,
            "status": one.response.status,
            "headers": dict(one.response.headers),
            "body": decoded(one.response.headers, one.response.body).decode(),
        }
        for one in cassette.exchanges
    ]
    (place / "plain.json").write_text(json.dumps(rows), "utf-8")
    _run(PEERS, "write", place / "plain.json", 0)


def measured(title: str, cassette: Cassette, place: Path, rounds: int) -> Table:
    """One table: medians over the rounds."""
    count = len(cassette.exchanges)
    found: dict[str, list[dict[str, float]]] = {rival.name: [] for rival in RIVALS}
    spent: dict[str, float] = dict.fromkeys(found, 0.0)
    failed: dict[str, str] = {}
    for turn in range(rounds * MORE):
        for rival in RIVALS:
            if rival.name in failed or (rival.is_peer and (turn >= rounds or spent[rival.name] > PATIENCE)):
                continue
            asked, begun = min(count, LINEAR if rival.is_linear else ASKED), time.monotonic()
            try:
                found[rival.name].append(_run(PEERS if rival.is_peer else Path(sys.executable), rival.name, place / rival.file, asked))
            except subprocess.CalledProcessError as error:
                failed[rival.name] = error.stderr.strip().splitlines()[-1][:60] if error.stderr.strip() else "failed"
            spent[rival.name] += time.monotonic() - begun
    return _table(title, found, failed)


def _table(title: str, found: dict[str, list[dict[str, float]]], failed: dict[str, str]) -> Table:
    table = Table(title=f"{title}, CPU time", title_justify="left", box=box.SIMPLE)
    for heading in ("", "rounds", "load ms", "json.load ms", "x json.load", "us a request", "x floor", "peak MB", "MB over import"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, runs in found.items():
        if name in failed or not runs:
            table.add_row(name, *[""] * 7, failed.get(name, ""))
            continue
        middle = {what: statistics.median(run[what] for run in runs) for what in runs[0]}
        table.add_row(
            name,
            str(len(runs)),
            f"{middle['load'] * 1e3:,.1f}",
            f"{middle['reading'] * 1e3:,.1f}",
            f"{statistics.median(run['load'] / run['reading'] for run in runs):.2f}",
            f"{middle['request'] * 1e6:,.0f}",
            f"{statistics.median(run['request'] / run['floor'] for run in runs):.2f}",
            f"{middle['peak']:.0f}",
            f"{middle['peak'] - middle['before']:.0f}",
        )
    return table


def _run(python: Path, name: str, file: Path, count: int) -> dict[str, float]:
    line = [str(python), str(HERE / "replayer_rival.py"), name, str(file), str(count)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=900, cwd=file.parent)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
