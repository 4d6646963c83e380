"""Two hundred accounts over two Dask workers, one of them killed half way: every partition there, none twice, each as if made alone."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson
import prefect_template
import psutil
import pytest

from pipeline.running.manifest import MANIFEST
from pipeline.running.partitions import one_by_one
from sanitizer.scrub import scrub
from simulator.account import account
from simulator.session import captured_session
from tfx import store
from tfx.cassette import Cassette
from tfx.codec import decoded, encoded
from tfx.errors import NetworkError, UsageError

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
ACCOUNTS = 200
WORKERS = 2
PATIENCE = 300.0  # s
THERAPIES = 10
"""Different therapies, each under many names: it is the partitions that are counted."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated accounts, a cassette each."""
    folder = tmp_path_factory.mktemp("study")
    for therapy in range(THERAPIES):
        capture = captured_session(account(now=NOW, days=0.25, identity=therapy, therapy=therapy), now=NOW)
        cassette = scrub(capture, name="account").cassette
        for number in range(therapy, ACCOUNTS, THERAPIES):
            store.save(replace(cassette, name=f"account-{number:03}"), folder)
    return folder


def prefect_at(home: Path) -> dict[str, str]:
    """The environment of a command whose Prefect lives there."""
    prefect_template.copy(home / "prefect.db")
    return {**os.environ, **prefect_template.START, "PREFECT_HOME": str(home)}


def finished(output: Path) -> dict[str, int]:
    """The accounts whose partitions are there, and which inode each folder is: one that is made again is another."""
    return {path.name.removeprefix("account="): path.stat().st_ino for path in output.glob("account=*")}


class Gates:
    """Accounts that no worker gets past: a named pipe stands for the cassette, and whoever reads it waits until somebody writes."""

    def __init__(self, study: Path, folder: Path, names: Iterable[str]) -> None:
        self._study, self._folder, self._closed = study, folder, tuple(names)
        self.held: dict[str, int] = {}
        for name in self._closed:
            os.mkfifo(folder / f"{name}.json")

    def hold(self) -> int:
        """How many workers wait at a gate."""
        for name in self._closed:
            if name not in self.held:
                with suppress(OSError):  # nobody reads it
                    self.held[name] = os.open(self._folder / f"{name}.json", os.O_WRONLY | os.O_NONBLOCK)
        return len(self.held)

    def holder(self, name: str, processes: Iterable[psutil.Process]) -> psutil.Process:
        """The process that waits at that gate."""
        pipe = str(self._folder / f"{name}.json")
        (found,) = (one for one in processes if any(os.path.realpath(handle) == pipe for handle in Path(f"/proc/{one.pid}/fd").iterdir()))
        return found

    def open(self, name: str) -> None:
        """Whoever waits there reads the cassette, and finds a file in its place from now on."""
        self.replace(name)
        handle = self.held.pop(name)
        os.set_blocking(handle, True)
        with os.fdopen(handle, "wb") as pipe:
            pipe.write((self._study / f"{name}.json").read_bytes())

    def replace(self, name: str) -> None:
        """The next to come finds a file; whoever waits goes on waiting."""
        (self._folder / "next").hardlink_to(self._study / f"{name}.json")
        (self._folder / "next").replace(self._folder / f"{name}.json")


@pytest.mark.loopback
def test_a_killed_worker_costs_one_partition_and_loses_none(study: Path, tmp_path: Path) -> None:
    names = [f"account-{number:03}" for number in range(ACCOUNTS)]
    first, second = names[: ACCOUNTS // 2], names[ACCOUNTS // 2 :]
    asked, output = tmp_path / "asked", tmp_path / "tables"
    asked.mkdir()
    for name in first:
        (asked / f"{name}.json").hardlink_to(study / f"{name}.json")
    gates = Gates(study, asked, second)
    command = [sys.executable, "-m", "tfx", "pipeline", "run", "--runner", "dask", "--json"]
    command += ["--cassettes", str(asked), "--output", str(output)]
    around = prefect_at(tmp_path / "prefect")
    with (tmp_path / "told").open("w+") as out, (tmp_path / "log").open("w+") as log:
        with subprocess.Popen(command, env=around, stdout=out, stderr=log) as run:
            try:
                wait_for(lambda: gates.hold() == WORKERS, run, output)
                before = finished(output)
                lost, other = gates.held
                victim = gates.holder(lost, psutil.Process(run.pid).children(recursive=True))
                gates.open(lost)
                wait_for(lambda: any(output.glob(f"*account={lost}*")), run, output)
                victim.kill()
                for name in set(second) - {lost, other}:
                    gates.replace(name)
                gates.open(other)
                wait_for(lambda: len(finished(output)) == ACCOUNTS, run, output)
                run.wait(timeout=PATIENCE)
            finally:
                run.terminate()
        assert run.returncode == 0, (tmp_path / "log").read_text()[-2000:]
        told = orjson.loads((tmp_path / "told").read_bytes())
    assert ACCOUNTS // 4 < len(before) <= ACCOUNTS // 2, "half way"
    after = finished(output)
    assert {name: after[name] for name in before} == before, "what was there is not made again"
    assert sorted(path.name for path in output.iterdir()) == [f"account={name}" for name in names], "nothing half written is left"
    assert [one["account"] for one in told] == names
    assert {one["status"] for one in told} <= {"written", "there already"}
    again = {one["account"] for one in told if one["status"] == "there already"}
    assert again <= {*before, lost}, "Dask asks anew for what the dead worker had made and not yet handed over"
    alone = tmp_path / "alone"
    some = [str(study / f"{name}.json") for name in (*names[:THERAPIES], lost)]
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


def wait_for(condition: Callable[[], bool], run: "subprocess.Popen[bytes]", output: Path | None = None) -> None:
    """Wait as long as partitions keep coming: five minutes without a new one are a failure, and so is the end of that process."""
    known, end = -1, 0.0
    while not condition():
        assert run.poll() is None, "it ended too early"
        if (now := len(finished(output)) if output else 0) > known:
            known, end = now, time.monotonic() + PATIENCE
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.loopback
def test_a_scheduler_that_is_not_there_is_one_sentence() -> None:
    from pipeline.running.dask_runner import dask

    with pytest.raises(NetworkError, match="no Dask scheduler answers"):
        dask(address="tcp://127.0.0.1:9", workers=1)
    with pytest.raises(UsageError, match="is like tcp://HOST:PORT"):
        dask(address="tcp://127.0.0.1", workers=1)
