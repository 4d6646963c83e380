"""Whatever a hand changes in a table, the check names it; what cannot be read any more is a finding, not a fault."""

from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import Engine

from pipeline.inspection.check import check
from pipeline.running.steps import Stored
from pipeline.store.engine import driver
from tandem.records import Records

Keep = Callable[..., Stored]
Content = Callable[[], dict[str, list[tuple[object, ...]]]]
ONE = "(SELECT min(sequence_number) FROM cgm_readings)"

TAMPERED = {
    "DELETE FROM alarms_and_alerts": "alarms_and_alerts: {} rows are missing that the events as received give",
    "UPDATE basal_deliveries SET commanded_milliunits_per_hour = 9999": "basal_deliveries: {} rows say something else in commanded_",
    "UPDATE boluses SET delivered_units = delivered_units + 100": "boluses: {} rows say something else in delivered_units than",
    "UPDATE bolus_messages SET completion = 'x' WHERE code = 20": "bolus_messages: {} rows say something else in completion than",
    "UPDATE carbohydrates SET carbs_grams = 1": "carbohydrates: {} rows say something else in carbs_grams than",
    "UPDATE cgm_readings SET glucose_mg_dl = 300": "cgm_readings: {} rows say something else in glucose_mg_dl than",
    "UPDATE daily_totals SET basal_units = 0": "daily_totals: {} rows say something else in basal_units than",
    "DELETE FROM clock_facts": "clock_facts: {} rows are missing",
    "INSERT INTO events SELECT * REPLACE (1000000000 AS sequence_number) FROM events LIMIT 1": "events: 1 rows are there that",
    "UPDATE events SET instant = instant + INTERVAL 1 HOUR WHERE code = 399": "events: {} rows say something else in instant than",
    "DELETE FROM quarantine WHERE raw IS NULL": "quarantine: {} rows are missing that the events as received give",
    "UPDATE quarantine SET reason = 'x' WHERE raw IS NOT NULL": "quarantine: 1 rows were altered since they were kept",
    "UPDATE profile_tellings SET uploaded = TIMESTAMP '2020-01-01'": "profile_tellings: device 1 has 1 rows that were altered since they",
    "DELETE FROM profile_segments": "profiles, profile_segments: device 1 has a version of its profiles that says something else",
}
LATER = {
    "INSERT INTO profile_segments SELECT * REPLACE (2 AS segment) FROM profile_segments": "profile_segments: device 1 has 1 profiles whose",
    "INSERT INTO quarantine SELECT * REPLACE ('x' AS id) FROM quarantine WHERE raw IS NULL LIMIT 1": "quarantine: 1 rows are there that",
    "UPDATE profile_segments SET segment = segment + 1": "profile_segments: device 1 has 1 profiles whose segments are not numbered 0",
    "UPDATE profiles SET version = 'x'": "profiles: device 1 has 1 rows that no upload told",
    "INSERT INTO profiles SELECT * REPLACE ('x' AS version) FROM profiles": "profiles: device 1 has 1 rows that no upload told",
    "INSERT INTO profile_segments SELECT * REPLACE (9 AS number) FROM profile_segments": "profile_segments: device 1 has",
    "UPDATE profile_tellings SET id = 'x'": "profile_tellings: device 1 has 1 rows that were altered since they were kept",
    f"UPDATE raw_events SET era = '2024' WHERE sequence_number = {ONE}": "raw_events: 1 rows are no records",
    f"UPDATE raw_events SET era = '2026-10', source = 1 WHERE sequence_number = {ONE}": "raw_events: 1 rows are no records",
    "CREATE OR REPLACE VIEW glucose_by_span AS SELECT * FROM (SELECT 1 AS device_id) LIMIT 5": "glucose_by_span: the view is another",
    "CREATE OR REPLACE VIEW glucose_by_day AS SELECT 1 AS device_id": "glucose_by_day: the view is another than the one this tfx makes",
    f"UPDATE raw_events SET pump_seconds = pump_seconds + 3600 WHERE sequence_number = {ONE}": "events: 1 rows say something else in",
    "UPDATE raw_events SET payload = 'a'::BLOB WHERE code = 399": "raw_events: {} rows are no records; the first is device 1, sequence",
    "UPDATE devices SET zone = 'Asia/Kathmandu'": "events: {} rows say something else in instant",
}


def findings(engine: Engine, statements: Iterable[str]) -> tuple[str, ...]:
    with engine.connect() as connection, connection.begin() as transaction:
        for statement in statements:
            driver(connection).execute(statement)
        found = check(connection).findings
        transaction.rollback()
    return found


def _are_found(expected: dict[str, str], found: tuple[str, ...]) -> None:
    for statement, words in expected.items():
        before, _, after = words.partition("{}")
        assert any(one.startswith(before) and after in one for one in found), (statement, found)


@pytest.fixture
def whole(history: Records, keep: Keep, warehouse: Engine, content: Content) -> Engine:
    """A warehouse with everything in it, an event that came again with other content, too."""
    keep(history)
    keep(history.take(slice(5, 6)).with_header(seconds=int(history.seconds[5]) + 1))
    content()
    return warehouse


def test_rows_that_a_hand_changed_are_named_by_table_key_and_column(whole: Engine) -> None:
    _are_found(TAMPERED, findings(whole, TAMPERED))


@pytest.mark.proofs
def test_each_change_is_found_by_itself(whole: Engine) -> None:
    for statement, words in (TAMPERED | LATER).items():
        _are_found({statement: words}, findings(whole, [statement]))
    assert findings(whole, ()) == ()
