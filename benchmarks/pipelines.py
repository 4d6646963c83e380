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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from sqlalchemy import Engine

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
QUICK = 100_000
WINDOWS = {"four weeks": 25_000, "bulk": 500_000}
"""Events in one answer: what a pump writes in the longest window the json eras hand out, and what the API of 2025 would send for years."""
SAMPLE = {"tconnectsync's parser": 20_000, "tandem-fetch's ORM path": 2_000}
FLOOR = "floor: base64, numpy, one Arrow insert"
FLOOR_TOGETHER = "floor, answers together"
KEYED = "floor with readings and basal, keys and foreign keys"
ALONE = "tfx, a transaction an answer: five tables"
STORE = "tfx, answers together: five tables"
WHOLE = "tfx, answers together: every table"
DECODE = "tfx: decode, every field"
RIVALRY = {"four weeks": (FLOOR, FLOOR_TOGETHER, KEYED, ALONE, STORE, WHOLE), "bulk": (FLOOR, KEYED, STORE, WHOLE)}
"""Which share the work; the column "of the floors" has a share of each floor there is, in this order."""
WARM_UP = 1_000
CLOCK_CHANGES = (13, 14)
IN_FILE = "--in-file"
ZONE = "America/Los_Angeles"
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
    "tandem-fetch's ORM path": orm,
}


def measured(rival: str, file: Path, count: int, window: int) -> None:
    """Run one rival once and print what it took: CPU seconds, and MB of memory at most."""
    import base64
    import resource
    import time

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


def history(file: Path, count: int) -> None:
    """So many records of a therapy: 110 days of the stand-in's account, again and again, on a clock that its owner sets.

    Twice a year with the zone, and for a journey of two weeks each summer. Readings move along.
    """
    from datetime import UTC, datetime

    import numpy as np

    from simulator.account import account
    from tandem.clock import UNIX_OF_PUMP_EPOCH, is_possible
    from tandem.records import Records

    days, readings = 110, (256, 372, 399, 480)
    records = account(identity=1, therapy=1, now=datetime(2026, 11, 18, 20, 30, tzinfo=UTC), days=days, density=1.0).current.records
    set_back = records.positions(13)[-1]  # until then the stand-in's clock is an hour ahead of what it is after it
    standard = records.seconds.astype(np.int64) - 3600 * (np.arange(len(records)) < set_back)
    kept = ~np.isin(records.code, CLOCK_CHANGES)
    records, standard = records.take(kept), standard[kept]
    span = int(records.sequence.max() - records.sequence.min()) + 1
    moments, offsets = clock_of_a_year(years=-(-count // len(records)) * days // 365 + 2)
    was = 3600
    with file.open("wb") as stream:
        for turn in range(-(-count // len(records))):
            moved = standard + turn * days * 86_400
            shift = offsets[np.searchsorted(moments, moved + UNIX_OF_PUMP_EPOCH, side="right")]
            by, sequence = moved + shift - records.seconds, records.sequence.astype(np.int64) + turn * span
            told = records.with_header(seconds=moved + shift, sequence=sequence)
            for code in readings:
                which = records.positions(code)
                taken = records.columns(code)["egvTimeStamp"].astype(np.int64)
                told = told.with_columns(code, {"egvTimeStamp": np.where(is_possible(taken), taken + by[which], taken)})
            steps = np.diff(shift, prepend=was)
            was = shift[-1]
            for place in np.flatnonzero(steps):  # the first record after each setting tells it
                after = int(told.seconds[place])
                before = after - int(steps[place])
                columns = {"timePrior": before % 86_400 * 1000, "timeAfter": after % 86_400 * 1000}
                setting = Records.build(code=13, seconds=after, sequence=int(sequence[place]), columns=columns)
                told = Records.join([told.take(slice(place)), setting, told.take(slice(place + 1, None))])
            stream.write(told.to_bytes())


def clock_of_a_year(years: int) -> "tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]":
    """When the owner sets the clock (Unix seconds, were winter time UTC), and by how much it is ahead of winter time before and after."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    import numpy as np

    from tandem.zones import transitions

    winter, slept, journey = 8 * 3600, 5 * 3600, 3 * 3600  # the clock is set in the morning; three zones further east for two weeks
    steps = [(one.moment - winter + slept, one.after + winter) for one in transitions(ZoneInfo(ZONE), 2026, 2026 + years)]
    for year in range(2026, 2026 + years + 1):
        for day, more in ((10, journey), (24, 0)):
            steps.append((int(datetime(year, 6, day, 10, tzinfo=UTC).timestamp()), 3600 + more))
    steps.sort()
    return np.array([moment for moment, _ in steps]), np.array([0, *(offset for _, offset in steps)])


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
    """Every rival at every size, in turns; medians."""
    where = "a file" if IN_FILE in sys.argv else "memory"
    table = Table(title=f"Pump events into DuckDB in {where} (CPU time, medians)", title_justify="left", box=box.SIMPLE)
    for heading in ("events", "an answer", "", "events/s", "of the floors", "x the ORM path", "peak MB"):
        table.add_column(heading, justify="left" if not heading else "right")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records"
        history(file, max(sizes))
        slow = {name: rate(name, file, count, count, rounds) for name, count in SAMPLE.items()}
        for name, (speed, memory) in slow.items():
            table.add_row(f"{SAMPLE[name]:,}", "all", name, f"{speed:,.0f}", "", "", f"{memory:,.0f}")
        for count in sizes:
            speed, memory = rate(DECODE, file, count, WINDOWS["bulk"], rounds)
            table.add_row(f"{count:,}", "bulk", DECODE, f"{speed:,.0f}", "", "", f"{memory:,.0f}")
            for words, window in WINDOWS.items():
                found = {name: rate(name, file, count, window, rounds) for name in RIVALRY[words]}
                for name, (speed, memory) in found.items():
                    times = speed / slow["tandem-fetch's ORM path"][0]
                    shares = " ".join(f"{speed / found[base][0]:.2f}" for base in (FLOOR, FLOOR_TOGETHER, KEYED) if base in found)
                    table.add_row(f"{count:,}", words, name, f"{speed:,.0f}", shares, f"{times:,.0f}", f"{memory:,.0f}")
    return table


def rate(rival: str, file: Path, count: int, window: int, rounds: int) -> tuple[float, float]:
    """Events a CPU second and peak megabytes, medians."""
    found = [ran(rival, file, count, window) for _ in range(rounds)]
    return count / statistics.median(one[0] for one in found), statistics.median(one[1] for one in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"up to {QUICK:,} events")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(IN_FILE, action="store_true", help="keep the databases in files, not in memory")
    for name, kind in (("--rival", str), ("--file", Path), ("--count", int), ("--window", int)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rival:
        measured(asked.rival, asked.file, asked.count, asked.window)
        return
    sizes = tuple(size for size in SIZES if size <= QUICK) if asked.quick else SIZES
    Console(width=140).print(contest(sizes, asked.rounds))
    print("The target is 0.6 of the floor's speed for what tandem-fetch stores too, and 200 x its ORM path; decoding 10,000,000 events/s.")


if __name__ == "__main__":
    main()
