"""`make bench-pipeline`: decoding and storing 10 k to 5 M events, beside a floor and two peers, on the same events in one run.

Every figure is measured in a process of its own, which tells its CPU seconds and its peak memory; `--quick` stops at 100 000 events. The
peers are too slow for years of events: they take a sample, and the figures per second are theirs on it. `--in-file` keeps the databases
in files.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pipeline_history import ZONE, history
from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from sqlalchemy import Engine

ORM = "tandem-fetch's ORM path"
SAMPLE = {"tconnectsync's parser": 20_000, ORM: 2_000}
FLOOR = "floor A: one Arrow insert a response"
FLOOR_TOGETHER = "floor B: responses together"
KEYED = "floor C: readings and basal besides, keys and foreign keys"
ALONE = "one transaction per response"
STORE = "shared transactions"
WHOLE = "shared transactions, every table"
DECODE = "decoding alone, every field"
TFX = (ALONE, STORE, WHOLE)
CONTESTS = (
    (10_000, "all", 10_000, (ALONE, WHOLE)),
    (100_000, "four weeks", 25_000, TFX),
    (1_000_000, "four weeks", 25_000, TFX),
    (1_000_000, "half a million", 500_000, (STORE, WHOLE)),
    (5_000_000, "four weeks", 25_000, TFX),
    (5_000_000, "half a million", 500_000, (STORE, WHOLE)),
)
"""Events, and how many are in a response: four weeks are what the json eras hand out at most, half a million what the API of 2025 sends
for years. The rows of docs/pipeline-speed.md."""
QUICK = 100_000
WARM_UP = 1_000
IN_FILE = "--in-file"
AT_ONCE = 250_000
"""Events in a transaction where answers cost nothing to get again, as `tfx pipeline run` does with a cassette."""
INSERT = "INSERT INTO raw_events SELECT * FROM arriving"


# --- what is measured, in a process of its own


Work = Callable[[Iterator[bytes]], None]


KEYS = "device_id INTEGER, sequence_group INTEGER, sequence_number BIGINT, PRIMARY KEY (device_id, sequence_group, sequence_number)"
TO_RAW = "FOREIGN KEY (device_id, sequence_group, sequence_number) REFERENCES raw_events (device_id, sequence_group, sequence_number)"


def floor(*, at_once: int = 0, keyed: bool = False) -> Work:
    """The same rows, under the same key, into the same table; nothing is looked at.

    `keyed`: two tables more, readings (399) and deliveries (279) with a time and a value, a key of their own and a foreign key each.
    """
    import base64

    import numpy as np
    import pyarrow as pa

    from pipeline.store.engine import driver
    from tandem.records import Records

    engine = database()
    more = {"reading": 399, "delivery": 279} if keyed else {}
    with engine.begin() as connection:
        for name in more:
            driver(connection).execute(f"CREATE TABLE {name} (pump_seconds BIGINT NOT NULL, amount USMALLINT NOT NULL, {KEYS}, {TO_RAW})")

    def work(bodies: Iterator[bytes]) -> None:
        for parts in together(bodies, at_once):
            records = Records.parse(b"".join(base64.b64decode(orjson.loads(body)) for body in parts))
            count = len(records)
            offsets = pa.py_buffer(np.arange(0, (count + 1) * 16, 16, dtype=np.int32))
            table = pa.table(
                {
                    "device_id": np.ones(count, np.int32),
                    "sequence_group": np.zeros(count, np.int32),
                    "sequence_number": records.sequence.astype(np.int64),
                    "era": pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["2025"])),
                    "code": records.code.astype(np.int16),
                    "source": records.source.astype(np.int16),
                    "pump_seconds": records.seconds.astype(np.int64),
                    "payload": pa.BinaryArray.from_buffers(
                        pa.binary(), count, [None, offsets, pa.py_buffer(np.ascontiguousarray(records.payload))]
                    ),
                }
            )
            with engine.begin() as connection:
                bare = driver(connection)
                bare.register("arriving", table)
                bare.execute(INSERT)
                bare.unregister("arriving")
                for name, code in more.items():
                    which = np.flatnonzero(records.code == code)
                    amounts = pa.array(np.ascontiguousarray(records.payload[which, 6:8]).view(">u2")[:, 0].astype(np.uint16))
                    some = table.select(["pump_seconds", "device_id", "sequence_group", "sequence_number"]).take(pa.array(which))
                    bare.register("arriving", some.add_column(1, "amount", amounts))
                    bare.execute(f"INSERT INTO {name} SELECT * FROM arriving")
                    bare.unregister("arriving")

    return work


def database() -> "Engine":
    """A new database: in memory, or, with --in-file, in a file of the folder for temporary files."""
    from pipeline.store.engine import MEMORY
    from pipeline.store.warehouse import open_warehouse

    return open_warehouse(f"duckdb:///{tempfile.mkdtemp()}/w.duckdb" if IN_FILE in sys.argv else MEMORY)


def together(bodies: Iterator[bytes], at_once: int) -> Iterator[list[bytes]]:
    """Answers until there are so many events; an event is 34.7 characters of base64."""
    waiting: list[bytes] = []
    for body in bodies:
        waiting.append(body)
        if sum(map(len, waiting)) * 3 // 104 >= at_once:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def decode() -> Work:
    """Base64 to native columns, all fields of all codes."""
    from pipeline.receive.decode import received
    from tandem.eras import ERAS

    def work(bodies: Iterator[bytes]) -> None:
        for body in bodies:
            for code, _, records in received(ERAS["2025"], body).batch.records.groups():
                records.columns(code)

    return work


def store(*, at_once: int, whole: bool = False) -> Work:
    from zoneinfo import ZoneInfo

    from pipeline.derive.update import derive
    from pipeline.receive.decode import received
    from pipeline.receive.pumps import Pump
    from pipeline.running.steps import store_windows
    from tandem.eras import ERAS

    engine, pump, zone = database(), Pump(key="1", serial_number="90000001"), ZoneInfo(ZONE)

    def work(bodies: Iterator[bytes]) -> None:
        for parts in together(bodies, at_once):
            store_windows(engine, pump, [(None, received(ERAS["2025"], body)) for body in parts], zone=zone)
        if whole:
            derive(engine)

    return work


def parsed() -> Work:
    import base64

    from tconnectsync.eventparser.generic import Events

    def work(bodies: Iterator[bytes]) -> None:
        for body in bodies:
            for event in Events(base64.b64decode(orjson.loads(body))):
                _ = getattr(event, "eventTimestamp", None)

    return work


def orm() -> Work:
    from orm_path import known, stored

    from tandem.records import Records

    def work(bodies: Iterator[bytes]) -> None:
        for body in bodies:
            stored(known(Records.from_body(body)))

    return work


RIVALS: dict[str, Callable[[], Work]] = {
    DECODE: decode,
    "tconnectsync's parser": parsed,
    FLOOR: floor,
    FLOOR_TOGETHER: lambda: floor(at_once=AT_ONCE),
    KEYED: lambda: floor(at_once=AT_ONCE, keyed=True),
    ALONE: lambda: store(at_once=0),
    STORE: lambda: store(at_once=AT_ONCE),
    WHOLE: lambda: store(at_once=AT_ONCE, whole=True),
    ORM: orm,
}


def measured(rival: str, file: Path, count: int, window: int) -> None:
    """Run one rival once and print what it took: CPU seconds, and MB of memory at most."""
    import base64
    import resource

    reading = 0.0

    def bodies(count: int) -> Iterator[bytes]:
        nonlocal reading
        with file.open("rb") as stream:
            for start in range(0, count, window):
                begun = time.process_time()
                body = b'"' + base64.b64encode(stream.read(26 * min(window, count - start))) + b'"'
                reading += time.process_time() - begun
                yield body

    RIVALS[rival]()(bodies(WARM_UP))  # imports, and whatever is made once a process
    work = RIVALS[rival]()  # an empty database, where there is one
    reading, begun = 0.0, time.process_time()
    work(bodies(count))
    spent = time.process_time() - begun - reading
    print(json.dumps({"seconds": spent, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


# --- the contest


def ran(rival: str, file: Path, count: int, window: int) -> tuple[float, float]:
    """CPU seconds and peak megabytes."""
    command = [sys.executable, __file__, "--rival", rival, "--file", str(file), "--count", str(count), "--window", str(window)]
    command += [IN_FILE] * (IN_FILE in sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        around = {**os.environ, "PYTHONWARNINGS": "ignore", "TMPDIR": folder}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=around)
    said = json.loads(done.stdout.splitlines()[-1])
    return said["seconds"], said["megabytes"]


def contest(sizes: tuple[int, ...], rounds: int) -> Table:
    """Every rival at every size; medians."""
    where = "a file" if IN_FILE in sys.argv else "memory"
    table = Table(title=f"Pump events into DuckDB in {where} (CPU time, medians)", title_justify="left", box=box.SIMPLE)
    for heading in ("events", "in a response", "what is done", "events/s", "of A", "of B", "of C", "x the ORM path", "peak MB"):
        table.add_column(heading, justify="left" if heading == "what is done" else "right")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records"
        history(file, max(sizes))
        slow = {name: rates((name,), file, count, count, rounds)[name] for name, count in SAMPLE.items()}
        for name, (speed, memory) in slow.items():
            table.add_row(f"{SAMPLE[name]:,}", "all", name, f"{speed:,.0f}", "", "", "", "", f"{memory:,.0f}")
        for count, words, window, tools in CONTESTS:
            if count not in sizes:
                continue
            floors = (FLOOR, FLOOR_TOGETHER, KEYED) if window < AT_ONCE else (FLOOR, KEYED)
            found = rates((DECODE, *floors, *tools), file, count, window, rounds)
            for name, (speed, memory) in found.items():
                bases = (FLOOR, FLOOR_TOGETHER if FLOOR_TOGETHER in found else FLOOR, KEYED)
                shares = [f"{speed / found[base][0]:.2f}" if name in TFX else "" for base in bases]
                times = f"{speed / slow[ORM][0]:,.0f}" if name in TFX else ""
                table.add_row(f"{count:,}", words, name, f"{speed:,.0f}", *shares, times, f"{memory:,.0f}")
    return table


def rates(rivals: tuple[str, ...], file: Path, count: int, window: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Events a CPU second and peak megabytes of each, medians; they take turns, and each turn is told."""
    found: dict[str, list[tuple[float, float]]] = {rival: [] for rival in rivals}
    for turn in range(rounds):
        for rival in rivals:
            found[rival].append(ran(rival, file, count, window))
            seconds, megabytes = found[rival][-1]
            said = f"{count:>9,} events, {window:>7,} in a response: {seconds:6.2f} CPU s, {megabytes:5,.0f} MB  {rival}"
            print(f"{turn + 1}/{rounds}  {said}", file=sys.stderr, flush=True)
    medians = {rival: [statistics.median(column) for column in zip(*turns, strict=True)] for rival, turns in found.items()}
    return {rival: (count / seconds, megabytes) for rival, (seconds, megabytes) in medians.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"up to {QUICK:,} events")
    parser.add_argument("--sizes", type=int, nargs="+", choices=sorted({count for count, *_ in CONTESTS}), help="only these")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(IN_FILE, action="store_true", help="keep the databases in files, not in memory")
    for name, kind in (("--rival", str), ("--file", Path), ("--count", int), ("--window", int)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rival:
        measured(asked.rival, asked.file, asked.count, asked.window)
        return
    sizes = asked.sizes or sorted({count for count, *_ in CONTESTS if not asked.quick or count <= QUICK})
    begun = time.monotonic()
    Console(width=160).print(contest(tuple(sizes), asked.rounds))
    print(f"The target is 0.6 of C, and 200 x the ORM path; decoding 10,000,000 events/s. Took {time.monotonic() - begun:,.0f} s.")


if __name__ == "__main__":
    main()
