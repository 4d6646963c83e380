"""Opening DuckDB: in memory and by file, in UTC, and what is not DuckDB."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest
from sampling import sampled
from sqlalchemy import Engine

from pipeline.store.engine import MEMORY, connect, driver
from pipeline.store.warehouse import existing_warehouse, in_memory, open_warehouse, told
from tfx.errors import UsageError


def one(engine: Engine, query: str) -> object:
    with engine.connect() as connection:
        return driver(connection).execute(query).fetchall()[0][0]


def test_every_thread_sees_the_same_memory(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        driver(connection).execute("INSERT INTO devices (id, serial_number, zone) VALUES (1, '90000001', 'UTC')")
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(one(warehouse, "SELECT count(*) FROM devices")))
    thread.start()
    thread.join()
    assert seen == [1]


def test_two_warehouses_in_memory_are_two() -> None:
    first, second = in_memory(), in_memory()
    with first.begin() as connection:
        driver(connection).execute("INSERT INTO devices (id, serial_number, zone) VALUES (1, '90000001', 'UTC')")
    assert [one(engine, "SELECT count(*) FROM devices") for engine in (first, second)] == [1, 0]
    first.dispose()
    second.dispose()


def test_instants_come_back_in_utc(engine: Engine) -> None:
    assert one(engine, "SELECT current_setting('TimeZone')") == "UTC"
    assert str(one(engine, "SELECT TIMESTAMPTZ '2024-07-01 12:00:00+02'")) == "2024-07-01 10:00:00+00:00"


def test_a_file_is_made_migrated_and_found_again(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'warehouse.duckdb'}"
    for count in (0, 1):
        made = open_warehouse(url)
        assert one(made, "SELECT count(*) FROM devices") == count
        if not count:
            with made.begin() as connection:
                driver(connection).execute("INSERT INTO devices (id, serial_number, zone) VALUES (1, '90000001', 'UTC')")
        made.dispose()


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "", "sqlite://"])
def test_what_is_not_duckdb_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UsageError, match=r"is not DuckDB; name one like duckdb:///warehouse\.duckdb") as told:
        connect(url)
    assert "secret" not in str(told.value)
    with pytest.raises(UsageError, match=r"the database x\.duckdb has no duckdb:/// before it; write duckdb:///x\.duckdb$"):
        connect("me:secret@x.duckdb")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk, bread")
    with pytest.raises(UsageError, match="is not a DuckDB database"):
        open_warehouse(f"duckdb:///{tmp_path / 'notes.txt'}")
    assert (tmp_path / "notes.txt").read_text() == "milk, bread"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="see that the folder is there"):
        open_warehouse(f"duckdb:///{tmp_path / 'nowhere' / 'warehouse.duckdb'}")


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    # DuckDB told to open a .json file makes a view of it in memory: everything stored would be gone without a word.
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(UsageError, match="is not a DuckDB database"):
        open_warehouse(f"duckdb:///{tmp_path / 'notes.json'}")
    assert (tmp_path / "notes.json").read_text() == "{}"


def test_what_the_database_refuses_is_told_in_our_words_and_without_the_password() -> None:
    engine = in_memory()
    with (
        pytest.raises(UsageError, match=r"duckdb:///x\.duckdb is not the one this tfx made") as caught,
        told("duckdb://who:secret@/x.duckdb"),
        engine.connect() as connection,
    ):
        driver(connection).execute("SELECT * FROM nowhere")
    assert "secret" not in str(caught.value)
    engine.dispose()


def test_a_damaged_file_is_called_that_when_it_is_opened_and_when_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with duckdb.connect(str(file)) as database:
        database.execute("CREATE TABLE events AS FROM range(100000)")
    file.write_bytes(file.read_bytes()[:20_000])  # three headers, and no block
    words = "is damaged; restore it from a copy, or run again into a new one"
    with pytest.raises(UsageError, match=words):
        open_warehouse(f"duckdb:///{file}")
    with pytest.raises(UsageError, match=words), told(MEMORY):
        raise duckdb.IOException("Corrupt database file: computed checksum 7 does not match stored checksum 8 in block at location 274432")


def test_a_file_is_kept_in_so_much_memory_and_its_address_may_name_more(tmp_path: Path) -> None:
    for more, limit in (("", "244.1 MiB"), ("?memory_limit=1GiB", "1.0 GiB")):
        engine = connect(f"duckdb:///{tmp_path}/x.duckdb{more}")
        with engine.connect() as connection:
            assert driver(connection).execute("SELECT current_setting('memory_limit')").fetchall() == [(limit,)]
        engine.dispose()
    for odd in ("colour=blue", "memory_limit=much"):
        with pytest.raises(UsageError, match=rf"DuckDB does not take the options in the address .*\?{odd}; leave out what comes after"):
            open_warehouse(f"duckdb:///{tmp_path}/y.duckdb?{odd}")
    assert not (tmp_path / "y.duckdb").exists()


def test_an_interruption_that_duckdb_met_stays_one(engine: Engine) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    def count() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.05)  # not before: an alarm outside would end the whole run
        # A second or two: an alarm before the first slice of its work is heard after the last.
        one(engine, "SELECT count(*) FROM range(1000000000) WHERE range % 7 = 3")

    before = signal.signal(signal.SIGALRM, stopped)
    try:
        with pytest.raises(KeyboardInterrupt), told(MEMORY):
            count()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(RuntimeError, match="a fault of our own"), told(MEMORY):
        raise RuntimeError("a fault of our own")


@pytest.mark.parametrize(
    "change",
    sampled(("DROP VIEW glucose_by_span",), rest=[("ALTER TABLE events DROP COLUMN clock",), ("DELETE FROM alembic_version",)]),
)
def test_a_schema_changed_by_hand_is_called_that(change: str, tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'w.duckdb'}"
    engine = open_warehouse(url)
    with engine.begin() as connection:
        driver(connection).execute(change)
    engine.dispose()
    with pytest.raises(UsageError, match=r"is not the one this tfx made|schema of an older tfx"):
        existing_warehouse(url)
    with pytest.raises(UsageError, match="is not the one this tfx made"):
        open_warehouse(url)


@pytest.mark.proofs
def test_duckdb_draws_no_progress_where_a_notebook_prints() -> None:
    """A command without a file is to DuckDB what a notebook is: there it shows the progress of what takes long, on stdout."""
    bare = "import duckdb; connection = duckdb.connect()"
    ours = "from pipeline.store.engine import *; connection = connect(MEMORY).raw_connection().driver_connection"
    for made, draws in ((bare, "True"), (ours, "False")):
        asked = f"{made}; print(connection.execute(\"SELECT current_setting('enable_progress_bar')\").fetchone()[0])"
        assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip() == draws
