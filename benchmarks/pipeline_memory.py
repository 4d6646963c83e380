"""`make bench-memory`: peak memory of a run into a file, by length of the history; each in a process of its own.

The history is the stand-in's of so many days, its clock set once half way; the run is `pipeline.running.steps.run` as on a cassette, then
the summary and the questions after it. The answers come from a file, so that no cassette is in the figure.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

DAYS = (110, 550, 2_200, 5_500)
"""0.1, 0.5, 2 and 5 million events."""
ANSWER = 25_000
NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)


def history(file: Path, days: int) -> None:
    from simulator.account import account

    file.write_bytes(account(identity=1, therapy=1, now=NOW, days=days, density=1.0).current.records.to_bytes())


def measured(file: Path, days: int) -> None:
    """Run once; print events, MB before and at most, and the bytes of the database."""
    import base64
    from zoneinfo import ZoneInfo

    from pipeline.inspection.instant_checks import collisions_within
    from pipeline.inspection.summary import summary
    from pipeline.receive.pumps import Pump
    from pipeline.running.runs import AT_ONCE
    from pipeline.running.steps import run
    from pipeline.store.warehouse import open_warehouse
    from tandem.client import TandemSource
    from tandem.eras import ERAS
    from tandem.windows import Window

    database = file.with_suffix(".duckdb")
    engine = open_warehouse(f"duckdb:///{database}")
    before, events = peak(), file.stat().st_size // 26
    places = count()

    def pump_events(*_: object) -> bytes:
        with file.open("rb") as stream:
            stream.seek(26 * ANSWER * next(places))
            return b'"' + base64.b64encode(stream.read(26 * ANSWER)) + b'"'

    whole = Window(since=NOW.date() - timedelta(days=days), until=NOW.date())
    windows = [whole] * -(-events // ANSWER)  # the answers hold what comes next, whatever is asked for
    source = cast("TandemSource", SimpleNamespace(era=ERAS["2025"], pump_events=pump_events))
    stored = run(engine, source, Pump(key="1", serial_number="90000001"), windows, zone=ZoneInfo("America/Los_Angeles"), at_once=AT_ONCE)
    assert stored.rows["raw_events"] == events
    with engine.connect() as connection:
        summary(connection)
        list(collisions_within(connection, stored.windows))
    engine.dispose()
    print(f"{events:>10,} events  {before:>5,.0f} MB before  {peak():>5,.0f} MB at most  {database.stat().st_size / 1e6:>5,.0f} MB of file")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=DAYS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.file:
        (measured if asked.file.exists() else history)(asked.file, asked.days[0])
        return
    for days in asked.days:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "records"
            for _ in ("make the history", "measure"):  # apart: a process begins with the most its parent ever took
                subprocess.run([sys.executable, __file__, "--file", str(file), "--days", str(days)], check=True)


if __name__ == "__main__":
    main()
