"""Direct calls into the pipeline that end in an error, with a canary in their arguments. See canary_calls.py."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from canary import FAMILY, NAME, PASSWORD, SERIAL, UUID, Bench
from canary_calls import Call
from canary_making import LOGS
from canary_wire import event
from leaks import exchange

from pipeline.derive.rebuild import rebuild
from pipeline.export import files as export_of
from pipeline.export.files import Choice, export
from pipeline.receive import decode, pumps, settings
from pipeline.receive.origin import recorded_windows
from pipeline.running import dask_runner, partitions, steps
from pipeline.store import devices, warehouse
from pipeline.store.engine import connect, driver
from tandem.client import TandemSource
from tandem.eras import ERAS
from tfx.jsonbody import Json


def stored_under_another_zone(_: Bench) -> object:
    engine = warehouse.in_memory()
    with engine.begin() as connection:
        for zone in ("UTC", "Europe/Berlin"):
            devices.register(connection, mine(), zone=ZoneInfo(zone))
    return None


def mine(**changes: object) -> pumps.Pump:
    told: dict[str, object] = dict.fromkeys(pumps.Pump.__dataclass_fields__) | {
        "key": UUID,
        "serial_number": SERIAL,
        "first": "",
        "last": "",
    }
    return pumps.Pump(**(told | changes))  # type: ignore[arg-type]  # one field each


def profile(**changes: Json) -> Json:
    told: dict[str, Json] = {"name": NAME, "idp": 0, "tDependentSegs": []}
    return {"profiles": {"profile": [told | changes], "activeIdp": 0}}


class Listing:
    """A client that gets pumps in an unknown shape."""

    def __init__(self, era: str, said: Json) -> None:
        self.era, self.said = ERAS[era], said

    def pumper(self) -> Json:
        return self.said

    pump_event_metadata = pumper


def listed(era: str, said: Json) -> object:
    return pumps.pumps_of(cast("TandemSource", Listing(era, said)))


def broken_database(bench: Bench) -> object:
    import duckdb

    with warehouse.told("duckdb:///x.duckdb"):
        raise duckdb.ConstraintException(f"Duplicate key {SERIAL} {NAME}")


def too_little_memory(bench: Bench) -> object:
    import duckdb

    with warehouse.told(f"duckdb://{NAME}:{PASSWORD}@/x.duckdb"):
        raise duckdb.OutOfMemoryException(f"failed to pin {SERIAL} {NAME}")


def no_warehouse(bench: Bench) -> object:
    path = bench.folder / "work" / bench.plant("x.duckdb", b"01234567DUCK" + PASSWORD.encode() * 900)
    return warehouse.open_warehouse(f"duckdb:///{path}")


def exported(bench: Bench, output: str) -> object:
    bench.plant("there", PASSWORD)
    with warehouse.in_memory().connect() as connection:
        return export(connection, bench.folder / "work" / output, "csv", Choice())


def of_a_run_cut_short(bench: Bench) -> object:
    engine = warehouse.in_memory()
    with engine.begin() as connection:
        driver(connection).execute("INSERT INTO stale_ranges VALUES (1, 0, 1, 1)")
        return export(connection, bench.folder / "work" / "cut", "csv", Choice())


def other_partition(bench: Bench) -> None:
    bench.plant("folder/file", PASSWORD)
    bench.plant("partial/files/x", PASSWORD)
    partitions._put_in_place(Path("partial"), Path("folder"), {})


def beside_a_file(bench: Bench) -> object:
    with partitions._beside(bench.folder / "work" / bench.plant("file", PASSWORD) / "inner" / "x") as found:
        return found


def window_without_days(_: Bench) -> object:
    return recorded_windows([exchange(f"{LOGS}&startDate={NAME}&endDate={PASSWORD}")])


def no_room(_: Bench) -> None:
    with export_of._whole(Path("out")) as partial:
        raise OSError(28, "No space left on device", str(partial / NAME))


def database(bench: Bench, *statements: str, of_tfx: bool = False) -> str:
    """The address of a database with something of somebody's in it, after those statements."""
    import duckdb

    path = bench.folder / "work" / f"{len(bench.planted)}.duckdb"
    url = f"duckdb:///{path}"
    if of_tfx:
        warehouse.open_warehouse(url).dispose()
    with duckdb.connect(str(path)) as connection:
        for statement in (f"CREATE TABLE {NAME} AS SELECT '{PASSWORD}' AS {FAMILY}", *statements):
            connection.execute(statement)
    bench.planted[path] = path.read_bytes()
    return url


def of_schema(revision: str) -> Call:
    """A database that says it has that schema, opened to be read."""
    made = "CREATE TABLE alembic_version (version_num VARCHAR)", f"INSERT INTO alembic_version VALUES ('{revision}')"
    return lambda b: warehouse.existing_warehouse(database(b, *made))


def open_elsewhere(bench: Bench) -> object:
    url = database(bench)
    holder = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    arguments = [sys.executable, "-c", holder, url.removeprefix("duckdb:///")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            return warehouse.existing_warehouse(url)
        finally:
            process.communicate("")


def another_pumps(_: Bench) -> object:
    """An event of a number that is there, and something else in it."""
    engine = warehouse.in_memory()
    first = event()
    own = cast("dict[str, Json]", first["eventProperties"])
    for told in (first, event(eventProperties=own | {next(name for name, value in own.items() if value == 0): 1})):
        answer = decode.received(ERAS["2026-10"], json.dumps({"events": [told], "clockChanges": [], "nick": NAME}).encode(), device=NAME)
        steps.store_windows(engine, mine(), ((None, answer),), zone=ZoneInfo("UTC"), limits=steps.Limits(changed=0))
    return None


def damaged(_: Bench) -> object:
    """A record of one byte."""
    engine = warehouse.in_memory()
    with engine.begin() as connection:
        devices.register(connection, mine(), zone=ZoneInfo("UTC"))
        driver(connection).execute("INSERT INTO raw_events VALUES (1, 0, 1, '2025', 399, 0, 1, $1)", [SERIAL.encode()])
    return rebuild(engine)


PIPELINE: tuple[Call, ...] = (
    lambda _: Choice(tables=("nothing",)),
    lambda _: Choice(since=date(1984, 2, 29), until=date(1984, 2, 28)),
    lambda b: partitions.cassettes_in(Path(b.plant("folder/x.txt", PASSWORD)).parent),
    lambda _: partitions._made_from(Path("nowhere.json"), "UTC"),
    beside_a_file,
    lambda b: exported(b, "there"),
    lambda b: exported(b, "there/inside"),
    of_a_run_cut_short,
    other_partition,
    window_without_days,
    lambda _: settings.profiles_of(profile(idp=SERIAL)),
    lambda _: settings.profiles_of(NAME),
    lambda _: settings.profiles_of(profile(name=7)),
    lambda _: pumps.chosen((mine(),), SERIAL[::-1]),
    lambda _: pumps.chosen((mine(),), None),
    lambda _: listed("2026-10", {"pumps": [NAME]}),
    lambda _: listed("2025", [{"serialNumber": NAME}]),
    lambda _: devices.zone_named("Mars/Olympus"),
    stored_under_another_zone,
    lambda _: connect(f"postgresql://{NAME}:{PASSWORD}@127.0.0.1:9/x"),
    lambda _: connect(f"duckdb://{NAME}:{PASSWORD}@127.0.0.1:port/x"),
    lambda _: warehouse.existing_warehouse("duckdb:///nowhere.duckdb"),
    lambda b: warehouse.open_warehouse(f"duckdb:///{b.folder / 'work' / b.plant('x.duckdb', PASSWORD)}"),
    lambda _: warehouse.open_warehouse(f"duckdb://{NAME}:{PASSWORD}@/x.duckdb?colour=blue"),
    too_little_memory,
    no_warehouse,
    broken_database,
    no_room,
    lambda _: dask_runner._reach(*dask_runner._place(f"tcp://{NAME}:{PASSWORD}@127.0.0.1:9")),
    another_pumps,
    open_elsewhere,
    lambda b: warehouse.existing_warehouse(database(b)),
    lambda b: warehouse.existing_warehouse(database(b, f"DROP TABLE {NAME}")),
    of_schema("9999"),
    of_schema("0001"),
    lambda b: warehouse.existing_warehouse(database(b, "ALTER TABLE events DROP COLUMN clock", of_tfx=True)),
    lambda b: warehouse.existing_warehouse(database(b, "INSERT INTO alembic_version VALUES ('0003')", of_tfx=True)),
    damaged,
)
