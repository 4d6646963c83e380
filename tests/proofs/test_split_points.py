"""A therapy cut at any points, its parts in any order, gives the tables of one run: every table, many cuts."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from pipeline.decode import received
from pipeline.derive import derive
from pipeline.models import TABLES
from pipeline.pumps import Pump
from pipeline.steps import store_window
from pipeline.warehouse import driver, in_memory
from simulator.account import account
from tandem.eras import ERAS
from tandem.records import Records

PUMP = Pump(key="1", serial_number="90000001")
ZONE = ZoneInfo("America/Los_Angeles")


@pytest.fixture(scope="module")
def therapy() -> Records:
    return account(now=datetime(2026, 11, 18, 20, 30, tzinfo=UTC), days=4).current.records


def tables(parts: list[Records], *, often: bool) -> dict[str, list[tuple[object, ...]]]:
    """The tables that these parts make, worked out after each part or once at the end."""
    engine = in_memory()
    try:
        for part in parts:
            store_window(engine, PUMP, received(ERAS["2025"], part.to_body()), zone=ZONE)
            if often:
                derive(engine)
        derive(engine)
        return dict(content(engine))
    finally:
        engine.dispose()


def content(engine: Engine) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    with engine.connect() as connection:
        for table in TABLES:
            yield table, driver(connection).execute(f"FROM {table} ORDER BY ALL").fetchall()


@pytest.mark.parametrize("seed", range(12))
def test_any_cut_in_any_order_is_one_run(seed: int, therapy: Records) -> None:
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(therapy)), chance.randint(1, 6)))
    parts = [therapy.take(slice(first, last)) for first, last in zip([0, *cuts], [*cuts, None], strict=True)]
    if seed % 3:
        chance.shuffle(parts)
    assert tables(parts, often=True) == tables([therapy], often=False)
