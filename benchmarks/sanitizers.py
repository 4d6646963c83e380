"""`make bench-sanitizer`: rules, second search and check beside orjson and two scanners, on one simulated recording.

The scanners run in processes of their own and are asked for one pass at a time, so that their start is not counted. What they look for
stands in a file the way a cassette is laid out, one pump event a line, nothing packed: the friendliest form there is.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from planting import Planted, planted
from rich import box
from rich.console import Console
from rich.table import Table

from sanitizer.check import check
from sanitizer.places.visitors import Rewriter
from sanitizer.places.walk import walked
from sanitizer.policy.policy import policy
from sanitizer.run import Run
from sanitizer.scrub import scrub
from sanitizer.search.scan import scan, search
from simulator.account import account
from simulator.session import captured_session
from tfx.capture import Capture, Seen
from tfx.cassette import Cassette
from tfx.collecting import uncollected
from tfx.store import dumps

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
PEERS = ("detect-secrets", "presidio")
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One line of the table: `seconds` does the work once and says what CPU time it took; `found` says whether a planted text was."""

    name: str
    seconds: Callable[[], float]
    megabytes: float
    found: Callable[[Planted], bool] | None = None
    others: Callable[[], int] | None = None


def timed(work: Callable[[], object]) -> Callable[[], float]:
    def seconds() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return seconds


class Peer:
    """A scanner in its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.reports: frozenset[str] = frozenset()

    def seconds(self) -> float:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        self.reports = frozenset(told["found"])
        return float(told["seconds"])

    def found(self, one: Planted) -> bool:
        """Generous: a report counts that holds the planted text, or is the better half of it."""
        return any(one.text in report or (report in one.text and 2 * len(report) >= len(one.text)) for report in self.reports)


@contextmanager
def peer(name: str, python: Path, file: Path) -> Iterator[Peer]:
    command = [str(python), str(HERE / "peer_scan.py"), name, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}) as process:
        yield Peer(process)


def rivals(capture: Capture, recording: bytes) -> tuple[Rival, ...]:
    """tfx, whole and in parts, behind the yardstick."""
    rules = policy()
    size = len(recording) / 1e6
    done = scrub(capture, name="bench")
    clean = dumps(done.cassette)
    run = Run(policy=rules, clock=capture.clock)
    walked(Rewriter(run), capture.exchanges)
    replaced = tuple(Seen(kind=kind, value=value) for kind, value in run.ordinals.originals)

    def first() -> None:
        walked(Rewriter(Run(policy=rules, clock=capture.clock)), capture.exchanges)

    def second() -> None:
        search(done.cassette, seen=capture.seen, replaced=replaced)

    text = clean.decode("utf-8")

    def gone(one: Planted) -> bool:
        return one.text not in text

    return (
        Rival(name="orjson loads + dumps", seconds=timed(lambda: orjson.dumps(orjson.loads(recording))), megabytes=size),
        Rival(name="tfx, both layers", seconds=timed(lambda: scrub(capture, name="bench")), megabytes=size, found=gone),
        Rival(name="  the rules", seconds=timed(uncollected()(first)), megabytes=size),
        Rival(name="  the second look", seconds=timed(uncollected()(second)), megabytes=size, found=lambda p: bool(scan(p.raw, [p.seen]))),
        Rival(name="tfx sanitize --check", seconds=timed(lambda: check(clean)), megabytes=len(clean) / 1e6),
    )


def measured(lines: tuple[Rival, ...], plants: tuple[Planted, ...], rounds: int, title: str) -> Table:
    """All in turns, `rounds` times; what is in this process has run once before."""
    for line in lines:
        if line.others is None:
            line.seconds()
    times = [[line.seconds() for line in lines] for _ in range(rounds)]
    medians = [statistics.median(column) / line.megabytes for line, column in zip(lines, zip(*times, strict=True), strict=True)]
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for heading in ("", "MB per second", "time, x orjson", "speed, x orjson", "found / planted", "other reports"):
        table.add_column(heading, justify="right" if heading else "left")
    for line, median in zip(lines, medians, strict=True):
        shown = f"{sum(map(line.found, plants))} / {len(plants)}" if line.found else ""
        others = str(line.others()) if line.others else ""
        table.add_row(line.name, f"{1 / median:,.1f}", f"{median / medians[0]:.2f}", f"{medians[0] / median:.3f}", shown, others)
    return table


def main(days: int, rounds: int, python: Path) -> None:
    person = account(identity=1, therapy=1, now=NOW, days=days, density=1.0)
    capture, plants = planted(captured_session(person, now=NOW, days=days))
    unsafe = Cassette(name="raw", era=capture.era, region=capture.region, clock=capture.clock, policy=0, exchanges=capture.exchanges)
    recording = dumps(unsafe)
    natural = [Planted(seen=one, form="as recorded", text=one.value) for one in capture.seen if one.value.encode() in recording]
    every = (*plants, *(one for one in natural if len(one.text) > 7))  # noqa: PLR2004  # shorter ones are found anywhere by chance
    lines = [*rivals(capture, recording)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "recording.json"
        file.write_bytes(recording)
        for name in PEERS:
            one = stack.enter_context(peer(name, python, file))
            others = lambda one=one: sum(not any(p.text in told or told in p.text for p in every) for told in one.reports)  # noqa: E731  # bound to this peer
            lines.append(Rival(name=name, seconds=one.seconds, megabytes=len(recording) / 1e6, found=one.found, others=others))
        title = (
            f"Sanitizing a recording of {days} days, {len(recording) / 1e6:.1f} MB, {rounds} rounds "
            "(targets: both layers 0.15 x orjson's speed or more, the check 50 MB/s)"
        )
        gc.collect()
        gc.freeze()  # so that what this file keeps does not slow the yardstick, which runs with the collector on, as anybody would
        Console(width=130).print(measured(tuple(lines), every, rounds, title))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=HERE.parent / ".venv-peers-sanitizer" / "bin" / "python")
    told = parser.parse_args()
    main(told.days, told.rounds, told.peers)
