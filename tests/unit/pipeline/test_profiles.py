"""Profiles: the same from either era, kept as told last, and a strange shape is kept whole."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from pipeline.profiles import profiles_of
from pipeline.pumps import Pump
from pipeline.steps import register, zone_named
from tfx.errors import FormatError
from tfx.jsonbody import Json

Rows = Callable[..., list[tuple[object, ...]]]

SEGMENT: dict[str, Json] = {"startTime": 0, "basalRate": 638, "carbRatio": 11000, "targetBg": 110, "isf": 46}
NOTHING: dict[str, Json] = dict.fromkeys(SEGMENT, 0)
NIGHT = SEGMENT | {"startTime": 1320, "basalRate": 700}
COMMON: dict[str, Json] = {"idp": 0, "name": "Profile1", "insulinDuration": 300, "maxBolus": 25000}
BFF: Json = {"details": {"profiles": {"activeIdp": 0, "profile": [COMMON | {"timeDependentSegments": [SEGMENT, NIGHT]}]}}}
LEGACY: Json = {"profiles": {"activeIdp": 0, "profile": [COMMON | {"tDependentSegs": [SEGMENT, NIGHT, *[NOTHING] * 14]}]}}


def known(engine: Engine, settings: Json) -> None:
    with engine.begin() as connection:
        register(connection, Pump(key="1", serial_number="90000001", settings=settings), zone=zone_named("UTC"))


@pytest.mark.parametrize("settings", [BFF, LEGACY], ids=["json eras", "2025"])
def test_profiles_are_the_same_from_either_era(settings: Json, warehouse: Engine, rows: Rows) -> None:
    known(warehouse, settings)
    known(warehouse, None)  # the account says nothing of settings: what is known stays
    assert rows("FROM profiles") == [(1, 0, "Profile1", True, 300, 25000)]
    assert rows("FROM profile_segments ORDER BY ALL") == [(1, 0, 0, 0, 638, 11.0, 110, 46), (1, 0, 1, 1320, 700, 11.0, 110, 46)]


def test_profiles_are_as_told_last(warehouse: Engine, rows: Rows) -> None:
    known(warehouse, BFF)
    changed = COMMON | {"idp": 1, "timeDependentSegments": [SEGMENT]}
    known(warehouse, {"details": {"profiles": {"activeIdp": 0, "profile": [changed]}}})
    assert rows("SELECT number, active FROM profiles") == [(1, False)]
    assert rows("SELECT number, segment FROM profile_segments") == [(1, 0)]


STRANGE: tuple[Json, ...] = (
    [],
    {"details": {}},
    {"profiles": {"profile": [3]}},
    {"profiles": {"profile": [COMMON]}},
    {"profiles": {"profile": [COMMON | {"tDependentSegs": [SEGMENT | {"isf": -1}]}]}},
    {"profiles": {"profile": [COMMON | {"idp": True, "tDependentSegs": []}]}},
)


def test_a_strange_shape_is_kept_whole_and_costs_nothing(warehouse: Engine, rows: Rows) -> None:
    known(warehouse, BFF)
    for settings in STRANGE:
        with pytest.raises(FormatError, match=r"^settings: "):
            profiles_of(settings)
        known(warehouse, settings)
    assert rows("SELECT count(*) FROM profiles") == [(1,)]
    assert rows("SELECT DISTINCT reason, count(*) FROM quarantine WHERE raw IS NOT NULL GROUP BY ALL") == [("unreadable settings", 6)]
