"""The same history, asked for in any windows, in any order, of any era, makes the same tables, whatever the pump's clock went through."""

import random
from collections.abc import Iterator
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from clock_lives import clock_life
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pipeline.derive.update import derive
from pipeline.inspection.comparison import differences
from pipeline.models import TABLES
from pipeline.receive.batch import Received
from pipeline.receive.decode import received
from pipeline.receive.pumps import Pump
from pipeline.running.steps import store_windows
from pipeline.store.engine import driver
from pipeline.store.warehouse import in_memory
from tandem.bff import events_from_records
from tandem.eras import ERAS
from tandem.records import Records
from tfx import jsonbody

PUMP = Pump(key="00000000-0000-4000-8000-000000000001", serial_number="90000001")
BY_ERA = {"raw_events": "EXCLUDE (era, source)"}
TOLD = (*TABLES, "clock_facts")
Tables = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = in_memory()
    yield made
    made.dispose()


def answer(records: Records, era: str) -> Received:
    if ERAS[era].wire == "binary":
        return received(ERAS[era], records.to_body())
    events = events_from_records(records, device_assignment_id=PUMP.key)
    return received(ERAS[era], jsonbody.write({"events": list(events), "clockChanges": []}), device=PUMP.key)


def tables(engine: Engine, answers: list[tuple[Received, bool]], zone: ZoneInfo, piece: int = 1 << 20) -> Tables:
    """What these answers make, worked out after those that say so and at the end, in pieces of so many sequence numbers.

    A check finds each row as it would be made again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.derive.settle.PIECE", piece)
        patch.setattr("pipeline.derive.update.WHOLE", piece)
        return _tables(engine, answers, zone)


def _tables(engine: Engine, answers: list[tuple[Received, bool]], zone: ZoneInfo) -> Tables:
    try:
        for one, is_worked_out in answers:
            store_windows(engine, PUMP, ((None, one),), zone=zone)
            if is_worked_out:
                derive(engine)
        derive(engine)
        with engine.connect() as connection:
            found = {
                table: driver(connection).execute(f"SELECT * {BY_ERA.get(table, '')} FROM {table} ORDER BY ALL").fetchall()
                for table in TOLD
            }
            assert list(differences(connection, is_whole=True, is_settled=True)) == []
        return found
    finally:
        for table in (*reversed(TOLD), "stale_ranges", "unsettled_ranges"):
            with engine.begin() as connection:
                driver(connection).execute(f"DELETE FROM {table}")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    life=st.integers(0, 1 << 32),
    cuts=st.lists(st.floats(0, 1), max_size=4),
    again=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=3),
    chance=st.randoms(use_true_random=False),
)
def test_any_windows_in_any_order_of_any_era_make_the_same_tables(
    life: int, cuts: list[float], again: list[tuple[float, float]], chance: random.Random, engine: Engine
) -> None:
    zone, history = clock_life(life)
    edges = [0, *sorted(int(cut * len(history)) for cut in cuts), len(history)]
    windows = [*pairwise(edges), *((int(one * len(history)), int(other * len(history))) for one, other in again)]
    chance.shuffle(windows)
    asked = [(answer(history.take(slice(*window)), chance.choice(("2025", "2026-10"))), chance.random() < 0.6) for window in windows]
    assert tables(engine, asked, zone, chance.choice((20, 60, 1000))) == tables(engine, [(answer(history, "2025"), True)], zone)
