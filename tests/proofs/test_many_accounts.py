"""Two hundred accounts over two Dask workers, one of them killed half way: every partition there, none twice, each as if made alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson
import psutil
import pytest

from pipeline.partitions import MANIFEST, one_by_one
from sanitizer.scrub import scrub
from simulator.account import account
from simulator.session import captured_session
from tfx import store

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
ACCOUNTS = 200
THERAPIES = 10
"""Different therapies, each under many names: it is the partitions that are counted."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated accounts, a cassette each."""
    folder = tmp_path_factory.mktemp("study")
    for therapy in range(THERAPIES):
        capture = captured_session(account(now=NOW, days=0.25, identity=therapy, therapy=therapy), now=NOW)
        for number in range(therapy, ACCOUNTS, THERAPIES):
            store.save(scrub(capture, name=f"account-{number:03}").cassette, folder)
    return folder


def finished(output: Path) -> int:
    return sum(1 for _ in output.glob("account=*"))


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if any("spawn_main" in word for word in child.cmdline())]


@pytest.mark.loopback
def test_a_killed_worker_costs_one_partition_and_loses_none(study: Path, tmp_path: Path) -> None:
    output = tmp_path / "tables"
    command = [sys.executable, "-m", "tfx", "pipeline", "run", "--runner", "dask", "--json"]
    command += ["--cassettes", str(study), "--output", str(output)]
    around = {**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")}
    with subprocess.Popen(command, env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: finished(output) >= ACCOUNTS // 2, run)
        victim = workers_of(psutil.Process(run.pid))[0]
        victim.send_signal(signal.SIGKILL)
        out, err = run.communicate(timeout=240)
    assert run.returncode == 0, err[-2000:]
    told = orjson.loads(out)
    names = [f"account-{number:03}" for number in range(ACCOUNTS)]
    assert [one["account"] for one in told] == names
    assert {one["status"] for one in told} <= {"written", "there already"}, "a partition the dead worker had just finished is there already"
    assert sum(one["status"] == "there already" for one in told) <= 1
    assert sorted(path.name for path in output.iterdir()) == [f"account={name}" for name in names], "nothing half written is left"
    alone = tmp_path / "alone"
    some = [str(study / f"{name}.json") for name in names[:THERAPIES]]
    assert {one.status for one in one_by_one(some, str(alone), "UTC")} == {"written"}
    for folder in alone.iterdir():
        for path in folder.iterdir():
            assert (output / folder.name / path.name).read_bytes() == path.read_bytes(), path.name
    events = sum(orjson.loads((folder / MANIFEST).read_bytes())["events"] for folder in output.iterdir())
    query = f"SELECT count(*), count(DISTINCT account) FROM read_parquet('{output}/*/raw_events.parquet', hive_partitioning = true)"
    assert duckdb.sql(query).fetchall() == [(events, ACCOUNTS)]


def wait_for(condition: Callable[[], bool], run: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        assert run.poll() is None, "it ended before it was killed"
        time.sleep(0.05)
