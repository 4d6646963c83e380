"""A therapy cut at any points, its parts in any order, gives the tables of one run, whatever era tells it: every table, many cuts."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from therapies import SAID, cut_story, invented

from pipeline.derive.update import derive
from pipeline.models import TABLES
from pipeline.receive.decode import received
from pipeline.receive.pumps import Pump
from pipeline.running.steps import store_windows
from pipeline.store.engine import driver
from pipeline.store.warehouse import in_memory
from simulator.account import account
from tandem.bff import events_from_records
from tandem.eras import ERAS
from tandem.records import Records
from tfx import jsonbody

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
            store_windows(engine, PUMP, ((None, received(ERAS["2025"], part.to_body())),), zone=ZONE)
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


@pytest.fixture(scope="module")
def one_run(therapy: Records) -> dict[str, list[tuple[object, ...]]]:
    return tables([therapy], often=False)


@given(cuts=st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 900)), max_size=4), shuffle=st.randoms(use_true_random=False))
def test_windows_may_overlap(
    cuts: list[tuple[int, int]], shuffle: random.Random, therapy: Records, one_run: dict[str, list[tuple[object, ...]]]
) -> None:
    parts = [slice(start, start + length) for start, length in cuts] + [slice(0, 900), slice(600, 1500), slice(1500, None)]
    shuffle.shuffle(parts)
    assert tables([therapy.take(part) for part in parts], often=False) == one_run


@given(said=st.lists(st.integers(0, len(SAID) - 1), min_size=8, max_size=8), window_of=st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_stories_cut_into_windows_come_out_whole(said: list[int], window_of: list[int]) -> None:
    entire, parts = cut_story(said, window_of)
    assert tables(parts, often=True) == tables([entire], often=False)


@given(seed=st.integers(0, 1 << 32))
def test_invented_records_make_the_same_tables_in_both_eras(seed: int) -> None:
    records = invented(seed)
    events = events_from_records(records, device_assignment_id=PUMP.key, sequence_group=0)
    json = jsonbody.write({"events": list(events), "clockChanges": []})
    engine = in_memory()
    try:
        store_windows(engine, PUMP, ((None, received(ERAS["2026-10"], json, device=PUMP.key)),), zone=ZONE)
        derive(engine)
        told = dict(content(engine))
    finally:
        engine.dispose()
    assert _eraless(told) == _eraless(tables([records], often=False))


def _eraless(made: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Without the era, and without what no json era tells of a header."""
    return made | {"raw_events": [(*row[:3], row[4], *row[6:]) for row in made["raw_events"]]}
