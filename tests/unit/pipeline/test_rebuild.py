"""Tables made again from raw_events: the same, whatever came in and whatever was done to them since."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from therapies import NOW, invented

from pipeline.derive.rebuild import rebuild
from pipeline.extracts.tables import DERIVED, EXTRACTS
from pipeline.running.steps import Limits, Stored
from pipeline.store.broken_records import broken_records
from pipeline.store.engine import driver
from tandem.records import Records
from tfx.errors import UsageError

Keep = Callable[..., Stored]
Content = Callable[[], dict[str, list[tuple[object, ...]]]]
DAMAGE = (
    "DELETE FROM events",
    "UPDATE boluses SET delivered_units = 99",
    "DELETE FROM clock_facts",
    "DELETE FROM quarantine WHERE raw IS NULL",
    "INSERT INTO quarantine (id, device_id, reason, detail) VALUES ('x', 1, 'impossible value', 'nobody found it')",
)


@pytest.mark.proofs
def test_what_a_hand_damaged_is_as_before(
    history: Records, keep: Keep, warehouse: Engine, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.derive.pieces.PIECE", 300)
    keep(history.take(slice(300, None)))
    keep(history)
    before = content()
    with warehouse.begin() as connection:
        for statement in (*DAMAGE, *(f"DELETE FROM {table}" for table in EXTRACTS)):
            driver(connection).execute(statement)
    rows = rebuild(warehouse)
    assert content() == before
    assert rows["events"] == len(before["events"])
    assert all(rows[derived.table] == len(before[derived.table]) for derived in DERIVED)


def test_what_is_no_record_is_not_read_as_one(history: Records, keep: Keep, warehouse: Engine, content: Content) -> None:
    keep(history)
    before = content()["events"]
    for damage in ("payload = 'a'::BLOB", "pump_seconds = 99999999999", "code = 5000"):
        with warehouse.connect() as connection, connection.begin() as transaction:
            driver(connection).execute(f"UPDATE raw_events SET {damage} WHERE sequence_number = {history.sequence[7]}")
            assert "1 rows are no records; the first is device 1, sequence group 0, event" in str(broken_records(connection))
            transaction.rollback()
    with warehouse.begin() as connection:
        driver(connection).execute("UPDATE raw_events SET payload = 'a'::BLOB WHERE code = 399")
    with pytest.raises(UsageError, match=r"raw_events: \d+ rows are no records; .* Nothing was changed"):
        rebuild(warehouse)
    assert content()["events"] == before


@pytest.mark.proofs
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=3)
@given(seed=st.integers(0, 2**32 - 1), late=st.integers(-80_000, 80_000))
def test_whatever_was_received_is_read_the_same_again(
    seed: int, late: int, keep: Keep, warehouse: Engine, emptied: Content, content: Content
) -> None:
    """Any bytes, in two runs at different times: what was later than its run stays without a time."""
    records = invented(seed)
    keep(records.take(slice(None, None, 2)), limits=Limits(latest=NOW + late))
    keep(records.take(slice(1, None, 2)))
    before = content()
    rebuild(warehouse)
    assert emptied() == before
