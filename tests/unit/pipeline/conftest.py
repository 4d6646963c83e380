"""A warehouse per session, emptied per test, and the stand-in's account as the answers of each era."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from pipeline.derive.update import derive
from pipeline.models import TABLES
from pipeline.receive.batch import Received
from pipeline.receive.decode import received
from pipeline.receive.pumps import Pump
from pipeline.running.steps import NO_LIMITS, Limits, Stored, store_windows
from pipeline.store.engine import driver
from pipeline.store.warehouse import in_memory
from simulator.account import Account, account
from tandem.bff import events_from_records
from tandem.eras import ERAS
from tandem.records import Records
from tfx import jsonbody
from tfx.jsonbody import Json

SEGMENT: dict[str, Json] = {"startTime": 0, "basalRate": 800, "carbRatio": 8500, "targetBg": 110, "isf": 40}
PROFILE: dict[str, Json] = {"idp": 0, "name": "Profile1", "insulinDuration": 300, "maxBolus": 25000, "timeDependentSegments": [SEGMENT]}
PUMP = Pump(
    key="00000000-0000-4000-8000-000000000001",
    serial_number="90000001",
    model_number="1000354",
    last="2024-07-01",
    settings={"details": {"profiles": {"activeIdp": 0, "profile": [PROFILE]}}},
)
ZONE = ZoneInfo("America/Los_Angeles")

Content = Callable[[], dict[str, list[tuple[object, ...]]]]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    made = in_memory()
    yield made
    made.dispose()


@pytest.fixture
def warehouse(engine: Engine) -> Iterator[Engine]:
    yield engine
    empty(engine)


def empty(engine: Engine) -> None:
    with engine.connect() as connection:
        tables = ("stale_ranges", "unsettled_ranges", "clock_facts", "unread_days", *reversed(TABLES))
        full = [table for table in tables if driver(connection).execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()]
    # One transaction each: within one, DuckDB still sees the deleted children when their parents go.
    for table in full:
        with engine.begin() as connection:
            driver(connection).execute(f"DELETE FROM {table}")


@pytest.fixture(scope="session")
def stored(history: Records) -> Iterator[Engine]:
    """A warehouse that has the history, for tests that only read."""
    engine = in_memory()
    store_windows(engine, PUMP, ((None, answer(history)),), zone=ZONE)
    derive(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def told(stored: Engine) -> Callable[[str], list[tuple[object, ...]]]:
    """The rows of a query to it."""
    return lambda query: asked(stored, query)


@pytest.fixture(scope="session")
def whole(stored: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows of it, as `content` gives them."""
    return tables_of(stored)


def asked(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return driver(connection).execute(query).fetchall()


def tables_of(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows, in the order of their keys, without what differs between eras by nature."""
    left_out = {"raw_events": "EXCLUDE (era, source)", "devices": "EXCLUDE (model_name)"}
    return {table: asked(engine, f"SELECT * {left_out.get(table, '')} FROM {table} ORDER BY ALL") for table in TABLES}


@pytest.fixture(scope="session")
def someone() -> Account:
    return account(now=datetime(2026, 11, 18, 20, 30, tzinfo=UTC), days=1)


@pytest.fixture(scope="session")
def history(someone: Account) -> Records:
    return someone.current.records


def answer(records: Records, era: str = "2025", *, group: int = 0) -> Received:
    """These records as the answer of an era, read back."""
    if ERAS[era].wire == "binary":
        return received(ERAS[era], records.to_body())
    events = events_from_records(records, device_assignment_id=PUMP.key, sequence_group=group)
    return received(ERAS[era], jsonbody.write({"events": list(events), "clockChanges": []}), device=PUMP.key)


@pytest.fixture(scope="session")
def as_answer() -> Callable[..., Received]:
    return answer


@pytest.fixture
def keep(warehouse: Engine) -> Callable[..., Stored]:
    """Store records (or an answer) of the pump; what came in."""

    def store(
        records: Records | Received, era: str = "2025", *, group: int = 0, pump: Pump = PUMP, zone: ZoneInfo = ZONE,
        limits: Limits = NO_LIMITS,
    ) -> Stored:  # fmt: skip
        read = records if isinstance(records, Received) else answer(records, era, group=group)
        return store_windows(warehouse, pump, ((None, read),), zone=zone, limits=limits)

    return store


@pytest.fixture
def rows(warehouse: Engine) -> Callable[..., list[tuple[object, ...]]]:
    """The rows of a query, once what is stale has been worked out."""

    def ask(query: str) -> list[tuple[object, ...]]:
        derive(warehouse)
        return asked(warehouse, query)

    return ask


@pytest.fixture
def content(warehouse: Engine) -> Content:
    """Every table's rows once what is stale has been worked out."""

    def found() -> dict[str, list[tuple[object, ...]]]:
        derive(warehouse)
        return tables_of(warehouse)

    return found


@pytest.fixture
def emptied(warehouse: Engine, content: Content) -> Content:
    """What the warehouse held; nothing is left in it."""

    def taken() -> dict[str, list[tuple[object, ...]]]:
        found = content()
        empty(warehouse)
        return found

    return taken
