"""The schema's history against a real in-memory DuckDB: pytest-alembic's four built-in tests, and the steps with rows in the tables.

The plugin is off (1.2 s in every process, workers included), so its tests are called by name, inside the tests that need them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from sampling import sampled
from sqlalchemy import Engine

from pipeline.store.engine import MEMORY, connect, driver
from pipeline.store.schema import migrate

if TYPE_CHECKING:
    from pytest_alembic.runner import MigrationContext

BUILT_IN = ("test_single_head_revision", "test_upgrade", "test_model_definitions_match_ddl", "test_up_down_consistency")
NOON = "'2024-07-01 12:00', '2024-07-01 12:00', 'exact'"
KEY, TIME = "device_id, sequence_group, sequence_number", "pump_time, instant, clock"
FILLED = {
    "0001": (
        "INSERT INTO devices (id, serial_number, zone) VALUES (1, '90000001', 'UTC')",
        "INSERT INTO raw_events VALUES (1, 0, 7, '2025', 399, 0, 500000000, 'payload of 16 b')",
        "INSERT INTO quarantine (id, device_id, reason, detail) VALUES ('a', 1, 'truncated record', '3 of 26 bytes')",
    ),
    "0002": ("INSERT INTO events (device_id, sequence_group, sequence_number, code, name) VALUES (1, 0, 7, 399, 'CGM_DATA_G7')",),
    "0003": ("INSERT INTO cgm_readings VALUES (1, 0, 7, '2024-07-01', '2024-07-01', 'exact', 'G7', 120, 'value', 0.5, false)",),
    "0004": ("INSERT INTO basal_deliveries VALUES (1, 0, 7, '2024-07-01', '2024-07-01', 'exact', 'algorithm', 800, 700, 800, NULL)",),
    "0005": (
        f"INSERT INTO bolus_messages ({KEY}, {TIME}, code, bolus_id) VALUES (1, 0, 7, '2024-07-01', '2024-07-01', 'exact', 64, 12)",
        f"INSERT INTO boluses ({KEY}, {TIME}, bolus_id, messages) VALUES (1, 0, 7, '2024-07-01', '2024-07-01', 'exact', 12, 1)",
    ),
    "0006": ("INSERT INTO stale_ranges VALUES (1, 0, 7, 7)",),
    "0007": (
        f"INSERT INTO alarms_and_alerts ({KEY}, {TIME}, kind, number, opened, messages) VALUES (1, 0, 7, {NOON}, 'alarm', 18, true, 1)",
    ),
    "0008": (
        f"INSERT INTO basal_changes VALUES (1, 0, 7, {NOON}, NULL, 0, 0.5, 0.6, 3)",
        f"INSERT INTO suspensions ({KEY}, {TIME}, opened, messages) VALUES (1, 0, 7, {NOON}, true, 1)",
    ),
    "0009": (
        f"INSERT INTO carbohydrates VALUES (1, 0, 7, {NOON}, 30)",
        f"INSERT INTO blood_glucose_readings VALUES (1, 0, 7, {NOON}, 120, 'by hand', 'pump', false, NULL, 0.5)",
    ),
    "0010": (
        f"INSERT INTO cartridge_and_site_changes VALUES (1, 0, 7, {NOON}, 'tubing', NULL, 'completed')",
        f"INSERT INTO sensor_sessions ({KEY}, {TIME}, sensor, opened, messages, joins) VALUES (1, 0, 7, {NOON}, 'G7', false, 1, 1)",
    ),
    "0011": (
        f"INSERT INTO user_modes VALUES (1, 0, 7, {NOON}, true, 'sleep', 'normal', 'none', NULL, NULL, NULL)",
        f"INSERT INTO control_modes VALUES (1, 0, 7, {NOON}, true, 'closed loop', 'open loop', false, true, true, NULL, NULL)",
    ),
    "0012": (
        f"INSERT INTO daily_totals VALUES (1, 0, 7, {NOON}, '2024-07-01', 1, 9.5, 0.8, 1.2, 80, 3904, '2024-07-01', '2024-07-01')",
        f"INSERT INTO clock_changes VALUES (1, 0, 7, {NOON}, 'time', 0, 3600000, NULL, NULL)",
    ),
    "0013": (
        "INSERT INTO profile_tellings VALUES ('a', 1, '2024-07-01 12:00', 'b')",
        "INSERT INTO profiles VALUES (1, 'b', 0, 'Profile1', true, 300, 25000)",
        "INSERT INTO profile_segments VALUES (1, 'b', 0, 0, 0, 800, 8.5, 110, 40)",
    ),
    "0014": (),
    "0015": ("INSERT INTO unread_days VALUES (1, '2024-07-01')",),
    "0016": ("INSERT INTO clock_settings VALUES (1, 0, 7, 500000000, 'payload of 16 b')",),
    "0017": ("INSERT INTO clock_facts VALUES (1, 0, 'set', 7, 0, 3600, 500000000)",),
    "0018": ("INSERT INTO unsettled_ranges VALUES (1, 0, 7, 7)",),
}
STEPS = tuple(FILLED)
SET = "INSERT INTO raw_events VALUES (1, 0, 8, '2025', 13, 0, 500003600, 'payload of 16 b')"
SUSPENDED = (
    "INSERT INTO raw_events VALUES (1, 0, 7, '2025', 11, 0, 1, unhex('0000006A0F0000780000000000000000'))",
    "INSERT INTO raw_events VALUES (1, 0, 9, '2025', 12, 0, 1, unhex('0000006A000000690000000000000000'))",
    f"INSERT INTO events ({KEY}, code, name, {TIME}) VALUES (1, 0, 7, 11, 'PUMPING_SUSPENDED', {NOON})",
    f"INSERT INTO events ({KEY}, code, name, {TIME}) VALUES (1, 0, 9, 12, 'PUMPING_RESUMED', {NOON.replace(':00', ':05')})",
)


@pytest.fixture
def empty() -> Iterator[Engine]:
    made = connect(MEMORY)
    yield made
    made.dispose()


@pytest.fixture
def alembic_runner(empty: Engine, root: Path) -> Iterator["MigrationContext"]:
    import pytest_alembic

    config = pytest_alembic.Config(config_options={"script_location": str(root / "alembic"), "path_separator": "os"})
    with pytest_alembic.runner(config=config, engine=empty) as context:
        yield context


@pytest.mark.parametrize("name", sampled(*((name,) for name in BUILT_IN[:-1]), rest=[(BUILT_IN[-1],)]))
def test_pytest_alembic(name: str, alembic_runner: "MigrationContext", pytestconfig: pytest.Config) -> None:
    pytestconfig.addinivalue_line("markers", "alembic: pytest-alembic's own, which its plugin would register")
    from pytest_alembic import tests

    getattr(tests, name)(alembic_runner)


def config_on(engine: Engine, root: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(root / "alembic"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = engine
    return config


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {str(row[0]) for row in driver(connection).execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def test_every_step_goes_up_and_down_with_rows_in_every_table(empty: Engine, root: Path) -> None:
    seen = [tables(empty)]
    for step in STEPS:
        command.upgrade(config_on(empty, root), step)
        with empty.begin() as connection:
            for statement in FILLED[step]:
                driver(connection).execute(statement)
        seen.append(tables(empty))
    for step, left in zip((*reversed(STEPS[:-1]), "base"), reversed(seen[:-1]), strict=True):
        command.downgrade(config_on(empty, root), step)
        assert tables(empty) == left | {"alembic_version"}


def test_rows_survive_the_steps_after_theirs(empty: Engine, root: Path) -> None:
    command.upgrade(config_on(empty, root), "0001")
    with empty.begin() as connection:
        for statement in (*FILLED["0001"], SET):
            driver(connection).execute(statement)
    migrate(empty)
    with empty.connect() as connection:
        assert driver(connection).execute("SELECT sequence_number, code FROM raw_events").fetchall() == [(7, 399), (8, 13)]
        # Nothing is known of the clock, so the next run looks through all its events and puts their instants right.
        assert driver(connection).execute("FROM clock_facts").fetchall() == []


def test_migrating_twice_does_nothing(empty: Engine) -> None:
    migrate(empty)
    before = tables(empty)
    migrate(empty)
    assert tables(empty) == before


CHANGES = (
    ("ALTER TABLE devices ADD COLUMN colour VARCHAR", "'remove_column', None, 'devices', Column('colour'"),
    ("ALTER TABLE boluses DROP COLUMN carbs_grams", "'add_column', None, 'boluses', Column('carbs_grams'"),
    ("DROP TABLE alarms_and_alerts", "'add_table', Table('alarms_and_alerts'"),
    ("CREATE TABLE strangers (id INTEGER)", "'remove_table', Table('strangers'"),
    ("ALTER TABLE quarantine ALTER COLUMN detail TYPE INTEGER", "'modify_type', None, 'quarantine', 'detail'"),
)


def test_the_comparison_can_fail(empty: Engine, root: Path) -> None:
    # The filters in env.py hide what duckdb-engine reflects wrongly; they must not hide these.
    from alembic.util import AutogenerateDiffsDetected

    migrate(empty)
    with empty.begin() as connection:
        for change, _ in CHANGES:
            driver(connection).execute(change)
    with pytest.raises(AutogenerateDiffsDetected) as told:
        command.check(config_on(empty, root))
    assert [found for _, found in CHANGES if found not in str(told.value)] == [], told.value


def test_a_database_without_facts_of_its_clocks_gets_its_instants_again(empty: Engine, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was cut short, then down and up by Alembic itself: the mark of what is wrong is gone, and no new event comes."""
    from pipeline.derive.update import derive
    from pipeline.inspection.check import check
    from pipeline.receive.decode import received
    from pipeline.receive.pumps import Pump
    from pipeline.running.steps import store_windows
    from tandem.eras import ERAS
    from tandem.records import Records

    monkeypatch.setattr("pipeline.derive.settle.PIECE", 3)
    noon = 530_020_800  # 2024-10-17 12:00 on a clock that a traveller has just set two hours ahead
    parts = (
        Records.build(code=279, seconds=[noon + 300 * later for later in range(5)], sequence=[2, 3, 4, 5, 6]),
        Records.build(code=13, seconds=noon, sequence=1, columns={"timePrior": 36_000_000, "timeAfter": 43_200_000}),
    )

    def told() -> list[tuple[object, ...]]:
        with empty.connect() as connection:
            return driver(connection).execute(f"SELECT {KEY}, {TIME} FROM events ORDER BY ALL").fetchall()

    migrate(empty)
    pump, zone = Pump(key="a", serial_number="90000001"), ZoneInfo("Europe/Berlin")
    for part in parts:
        before = told()
        store_windows(empty, pump, ((None, received(ERAS["2025"], part.to_body())),), zone=zone)
        if part is parts[0]:
            derive(empty)
    assert told()[1:] == before
    command.downgrade(config_on(empty, root), "0017")
    command.upgrade(config_on(empty, root), "head")
    derive(empty)
    assert all(one != other for one, other in zip(told()[1:], before, strict=True))
    with empty.connect() as connection:
        assert check(connection).findings == ()


def test_events_stored_before_a_table_was_made_fill_it(empty: Engine, root: Path) -> None:
    from pipeline.derive.update import derive

    migrate(empty)
    with empty.begin() as connection:
        for statement in (*FILLED["0001"][:1], *SUSPENDED):
            driver(connection).execute(statement)
    command.downgrade(config_on(empty, root), "0007")
    migrate(empty)
    derive(empty)
    with empty.connect() as connection:
        found = (
            driver(connection).execute("SELECT sequence_number, reservoir_units, resumed_pump_time::VARCHAR FROM suspensions").fetchall()
        )
    assert found == [(7, 120, "2024-07-01 12:05:00")]
