"""The pipeline with a real DuckDB: constraints, files, and the command from a cassette into them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from pipeline.cli import pipeline
from pipeline.inspection.summary import summary
from pipeline.models import TABLES, AlarmOrAlert, BasalDelivery, Bolus, CgmReading, Device, Event, RawEvent
from pipeline.running.runs import Order, perform
from pipeline.running.steps import Stored
from pipeline.store.engine import connect, driver
from pipeline.store.schema import head, migrate
from pipeline.store.warehouse import existing_warehouse, in_memory, open_warehouse
from tfx.errors import CassetteError, TfxError, UsageError


@pytest.fixture
def warehouse() -> Iterator[Engine]:
    made = in_memory()
    yield made
    made.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pipeline, ["run", *arguments])


def report(*arguments: str) -> dict[str, dict[str, object]]:
    done = run(*arguments, "--json")
    assert done.exception is None, done.output
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


# --- what the database itself refuses


REFUSED = (
    ("an identity that is taken", "INSERT INTO raw_events VALUES (1, 0, 1, '2025', 3, 0, 1, 'x')"),
    ("a serial number that is taken", "INSERT INTO devices (id, serial_number, zone) VALUES (2, '90000001', 'UTC')"),
    ("a meal of no record", "INSERT INTO carbohydrates VALUES (1, 0, 2, '2024-07-01', '2024-07-01', 'exact', 30)"),
    ("trouble of no device", "INSERT INTO quarantine (id, device_id, reason, detail) VALUES ('a', 2, 'b', 'c')"),
    ("an event without a code", "INSERT INTO raw_events VALUES (1, 0, 3, '2025', NULL, 0, 1, 'x')"),
)


def test_keys_hold(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        driver(connection).execute("INSERT INTO devices (id, serial_number, zone) VALUES (1, '90000001', 'UTC')")
        driver(connection).execute("INSERT INTO raw_events VALUES (1, 0, 1, '2025', 399, 0, 1, 'x')")
    for why, statement in REFUSED:
        try:
            with warehouse.begin() as connection:
                driver(connection).execute(statement)
        except duckdb.ConstraintException:
            continue
        pytest.fail(f"{why} came in")


def test_models_read_and_write_what_the_migrations_made(root: Path, warehouse: Engine) -> None:
    perform(warehouse, Order(cassette=str(root / "cassettes/session-us.json"), zone="America/Los_Angeles"))
    with Session(warehouse) as session:
        for model in (Device, RawEvent, Event, CgmReading, BasalDelivery, Bolus, AlarmOrAlert):
            assert session.query(model).first() is not None
        reading = session.query(CgmReading).filter_by(sensor="G7", status="value").first()
        assert reading is not None
        assert reading.instant.tzinfo is not None
        assert reading.pump_time.tzinfo is None
        session.add(Device(id=9, serial_number="90000009", zone="UTC"))
        session.add(Device(id=9, serial_number="90000010", zone="UTC"))
        with pytest.raises((IntegrityError, DBAPIError)):
            session.flush()


# --- from a cassette, through the command


@pytest.mark.proofs
def test_a_part_the_whole_and_the_whole_again_are_the_whole_once(root: Path, tmp_path: Path) -> None:
    arguments = ("--cassette", str(root / "cassettes/session-us.json"), "--database", f"duckdb:///{tmp_path / 'w.duckdb'}")
    part, rest, again = report(*arguments, "--days", "1"), report(*arguments), report(*arguments)
    assert 0 < int(str(part["added"]["raw_events"])) < int(str(rest["received"]))
    agreed = {name: json.loads((root / f"tests/expected/session-us/{name}.json").read_text(encoding="utf-8")) for name in TABLES}
    assert rest["tables"] == agreed
    assert (again["added"], again["tables"]) == ({}, rest["tables"])


@pytest.mark.proofs
def test_memory_and_file_hold_the_same(root: Path, tmp_path: Path) -> None:
    cassette = ("--cassette", str(root / "cassettes/session-eu.json"), "--zone", "Europe/Berlin")
    assert report(*cassette) == report(*cassette, "--database", f"duckdb:///{tmp_path / 'w.duckdb'}")


@pytest.mark.proofs
def test_days_are_cut_out_of_a_cassette(root: Path) -> None:
    told = report("--cassette", str(root / "cassettes/session-us.json"), "--days", "1")
    whole, kept = (
        json.loads((root / f"tests/expected/session-us/{name}.json").read_text(encoding="utf-8")) for name in ("summary", "raw_events")
    )
    assert 0 < int(str(told["received"])) < int(kept["rows"])
    assert str(told["span"]["first"])[:10] == whole["span"]["last"][:10]


@pytest.mark.proofs
def test_days_nobody_could_read_end_the_run_and_the_check_with_1(root: Path, tmp_path: Path) -> None:
    database = f"duckdb:///{tmp_path / 'w w.duckdb'}"
    engine = open_warehouse(database)
    with engine.begin() as connection:
        driver(connection).execute("INSERT INTO unread_days VALUES (7, '2024-01-02'), (7, '2024-01-03')")
    engine.dispose()
    done = run("--cassette", str(root / "cassettes/session-us.json"), "--days", "1", "--database", database)
    assert (done.exit_code, "2024-01-02 to 2024-01-03 could not be read" in done.stderr) == (1, True)
    checked = CliRunner().invoke(pipeline, ["check", "--database", database])
    assert (checked.exit_code, "2024-01-02 to 2024-01-03 could not be read" in checked.output) == (1, True)


@pytest.mark.proofs  # slow; its parts have cheaper tests
def test_two_recordings_in_one_database_end_the_run_with_1(root: Path, tmp_path: Path) -> None:
    database = ("--database", f"duckdb:///{tmp_path / 'w.duckdb'}", "--zone", "America/Los_Angeles")
    first, second = (run("--cassette", str(root / f"cassettes/{name}.json"), *database) for name in ("session-us", "session-2025"))
    assert (first.exit_code, second.exit_code) == (0, 1), first.stderr + second.stderr
    for words in ("time goes back", "share an instant", "look with: tfx pipeline check"):
        assert words not in first.stderr
        assert words in second.stderr


def test_the_report_reads_well(root: Path) -> None:
    done = run("--cassette", str(root / "cassettes/session-us.json"))
    assert done.exit_code == 0
    assert "no --zone, so the pump's clock is taken for UTC" in done.stderr
    lines = done.stdout.splitlines()
    assert "instants under the zone UTC" in done.stdout
    assert [line.split()[0] for line in lines[: len(TABLES)]] == list(TABLES)
    assert [line.split()[0] for line in lines[len(TABLES) + 1 :]] == ["received", "span", "glucose", "insulin", "metrics", "clock", "set"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--cassette", "nowhere.json"), CassetteError, "nowhere.json does not exist; record it with: tfx record nowhere"),
        (("--cassette", "nowhere", "--database", "mysql://a:b@c/d"), UsageError, "the database mysql://c/d is not DuckDB"),
        (("--cassette", "nowhere", "--zone", "Mars"), UsageError, "there is no time zone called 'Mars'"),
        (("--cassette", "nowhere", "--zone", ""), UsageError, "there is no time zone called ''"),
        (("--cassettes", ".", "--output", "nowhere", "--zone", ""), UsageError, "there is no time zone called ''"),
        (("--cassette", "nowhere", "--database", "duckdb:////nowhere/at/all.duckdb"), UsageError, "cannot be opened as a warehouse"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(arguments: tuple[str, ...], error: type[TfxError], message: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, error)
    assert message in str(done.exception)


@pytest.mark.proofs
def test_another_zone_for_the_same_database_is_refused(root: Path, tmp_path: Path) -> None:
    database = f"duckdb:///{tmp_path / 'w.duckdb'}"
    arguments = ("--cassette", str(root / "cassettes/session-us.json"), "--database", database)
    before = report(*arguments, "--days", "1")
    done = run(*arguments, "--zone", "Europe/Berlin")  # every day: what it stored would be seen
    assert isinstance(done.exception, UsageError)
    engine = open_warehouse(database)
    with engine.connect() as connection:
        assert json.loads(json.dumps(summary(connection)))["tables"] == before["tables"]
    engine.dispose()


@pytest.mark.proofs
def test_another_recording_of_a_pump_of_that_number_is_refused_whole(root: Path, tmp_path: Path) -> None:
    database = ("--database", f"duckdb:///{tmp_path / 'w.duckdb'}", "--zone", "Europe/Berlin")
    before = report("--cassette", str(root / "cassettes/session-us.json"), *database)
    other = ("--cassette", str(root / "cassettes/session-eu.json"), *database)
    refused = run(*other)
    assert isinstance(refused.exception, UsageError)
    assert "another person's pump, or a cassette of another recording" in str(refused.exception)
    again = report("--cassette", str(root / "cassettes/session-us.json"), "--database", database[1])  # the zone is the database's
    assert again["tables"] == before["tables"]
    assert list(again["zones"]) == ["Europe/Berlin"]
    kept = run(*other, "--changed-records", "keep")
    assert (kept.exit_code, "no table counts them" in kept.stderr) == (1, True)
    checked = CliRunner().invoke(pipeline, ["check", *database[:2]])
    assert (checked.exit_code, "are in the quarantine alone" in checked.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cassettes", "a", "--output", "b", "--cassette", "c"), "--cassette is for one account"),
        (("--cassettes", "a", "--output", "b", "--days", "3"), "--days is for one account"),
        (("--cassettes", "a"), "many accounts need both"),
        (("--workers", "3"), "--workers is for many accounts"),
        (("--cassettes", "a", "--output", "b", "--workers", "3"), "--workers needs --runner dask"),
        (("--cassette", "a", "--era", "2025"), "--era is for the live service"),
        (("--cassette", "a", "--region", "us"), "--region is for the live service"),
        (("--cassettes", "a", "--output", "b", "--runner", "dask", "--workers", "2", "--address", "tcp://127.0.0.1:9"), "leave one out"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


@pytest.mark.proofs  # slow; its parts have cheaper tests
def test_what_is_no_warehouse_of_this_schema_is_said_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    url = f"duckdb:///{file}"
    open_warehouse(url).dispose()
    for revision, message in (("0099", "was made by a newer tfx (schema 0099"), ("0012", "of an older tfx (0012; today's is")):
        with duckdb.connect(str(file)) as database:
            database.execute("UPDATE alembic_version SET version_num = ?", [revision])
        content = file.read_bytes()
        for verb in (["show"], ["check"], ["trace", "1"], ["export", "--output", str(tmp_path / "out")]):
            done = CliRunner().invoke(pipeline, [*verb, "--database", url])
            assert isinstance(done.exception, UsageError)
            assert message in str(done.exception)
        assert file.read_bytes() == content
    odd = (
        ("DROP VIEW glucose_by_day", "glucose_by_day is missing"),
        ("ALTER TABLE cgm_readings ALTER glucose_mg_dl TYPE VARCHAR", "cgm_readings.glucose_mg_dl is VARCHAR"),
        ("ALTER TABLE cgm_readings DROP COLUMN status", "cgm_readings.status is missing"),
        ("CREATE OR REPLACE TABLE unread_days AS FROM unread_days", "the key of unread_days is missing"),
        ("INSERT INTO alembic_version VALUES ('0003')", "alembic_version has 2 rows"),
    )
    file.unlink()
    open_warehouse(url).dispose()
    made = file.read_bytes()
    for statement, message in odd:
        file.write_bytes(made)
        with duckdb.connect(str(file)) as database:
            database.execute(statement)
        for open_it in (open_warehouse, existing_warehouse):
            with pytest.raises(UsageError, match=re.escape(f"not the one this tfx made ({message})")):
                open_it(url)
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as database:
        database.execute("CREATE TABLE events (x INTEGER)")
    with pytest.raises(UsageError, match="was not made by tfx: its tables are others"):
        open_warehouse(f"duckdb:///{other}")


def test_an_older_schema_is_brought_up_to_date_when_asked(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'w.duckdb'}"
    engine = connect(url)
    migrate(engine, "0012")
    engine.dispose()
    assert isinstance(CliRunner().invoke(pipeline, ["check", "--database", url]).exception, UsageError)
    assert CliRunner().invoke(pipeline, ["upgrade", "--database", url]).output == f"the database has schema {head()}\n"
    assert CliRunner().invoke(pipeline, ["check", "--database", url]).exit_code == 0


def test_a_database_whose_making_was_killed_is_said_to_be_empty(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    url = f"duckdb:///{file}"
    duckdb.connect(str(file)).close()
    for command in ("show", "check"):
        told = str(CliRunner().invoke(pipeline, [command, "--database", url]).exception)
        assert "is empty, as one is whose first run was killed" in told, told
        assert told.endswith(f"fill it with: tfx pipeline run --database {url}")
    open_warehouse(url).dispose()  # as that command does
    file.write_bytes(b"")
    for open_it in (open_warehouse, existing_warehouse):
        with pytest.raises(UsageError, match=r"exists and is empty; remove it, or name another one"):
            open_it(url)


def test_a_run_that_brings_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert isinstance(run("--cassette", "nowhere", "--database", f"duckdb:///{tmp_path / 'w.duckdb'}").exception, CassetteError)
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_use_elsewhere_is_said(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    open_warehouse(f"duckdb:///{file}").dispose()
    holder = f"import duckdb, sys; c = duckdb.connect({str(file)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match=rf"is open in another program \(process {process.pid}\)"):
            open_warehouse(f"duckdb:///{file}")
        process.communicate("")


@pytest.mark.proofs
def test_the_command_imports_no_prefect_and_leaves_no_file(root: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from tfx.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as e: print(e.code, 'prefect' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "pipeline", "run", "--cassette", str(root / "cassettes/session-us.json")],
        cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] in {"0 False", "None False"}, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_summary_only_reads(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        driver(connection).execute("INSERT INTO devices (id, serial_number, zone) VALUES (1, '90000001', 'UTC')")
    with warehouse.connect() as connection:
        assert summary(connection) == summary(connection)
        assert driver(connection).execute("SELECT count(*) FROM devices").fetchall() == [(1,)]


@pytest.mark.proofs
def test_a_database_is_checked_and_exported_by_the_command(root: Path, tmp_path: Path) -> None:
    def done(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(pipeline, arguments)
        return (2 if isinstance(result.exception, UsageError) else result.exit_code), str(result.exception) + result.output

    file = tmp_path / "w.duckdb"
    database = ("--database", f"duckdb:///{file}")
    assert done("check", *database)[0] == 2
    assert not file.exists()
    assert run("--cassette", str(root / "cassettes/session-us.json"), *database).exit_code == 0
    code, text = done("check", *database)
    assert (code, text.splitlines()[-1]) == (0, "Everything is where it belongs.")
    assert json.loads(done("check", *database, "--json")[1].removeprefix("None"))["findings"] == []
    code, text = done("export", *database, "--output", str(tmp_path / "out"), "--format", "csv", "--tables", "boluses, suspensions")
    assert (code, [line.split() for line in text.removeprefix("None").splitlines()]) == (
        0,
        [["boluses.csv", "8"], ["suspensions.csv", "1"]],
    )
    engine = open_warehouse(f"duckdb:///{file}")
    with engine.begin() as connection:
        driver(connection).execute("DELETE FROM boluses")
    engine.dispose()
    code, text = done("check", *database)
    assert code == 1
    assert "boluses: rows are joined from 0 events, and 62 were told" in text


def test_serving_asks_again_and_ends_cleanly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", wait)
    monkeypatch.setattr("pipeline.running.runs.perform", lambda *_: Stored(received=3))
    database = f"duckdb:///{tmp_path / 'w.duckdb'}"
    done = CliRunner().invoke(pipeline, ["serve", "--database", database, "--every", "30"])
    assert done.exit_code == 0
    assert [line.partition("UTC  ")[2] for line in done.stdout.splitlines()[:-1]] == ["3 events received, 0 new"] * 2
    assert done.stdout.splitlines()[-1] == f"stopped after 2 runs; what they stored is in {database}"
    assert all(1700 < seconds <= 1800 for seconds in waited)
    assert isinstance(CliRunner().invoke(pipeline, ["serve", "--database", "duckdb:///:memory:"]).exception, UsageError)
