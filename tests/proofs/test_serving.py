"""`tfx pipeline serve` as a process against the simulated service: it keeps its interval; SIGINT and SIGTERM end it cleanly."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.inspection.check import check
from pipeline.inspection.summary import summary
from pipeline.running.runs import Order, perform
from pipeline.store.engine import driver
from pipeline.store.warehouse import in_memory, open_warehouse
from simulator.account import Account, account
from simulator.proxy import StandIn, running
from tfx.jsonbody import Json
from tfx.plural import plural

if TYPE_CHECKING:
    from sqlalchemy import Engine

pytestmark = [pytest.mark.proofs, pytest.mark.loopback]

BEAT = 3.0  # s; a run takes a fraction of one
# The command, with shorter beats than a person may choose: the service is not to be asked more than once a minute.
COMMAND = """
import tfx.start
tfx.start.end_at_once("stopped")
import click, pipeline.cli
next(option for option in pipeline.cli.serve.params if option.name == "every").type = click.FloatRange(min=0)
tfx.start.main()
"""


@pytest.fixture(scope="module")
def person() -> Account:
    return account(now=datetime.now(UTC), days=3)


@pytest.fixture
def service(person: Account) -> Iterator[StandIn]:
    with running(person, now=lambda: datetime.now(UTC), pause=0.001) as stand_in:
        yield stand_in


@contextmanager
def led_to(service: StandIn, person: Account) -> Iterator[None]:
    """This process, as the command's is."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**service.environment, "TFX_EMAIL": person.email, "TFX_PASSWORD": person.password}.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def undisturbed(person: Account) -> dict[str, Json]:
    """What one run makes of the account, in memory."""
    engine = in_memory()
    with running(person, now=lambda: datetime.now(UTC)) as stand_in, led_to(stand_in, person):
        perform(engine, Order())
    with engine.connect() as connection:
        told = summary(connection)
    engine.dispose()
    return told


@contextmanager
def serving(service: StandIn, person: Account, database: Path) -> Iterator["subprocess.Popen[str]"]:
    """The process; killed in the end where a test failed before it ended."""
    command = [
        sys.executable,
        "-c",
        COMMAND,
        "pipeline",
        "serve",
        "--database",
        f"duckdb:///{database}",
        "--every",
        str(BEAT / 60),
        "--zone",
        "UTC",
    ]
    led = {**service.environment, "TFX_EMAIL": person.email, "TFX_PASSWORD": person.password, "TMPDIR": str(database.parent)}
    with subprocess.Popen(command, env={**os.environ, **led}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, list[str], str]:
    """Exit code, lines without their time, and what went to stderr, once the signal has been sent."""
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, [re.sub(r"^[-0-9]+ [:0-9]+ UTC  ", "", line) for line in out.splitlines()], err


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def completed(database: Path, person: Account, undisturbed: dict[str, Json]) -> None:
    """The database is whole: one more run makes it what an undisturbed run makes, and everything adds up."""
    engine = open_warehouse(f"duckdb:///{database}")
    mine = count(engine)
    assert mine in (0, len(person.current.records)), "a window is there or not"
    perform(engine, Order())
    assert count(engine) == len(person.current.records)
    with engine.connect() as connection:
        assert check(connection).findings == ()
        assert summary(connection) == undisturbed
    engine.dispose()


def count(engine: "Engine") -> int:
    with engine.connect() as connection:
        return len(driver(connection).execute("SELECT 1 FROM raw_events").fetchall())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_begin_on_the_beat_and_a_signal_between_them_is_a_clean_end(
    number: signal.Signals, person: Account, service: StandIn, undisturbed: dict[str, Json], tmp_path: Path
) -> None:
    database = tmp_path / "w.duckdb"
    started = time.monotonic()
    with serving(service, person, database) as process:
        begun: list[float] = []

        def third() -> bool:
            if [name for _, name, _ in service.requests].count("login") > len(begun):
                begun.append(time.monotonic())
            return len(begun) == 3

        wait_for(third, process)
        wait_for(lambda: service.requests[-1][1] == "pump-logs", process)
        time.sleep(BEAT / 2)  # by now it waits for the next beat
        code, lines, err = ended(process, number)
    total = f"{len(person.current.records):,}"
    assert (code, err) == (0, "")
    assert lines == [
        f"{total} events received, {total} new",
        *lines[1:3],
        f"stopped after 3 runs; what they stored is in duckdb:///{database}",
    ]
    assert all(re.fullmatch(r"[\d,]+ events received, 0 new", line) for line in lines[1:3])
    # Never early. How late is the machine's load: the beats are counted from a moment after `started`.
    assert all(seen - started > beats * BEAT for beats, seen in enumerate(begun)), begun
    runs = " ".join(name for _, name, _ in service.requests).split("login ")
    assert runs[2].startswith(runs[3]), "every run asks the same, one after the other"
    completed_with(service, person, database, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["login", "pump-logs"])
def test_a_signal_in_the_middle_of_a_run_is_a_clean_end(
    number: signal.Signals, after: str, person: Account, service: StandIn, undisturbed: dict[str, Json], tmp_path: Path
) -> None:
    database = tmp_path / "w.duckdb"
    with serving(service, person, database) as process:
        wait_for(lambda: any(name == after for _, name, _ in service.requests), process)
        code, lines, err = ended(process, number)
    assert (code, err) == (0, "")
    assert lines[-1] == f"stopped after {plural(len(lines) - 1, 'run')}; what they stored is in duckdb:///{database}"
    completed_with(service, person, database, undisturbed)


def test_a_signal_at_any_moment_of_the_start_is_a_clean_end(person: Account, service: StandIn, tmp_path: Path) -> None:
    """From the first line of the command on, which is where the signals are caught: while libraries are imported, and in the first run."""
    with ExitStack() as running_ones:
        started = []
        for number in range(8):
            (tmp_path / str(number)).mkdir()
            process = running_ones.enter_context(serving(service, person, tmp_path / str(number) / "w.duckdb"))
            wait_for(lambda process=process: catches(process.pid, signal.SIGTERM), process)  # type: ignore[misc]  # mypy knows no such default
            started.append((process, (signal.SIGINT, signal.SIGTERM)[number % 2], time.monotonic() + number / 2))
        for process, number, moment in started:
            time.sleep(max(0.0, moment - time.monotonic()))
            code, lines, err = ended(process, number)
            assert (code, err, lines[-1].partition(" after ")[0]) == (0, "", "stopped")


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for that signal."""
    (caught,) = re.findall(r"^SigCgt:\s+(\w+)$", Path(f"/proc/{pid}/status").read_text(), flags=re.MULTILINE)
    return bool(int(caught, 16) >> (number - 1) & 1)


def completed_with(service: StandIn, person: Account, database: Path, undisturbed: dict[str, Json]) -> None:
    with led_to(service, person):
        completed(database, person, undisturbed)
    assert [path.name for path in database.parent.iterdir()] == [database.name], "no log is left open, nothing temporary is left"
