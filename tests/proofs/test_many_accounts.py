"""Two hundred accounts over two Dask workers, one of them killed half way: every partition there, none twice, each as if made alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson
import prefect_template
import psutil
import pytest

from pipeline.partitions import MANIFEST, one_by_one
from sanitizer.scrub import scrub
from simulator.account import account
from simulator.session import captured_session
from tfx import store
from tfx.cassette import Cassette
from tfx.codec import decoded, encoded
from tfx.errors import NetworkError, UsageError

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


def prefect_at(home: Path) -> dict[str, str]:
    """The environment of a command whose Prefect lives there."""
    prefect_template.copy(home / "prefect.db")
    return {**os.environ, **prefect_template.START, "PREFECT_HOME": str(home)}


def finished(output: Path) -> int:
    return sum(1 for _ in output.glob("account=*"))


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if any("spawn_main" in word for word in child.cmdline())]


@pytest.mark.loopback
def test_a_killed_worker_costs_one_partition_and_loses_none(study: Path, tmp_path: Path) -> None:
    output = tmp_path / "tables"
    command = [sys.executable, "-m", "tfx", "pipeline", "run", "--runner", "dask", "--json"]
    command += ["--cassettes", str(study), "--output", str(output)]
    around = prefect_at(tmp_path / "prefect")
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


FEW = 3


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A folder of a few accounts; the first was told one event twice, with other content the second time."""
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(FEW):
        capture = captured_session(account(now=NOW, days=0.25, identity=number, therapy=number), now=NOW)
        cassette = scrub(capture, name=f"account-{number}").cassette
        store.save(contradicted(cassette) if number == 0 else cassette, folder)
    return folder


def contradicted(cassette: Cassette) -> Cassette:
    """The cassette with the last reading of its longest answer told again, another one."""
    logs = [one for one in cassette.exchanges if "pump-logs" in one.request.url and one.status == 200]
    longest = max(logs, key=lambda one: len(one.response.body))
    answer = orjson.loads(decoded(longest.response.headers, longest.response.body))
    reading = next(event for event in reversed(answer["events"]) if event["eventCode"] == 399)
    answer["events"].append(reading | {"eventProperties": reading["eventProperties"] | {"currentGlucoseDisplayValue": 99}})
    body = encoded(longest.response.headers, orjson.dumps(answer))
    response = replace(longest.response, body=body, headers=longest.response.headers.measured(str(len(body))))
    told = longest.replacing(response=response)
    return replace(cassette, exchanges=tuple(told if one is longest else one for one in cassette.exchanges))


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two workers, started by nobody of ours; its address."""
    file = folder / "scheduler.json"
    dask, here = [sys.executable, "-m", "dask"], ["--host", "127.0.0.1"]
    commands = [[*dask, "scheduler", *here, "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]]
    commands += [[*dask, "worker", *here, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--scheduler-file", str(file)]] * 2
    log = (folder / "dask.log").open("w")
    with log, ExitStack() as running:
        for command in commands:
            process = running.enter_context(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))
            running.callback(process.terminate)
            wait_for(file.exists, process)
        end = time.monotonic() + 60
        while not file.read_bytes() and time.monotonic() < end:
            time.sleep(0.05)
        yield orjson.loads(file.read_bytes())["address"]


@pytest.mark.loopback
def test_a_scheduler_that_runs_already_is_used_by_its_address(few: Path, tmp_path: Path) -> None:
    output = tmp_path / "tables"
    command = [sys.executable, "-m", "tfx", "pipeline", "run", "--json", "--cassettes", str(few), "--output", str(output)]
    around = prefect_at(tmp_path / "prefect")
    with cluster(tmp_path) as address:
        run = subprocess.run(
            [*command, "--runner", "dask", "--address", address], env=around, capture_output=True, text=True, timeout=240, check=False
        )
    assert (run.returncode, [one["status"] for one in orjson.loads(run.stdout)]) == (0, ["written"] * FEW), run.stderr[-2000:]
    assert not [line for line in (tmp_path / "dask.log").read_text().splitlines() if "Traceback" in line]
    alone = tmp_path / "alone"
    assert {one.status for one in one_by_one([str(path) for path in sorted(few.iterdir())], str(alone), "UTC")} == {"written"}
    for path in alone.rglob("*.parquet"):
        assert (output / path.relative_to(alone)).read_bytes() == path.read_bytes(), path.name
    changed = f"""
        SELECT q.account, q.code, octet_length(q.raw), count(r.sequence_number), count(DISTINCT g.glucose_mg_dl)
        FROM read_parquet('{output}/*/quarantine.parquet', hive_partitioning = true) q
        LEFT JOIN read_parquet('{output}/*/raw_events.parquet', hive_partitioning = true) r USING (account, sequence_number)
        LEFT JOIN read_parquet('{output}/*/cgm_readings.parquet', hive_partitioning = true) g USING (account, sequence_number)
        WHERE q.reason = 'changed record' AND g.glucose_mg_dl <> 99 GROUP BY ALL
    """
    assert duckdb.sql(changed).fetchall() == [("account-0", 399, 26, 1, 1)], "the first word is in the tables, the other beside it"


def wait_for(condition: Callable[[], bool], run: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        assert run.poll() is None, "it ended before it was killed"
        time.sleep(0.05)


@pytest.mark.loopback
def test_a_scheduler_that_is_not_there_is_one_sentence() -> None:
    from pipeline.dask_runner import dask

    with pytest.raises(NetworkError, match="no Dask scheduler answers"):
        dask(address="tcp://127.0.0.1:9", workers=1)
    with pytest.raises(UsageError, match="is like tcp://HOST:PORT"):
        dask(address="tcp://127.0.0.1", workers=1)
