"""Profiles: the same from either era, every upload a row of their history, and a strange shape is kept whole."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pipeline.receive.pumps import Pump
from pipeline.receive.settings import profiles_of
from pipeline.store.devices import register, zone_named
from pipeline.store.engine import driver
from tfx.errors import FormatError
from tfx.jsonbody import Json

Rows = Callable[..., list[tuple[object, ...]]]

SEGMENT: dict[str, Json] = {"startTime": 0, "basalRate": 638, "carbRatio": 11000, "targetBg": 110, "isf": 46}
NOTHING: dict[str, Json] = dict.fromkeys(SEGMENT, 0)
NIGHT = SEGMENT | {"startTime": 1320, "basalRate": 700}
COMMON: dict[str, Json] = {"idp": 0, "name": "Profile1", "insulinDuration": 300, "maxBolus": 25000}
BFF: Json = {"details": {"profiles": {"activeIdp": 0, "profile": [COMMON | {"timeDependentSegments": [SEGMENT, NIGHT]}]}}}
LEGACY: Json = {"profiles": {"activeIdp": 0, "profile": [COMMON | {"tDependentSegs": [SEGMENT, NIGHT, *[NOTHING] * 14]}]}}


def known(engine: Engine, settings: Json, uploaded: str | None = None, serial: str = "90000001") -> None:
    with engine.begin() as connection:
        register(connection, Pump(key="1", serial_number=serial, settings=settings, uploaded=uploaded), zone=zone_named("UTC"))


def of_one(**said: Json) -> Json:
    """Settings with one profile, told so."""
    return {"details": {"profiles": {"activeIdp": 0, "profile": [COMMON | {"timeDependentSegments": [SEGMENT]} | said]}}}


def test_an_upload_is_the_same_from_either_era(warehouse: Engine, rows: Rows) -> None:
    known(warehouse, BFF, "2026-03-12T22:47:30.163")
    known(warehouse, LEGACY, "2026-03-12T22:47:30.16")
    known(warehouse, None, "2026-03-13T00:00:00.00")  # the account says nothing of settings: what is known stays
    assert rows("SELECT device_id, uploaded::VARCHAR FROM profile_tellings") == [(1, "2026-03-12 22:47:30")]
    assert rows("SELECT * EXCLUDE version FROM profiles") == [(1, 0, "Profile1", True, 300, 25000)]
    assert rows("SELECT * EXCLUDE version FROM profile_segments ORDER BY ALL") == [
        (1, 0, 0, 0, 638, 11.0, 110, 46), (1, 0, 1, 1320, 700, 11.0, 110, 46),
    ]  # fmt: skip
    assert rows("SELECT count(*) FROM profile_segments JOIN profiles USING (device_id, version, number)") == [(2,)]


PUMPS = count(90000002)
TELLINGS = (
    (of_one(name="A"), "2026-01-01T00:00:00.000"),
    (of_one(name="A"), "2026-01-02T00:00:00.000"),
    (of_one(name="B"), "2026-01-03T00:00:00.000"),
    (of_one(name="A"), "2026-01-04T00:00:00.000"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)  # every example has a pump of its own
@given(order=st.lists(st.sampled_from(TELLINGS), max_size=6).map(lambda some: [*some, *TELLINGS]).flatmap(st.permutations))
def test_the_history_is_the_same_in_whatever_order_uploads_are_met(order: list[tuple[Json, str]], warehouse: Engine) -> None:
    serial = str(next(PUMPS))
    for said, uploaded in order:
        known(warehouse, said, uploaded, serial)
    with warehouse.connect() as connection:
        device, *_ = driver(connection).execute("SELECT id FROM devices WHERE serial_number = $1", [serial]).fetchall()[0]
        told = (
            driver(connection)
            .execute(f"""
            SELECT name, valid_from::DATE::VARCHAR, valid_until::DATE::VARCHAR FROM profile_history WHERE device_id = {device} ORDER BY 2
        """)
            .fetchall()
        )
        tables = ("profile_tellings", "profiles", "profile_segments")
        counts = [len(driver(connection).execute(f"FROM {table} WHERE device_id = {device}").fetchall()) for table in tables]
    assert told == [("A", "2026-01-01", "2026-01-03"), ("B", "2026-01-03", "2026-01-04"), ("A", "2026-01-04", None)]
    assert counts == [4, 2, 2]


def test_a_telling_without_a_time_is_kept_and_is_no_part_of_the_history(warehouse: Engine, rows: Rows) -> None:
    for uploaded in (None, "yesterday"):
        known(warehouse, BFF, uploaded)
    assert rows("SELECT uploaded FROM profile_tellings") == [(None,)]
    assert rows("FROM profile_history") == []


STRANGE: tuple[Json, ...] = (
    [],
    {"details": {}},
    {"profiles": {"profile": [3]}},
    {"profiles": {"profile": [COMMON]}},
    {"profiles": {"profile": [COMMON | {"tDependentSegs": [SEGMENT | {"isf": -1}]}]}},
    {"profiles": {"profile": [COMMON | {"idp": True, "tDependentSegs": []}]}},
    {"profiles": {"profile": [COMMON | {"name": "\ud800", "tDependentSegs": []}]}},
    {"profiles": {"profile": [COMMON | {"maxBolus": 1 << 70, "tDependentSegs": []}]}},
    {"profiles": {"profile": [COMMON | {"maxBolus": None, "tDependentSegs": []}]}},
    {"profiles": {"profile": [COMMON | {"tDependentSegs": []}] * 2}},
)


def test_a_strange_shape_is_kept_whole_and_costs_nothing(warehouse: Engine, rows: Rows) -> None:
    known(warehouse, BFF)
    for told in STRANGE:
        with pytest.raises(FormatError, match=r"^settings: "):
            profiles_of(told)
        known(warehouse, told)
    assert rows("SELECT count(*) FROM profiles") == [(1,)]
    assert rows("SELECT DISTINCT reason, count(*) FROM quarantine WHERE raw IS NOT NULL GROUP BY ALL") == [
        ("unreadable settings", len(STRANGE))
    ]
