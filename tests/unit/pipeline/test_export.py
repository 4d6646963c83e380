"""Files hold what the tables hold, all of them or none, and Nightscout's own words."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine

from pipeline.derive.update import derive
from pipeline.export import files as module
from pipeline.export.files import EXPORTED, Choice, export
from pipeline.running.steps import Stored
from tandem.records import Records
from tfx.errors import UsageError

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]
START = 580_003_200  # midnight of 2026-05-19, seven hours behind UTC


def written(engine: Engine, folder: Path, kind: str, choice: Choice | None = None) -> dict[str, int]:
    derive(engine)
    with engine.connect() as connection:
        return dict(export(connection, folder, kind, choice or Choice()))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_every_table_and_view_is_in_the_files(
    kind: str, history: Records, keep: Keep, rows: Rows, warehouse: Engine, tmp_path: Path
) -> None:
    keep(history)
    told = written(warehouse, tmp_path / "out", kind)
    assert told == {f"{table}.{kind}": rows(f"SELECT count(*) FROM {table}")[0][0] for table in EXPORTED}
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(told)
    found = duckdb.sql(f"SELECT count(*), round(sum(delivered_units), 3) FROM '{tmp_path}/out/boluses.{kind}'").fetchall()
    assert found == rows("SELECT count(*), round(sum(delivered_units), 3) FROM boluses")
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_days_and_tables_are_chosen(keep: Keep, warehouse: Engine, tmp_path: Path) -> None:
    days = [START - 1, START, START + 86_399, START + 86_400]
    keep(Records.build(code=48, seconds=days, sequence=range(4), columns={"carbs": 10}))
    choice = Choice(tables=("carbohydrates", "raw_events", "devices"), since=date(2026, 5, 19), until=date(2026, 5, 19))
    assert written(warehouse, tmp_path / "out", "csv", choice) == {"carbohydrates.csv": 2, "raw_events.csv": 2, "devices.csv": 1}


def test_a_choice_nobody_can_mean_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no table 'bolus'; there are devices, profile_tellings"):
        Choice(tables=("bolus",))
    with pytest.raises(UsageError, match="--since 2026-05-20 is after --until 2026-05-19"):
        Choice(since=date(2026, 5, 20), until=date(2026, 5, 19))


def test_what_lags_behind_is_not_exported(history: Records, keep: Keep, warehouse: Engine, tmp_path: Path) -> None:
    keep(history)
    with warehouse.connect() as connection, pytest.raises(UsageError, match=r"a run was cut short: .* Nothing was exported"):
        export(connection, tmp_path / "out", "csv", Choice())
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_left_of_an_export_that_fails(
    history: Records, keep: Keep, warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(history)
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        written(warehouse, tmp_path / "there", "csv")
    with pytest.raises(UsageError, match="no folder can be made in"):
        written(warehouse, tmp_path / "no" / "where", "csv")
    with pytest.raises(UsageError, match="made of several tables each"):
        written(warehouse, tmp_path / "out", "nightscout", Choice(tables=("boluses",)))
    copy = module._copy
    calls = iter(range(4))

    def fail(*arguments: object) -> int:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return copy(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(module, "_copy", fail)
    with pytest.raises(KeyboardInterrupt):
        written(warehouse, tmp_path / "out", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_nightscout_gets_its_own_words(keep: Keep, warehouse: Engine, tmp_path: Path) -> None:
    bolus = {"bolusId": 1, "completionStatus": 3, "insulinDelivered": 2.5, "insulinRequested": 2.5}
    keep(
        Records.join(
            [
                Records.build(code=48, seconds=START, sequence=1, columns={"carbs": 30}),
                Records.build(code=64, seconds=START + 2, sequence=2, columns={"bolusId": 1, "carbAmount": 30, "bg": 121, "bolusType": 1}),
                Records.build(code=20, seconds=START + 60, sequence=3, columns=bolus),
                Records.build(code=48, seconds=START + 900, sequence=4, columns={"carbs": 12}),
                Records.build(code=16, seconds=START + 960, sequence=5, columns={"bg": 118}),
                Records.build(
                    code=399, seconds=START + 1000, sequence=6,
                    columns={"egvTimeStamp": START + 990, "currentGlucoseDisplayValue": 153, "rate": -21},
                ),
                Records.build(code=279, seconds=[START + 1200, START + 1800], sequence=[7, 8], columns={"commandedRate": [994, 0]}),
                Records.build(code=11, seconds=START + 2000, sequence=9, columns={"suspendReason": 6}),
                Records.build(code=12, seconds=START + 2600, sequence=10),
                Records.build(code=33, seconds=START + 2700, sequence=11, columns={"insulinVolume": 180}),
                Records.build(code=229, seconds=[START + 3000, START + 3900], sequence=[12, 13], columns={"currentUserMode": [2, 0]}),
            ]
        )
    )  # fmt: skip
    assert written(warehouse, tmp_path / "out", "nightscout") == {"entries.json": 2, "treatments.json": 9, "profile.json": 0}
    common = {"enteredBy": "tfx"}
    documents = {name: json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("entries", "treatments")}
    for document in (one for found in documents.values() for one in found):
        told = document.get("dateString") or document["created_at"]
        assert (document.pop("date"), document.pop("utcOffset")) == (datetime.fromisoformat(told).timestamp() * 1000, -420)
        assert (document.pop("app"), document.pop("device"), len(document.pop("identifier"))) == ("tfx", "Tandem 1000354 #1", 36)
    entries, treatments = documents["entries"], documents["treatments"]
    assert entries == [
        {"type": "mbg", "mbg": 118, "units": "mg", "dateString": "2026-05-19T07:16:00.000Z", "pump_event_id": "1-5"},
        {
            "type": "sgv", "sgv": 153, "units": "mg", "direction": "SingleDown", "dateString": "2026-05-19T07:16:30.000Z",
            "pump_event_id": "1-6",
        },
    ]  # fmt: skip
    assert treatments == [
        common | told
        for told in (
            {
                "eventType": "Meal Bolus", "created_at": "2026-05-19T07:00:02.000Z", "insulin": 2.5, "enteredinsulin": 2.5, "carbs": 30.0,
                "glucose": 121, "units": "mg/dl", "pump_event_id": "1-2",
            },
            {"eventType": "Carb Correction", "created_at": "2026-05-19T07:15:00.000Z", "carbs": 12.0, "pump_event_id": "1-4"},
            {
                "eventType": "BG Check", "created_at": "2026-05-19T07:16:00.000Z", "glucose": 118, "glucoseType": "Finger",
                "units": "mg/dl",
                "pump_event_id": "1-5",
            },
            {
                "eventType": "Temp Basal", "created_at": "2026-05-19T07:20:00.000Z", "duration": 10.0, "absolute": 0.994, "rate": 0.994,
                "pump_event_id": "1-7",
            },
            {
                "eventType": "Temp Basal", "created_at": "2026-05-19T07:30:00.000Z", "duration": 5.0, "absolute": 0.0, "rate": 0.0,
                "pump_event_id": "1-8",
            },
            {
                "eventType": "Suspend Pump", "created_at": "2026-05-19T07:33:20.000Z", "notes": "predicted low glucose",
                "pump_event_id": "1-9",
            },
            {"eventType": "Resume Pump", "created_at": "2026-05-19T07:43:20.000Z", "pump_event_id": "1-9 end"},
            {
                "eventType": "Insulin Change", "created_at": "2026-05-19T07:45:00.000Z", "notes": "cartridge filled, 180.0 units",
                "pump_event_id": "1-11",
            },
            {"eventType": "Exercise", "created_at": "2026-05-19T07:50:00.000Z", "duration": 15.0, "pump_event_id": "1-12"},
        )
    ]  # fmt: skip


def test_an_empty_database_gives_empty_lists(warehouse: Engine, tmp_path: Path) -> None:
    assert written(warehouse, tmp_path / "out", "nightscout") == {"entries.json": 0, "treatments.json": 0, "profile.json": 0}
    assert json.loads((tmp_path / "out" / "entries.json").read_text()) == []
