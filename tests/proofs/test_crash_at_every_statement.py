"""A run that is cut off at any statement, and a second one that completes it: the tables are those of a run that nothing disturbed."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event

from pipeline.models import TABLES
from pipeline.receive.pumps import Pump
from pipeline.running.steps import run
from pipeline.store.engine import Driver, driver
from pipeline.store.warehouse import in_memory, open_warehouse
from simulator.account import account
from tandem.client import TandemSource
from tandem.eras import ERAS
from tandem.records import Records
from tandem.windows import Window

pytestmark = pytest.mark.proofs

PUMP = Pump(key="1", serial_number="90000001", model_number="1000354")
ZONE = ZoneInfo("America/Los_Angeles")
EVERY = (*TABLES, "stale_ranges", "unsettled_ranges", "clock_facts", "unread_days")
PARTS = 8
TOGETHER = 400
"""Events: the first two windows share a transaction."""
Content = dict[str, list[tuple[object, ...]]]


class CutOffError(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


class Source:
    """A client of era 2025 whose three windows overlap; the last holds a changed record, an impossible one and half a record."""

    era = ERAS["2025"]

    def pump_events(self, _device: str, window: Window) -> bytes:
        records = history()
        start, end = ((0, 220), (180, 420), (400, None))[window.since.day - 1]
        part = records.take(slice(start, end))
        if end is not None:
            return part.to_body()
        twin = part.take(slice(1)).with_header(seconds=part.seconds[:1] + 60)
        odd = Records.build(code=279, seconds=0, sequence=int(records.sequence.max()) + 1)
        return b'"' + base64.b64encode(Records.join([part, twin, odd]).to_bytes() + twin.to_bytes()[:13]) + b'"'


@cache
def history() -> Records:
    return account(now=datetime(2026, 11, 18, 20, 30, tzinfo=UTC), days=1).current.records


def whole_run(engine: Engine, at_once: int = 0) -> None:
    windows = tuple(Window(since=date(2026, 11, day), until=date(2026, 11, day)) for day in (1, 2, 3))
    run(engine, cast("TandemSource", Source()), PUMP, windows, zone=ZONE, at_once=at_once)


def content(engine: Engine) -> Content:
    with engine.connect() as connection:
        return {table: driver(connection).execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in EVERY}


class Counted:
    """DuckDB's connection; every statement is counted, and something happens before one of them."""

    def __init__(self, bare: Driver, before: Callable[[], None]) -> None:
        self.bare, self.before = bare, before

    def execute(self, query: str, parameters: object = None) -> Driver:
        self.before()
        return self.bare.execute(query, parameters)

    def register(self, view_name: str, python_object: object) -> object:
        self.before()
        return self.bare.register(view_name, python_object)

    def unregister(self, view_name: str) -> object:
        return self.bare.unregister(view_name)


@contextmanager
def disturbed(engine: Engine, at: int, deed: Callable[[], None]) -> Iterator[list[int]]:
    """Before statement (or commit) number `at` the deed is done. Gives the count so far, in a list of one."""
    count = [0]

    def before(*_: object) -> None:
        count[0] += 1
        if count[0] == at:
            deed()

    with pytest.MonkeyPatch.context() as patch:
        for module in [module for name, module in sys.modules.items() if name.startswith("pipeline.") and hasattr(module, "driver")]:
            patch.setattr(module, "driver", lambda connection: Counted(driver(connection), before))
        event.listen(engine, "commit", before)
        try:
            yield count
        finally:
            event.remove(engine, "commit", before)


def cut() -> None:
    raise CutOffError


@contextmanager
def in_pieces() -> Iterator[None]:
    """Instants are settled, and tables worked out, in two or three pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.derive.settle.PIECE", 300)
        patch.setattr("pipeline.derive.update.WHOLE", 500)
        yield


@pytest.fixture(scope="module", autouse=True)
def small_pieces() -> Iterator[None]:
    with in_pieces():
        yield


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Content, Mapping[int, int]]:
    """The tables, and how many statements they take, by how many events share a transaction."""
    statements = {}
    for at_once in (0, TOGETHER):
        engine = in_memory()
        with disturbed(engine, 0, cut) as count:
            whole_run(engine, at_once)
        statements[at_once] = count[0]
        found = content(engine)
        engine.dispose()
    assert statements[TOGETHER] < statements[0]
    assert {"raw_events", "boluses", "cgm_readings"} <= {table for table, rows in found.items() if rows}
    assert {row[5] for row in found["quarantine"]} == {"unknown code", "changed record", "impossible time", "truncated record"}
    assert not found["stale_ranges"]
    return found, statements


def emptied(engine: Engine) -> None:
    for table in reversed(EVERY):
        with engine.begin() as connection:
            driver(connection).execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("where", ["memory", "file"])
def test_the_next_run_completes_what_was_cut_off(
    where: str, part: int, undisturbed: tuple[Content, Mapping[int, int]], tmp_path: Path
) -> None:
    at_once = TOGETHER if where == "memory" else 0
    expected, statements = undisturbed[0], undisturbed[1][at_once]
    url = f"duckdb:///{tmp_path / 'w.duckdb'}"
    engine = in_memory() if where == "memory" else open_warehouse(url)
    step = 1 if where == "memory" else 7  # a file is opened anew each time
    for at in range(1 + part * step, statements + 1, PARTS * step):
        with disturbed(engine, at, cut), pytest.raises(CutOffError):
            whole_run(engine, at_once)
        if where == "file":
            engine.dispose()
            engine = open_warehouse(url)
        whole_run(engine, at_once)
        assert content(engine) == expected, f"statement {at} of {statements}"
        assert not (tmp_path / "w.duckdb.wal").exists()  # what a whole run leaves in memory is bounded
        emptied(engine)
    engine.dispose()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_a_killed_run_is_completed_by_the_next(share: float, undisturbed: tuple[Content, Mapping[int, int]], tmp_path: Path) -> None:
    expected, statements = undisturbed[0], undisturbed[1][0]
    file = tmp_path / "w.duckdb"
    command = [sys.executable, __file__, str(file), str(max(1, int(statements * share)))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    engine = open_warehouse(f"duckdb:///{file}")
    whole_run(engine)
    assert content(engine) == expected
    engine.dispose()


def main() -> None:
    """In a process of its own: run until statement so and so, and die there as `kill -9` kills."""
    engine = open_warehouse(f"duckdb:///{sys.argv[1]}")
    with in_pieces(), disturbed(engine, int(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL)):
        whole_run(engine)


if __name__ == "__main__":
    main()
