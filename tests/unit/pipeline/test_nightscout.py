"""What is exported is what Nightscout takes, and what it takes for one and the same document is one.

The schemas say what cgm-remote-monitor's lib/api3/swagger.yaml and lib/api3/shared/operationTools.js want of a document, in our words; a
profile is what lib/profilefunctions.js reads. `glucose` is text in the one and made a number by lib/server/treatments.js: both are taken.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import Engine

from pipeline.derive.update import derive
from pipeline.export.files import Choice, export
from pipeline.receive.pumps import Pump
from pipeline.running.steps import Stored
from tandem.records import Records

Keep = Callable[..., Stored]
Document = Mapping[str, object]
START: Final = 580_003_200
NUMBER: Final = {"type": "number"}
WORD: Final = {"type": "string", "minLength": 1}
BASE: Final = {
    "identifier": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"},
    "date": {"type": "integer", "exclusiveMinimum": 946_684_800_000},
    "utcOffset": {"type": "integer", "minimum": -1440, "maximum": 1440},
    "app": WORD,
    "device": WORD,
}
INSTANT: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
DIRECTIONS: Final = ("DoubleDown", "SingleDown", "FortyFiveDown", "Flat", "FortyFiveUp", "SingleUp", "DoubleUp", "NOT COMPUTABLE")
EVENT_TYPES: Final = (
    "BG Check", "Snack Bolus", "Meal Bolus", "Correction Bolus", "Carb Correction", "Combo Bolus", "Announcement", "Note", "Question",
    "Exercise", "Site Change", "Sensor Start", "Sensor Change", "Sensor Stop", "Pump Battery Change", "Insulin Change", "Temp Basal",
    "Profile Switch", "D.A.D. Alert", "Temporary Target", "OpenAPS Offline", "Bolus Wizard", "Suspend Pump", "Resume Pump", "Sleep",
)  # fmt: skip
"""Those of the swagger and the care portal; Sensor Stop, Suspend Pump and Resume Pump are lib/plugins' own, Sleep is tconnectsync's."""

OURS: Final = {"pump_event_id": WORD, "enteredBy": WORD}


def schema(required: Sequence[str], members: Mapping[str, object]) -> Draft202012Validator:
    every = [*BASE, *required]
    return Draft202012Validator(
        {"type": "object", "required": every, "properties": {**BASE, **OURS, **members}, "additionalProperties": False}
    )


BY_TIME: Final = {
    "type": "array", "minItems": 1,
    "items": {
        "type": "object", "required": ["time", "value"], "additionalProperties": False,
        "properties": {"time": {"type": "string", "pattern": r"^\d\d:\d\d$"}, "value": NUMBER, "timeAsSeconds": {"type": "integer"}},
    },
}  # fmt: skip
STORE: Final = {
    "type": "object", "required": ["dia", "carbratio", "sens", "basal", "target_low", "target_high", "timezone", "units"],
    "properties": {
        "dia": NUMBER, "timezone": WORD, "units": {"enum": ["mg/dl", "mmol"]}, "startDate": INSTANT,
        **dict.fromkeys(("carbratio", "sens", "basal", "target_low", "target_high"), BY_TIME),
    },
    "additionalProperties": False,
}  # fmt: skip
SCHEMAS: Final = {
    "entries": schema(
        ["type", "dateString"],
        {
            "type": {"enum": ["sgv", "mbg"]}, "sgv": NUMBER, "mbg": NUMBER, "direction": {"enum": list(DIRECTIONS)},
            "units": {"enum": ["mg", "mmol"]}, "dateString": INSTANT,
        },
    ),
    "treatments": schema(
        ["eventType", "created_at"],
        {
            "eventType": {"enum": list(EVENT_TYPES)}, "created_at": INSTANT, "glucose": {"type": ["number", "string"]},
            "glucoseType": {"enum": ["Sensor", "Finger", "Manual"]}, "units": {"enum": ["mg/dl", "mmol/l"]}, "carbs": NUMBER,
            "insulin": NUMBER, "enteredinsulin": NUMBER, "splitNow": NUMBER, "splitExt": NUMBER, "relative": NUMBER,
            "duration": NUMBER, "absolute": NUMBER, "rate": NUMBER,
            "automatic": {"type": "boolean"}, "notes": {"type": "string"},
        },
    ),
    "profile": schema(
        ["defaultProfile", "store", "startDate", "created_at"],
        {
            "defaultProfile": WORD, "store": {"type": "object", "minProperties": 1, "additionalProperties": STORE}, "startDate": INSTANT,
            "created_at": INSTANT, "units": {"enum": ["mg/dl", "mmol"]},
        },
    ),
}  # fmt: skip


def documents(engine: Engine, folder: Path) -> dict[str, list[Document]]:
    """What is exported, each document seen to be what Nightscout takes."""
    derive(engine)
    with engine.connect() as connection:
        told = export(connection, folder, "nightscout", Choice())
    found: dict[str, list[Document]] = {name: json.loads((folder / f"{name}.json").read_text()) for name in SCHEMAS}
    for name, validator in SCHEMAS.items():
        assert len(found[name]) == told[f"{name}.json"]
        for document in found[name]:
            validator.validate(document)
    return found


KNOWN_BY: Final = {"entries": ("dateString", "type"), "treatments": ("created_at", "eventType"), "profile": ("created_at",)}
"""By what Nightscout knows a document without an identifier again."""


def identifier(document: Document) -> str:
    """As lib/api3/shared/operationTools.js makes it."""
    words = [document["device"], document["date"], *([document["eventType"]] if "eventType" in document else [])]
    return str(uuid.uuid5(uuid.UUID(bytes=b"NightscoutRocks!"), "_".join(map(str, words))))


def test_a_whole_history_is_documents_that_nightscout_takes_each_once(
    history: Records, keep: Keep, warehouse: Engine, tmp_path: Path
) -> None:
    keep(history)
    found = documents(warehouse, tmp_path / "out")
    assert all(found["entries"])
    assert {"Temp Basal"} < {document["eventType"] for document in found["treatments"]}
    for name, several in found.items():
        assert [document["identifier"] for document in several] == [identifier(document) for document in several]
        assert max(Counter(tuple(document[member] for member in KNOWN_BY[name]) for document in several).values(), default=1) == 1, name


def test_what_happens_in_one_second_stays_apart_and_a_reading_told_twice_is_one(keep: Keep, warehouse: Engine, tmp_path: Path) -> None:
    keep(
        Records.join(
            [
                Records.build(code=5, seconds=START, sequence=[1, 2, 3], columns={"alarmId": [2, 3, 18]}),
                Records.build(
                    code=399, seconds=START, sequence=[4, 5], columns={"egvTimeStamp": START, "currentGlucoseDisplayValue": [120, 122]}
                ),
            ]
        )
    )
    found = documents(warehouse, tmp_path / "out")
    assert [(document["notes"], str(document["created_at"])[17:]) for document in found["treatments"]] == [
        ("alarm 2", "00.000Z"), ("alarm 3", "00.001Z"), ("alarm 18", "00.002Z"),
    ]  # fmt: skip
    assert [document["sgv"] for document in found["entries"]] == [122]
    assert len({document["identifier"] for document in found["treatments"]}) == 3


def test_an_extended_bolus_is_a_combo_bolus_as_the_care_portal_makes_it(keep: Keep, warehouse: Engine, tmp_path: Path) -> None:
    told = (
        (65, 1, {"duration": 90, "options": 1}),
        (66, 2, {"totalBolusSize": 4}),
        (20, 3, {"insulinDelivered": 1, "insulinRequested": 1, "completionStatus": 3}),
        (21, 4, {"insulinDelivered": 3, "insulinRequested": 3, "completionStatus": 3}),
    )
    parts = [Records.build(code=code, seconds=START + at, sequence=at, columns={"bolusId": 7, **says}) for code, at, says in told]
    keep(Records.join(parts))
    (found,) = documents(warehouse, tmp_path / "out")["treatments"]
    said = ("eventType", "insulin", "enteredinsulin", "splitNow", "splitExt", "relative", "duration")
    assert [found[name] for name in said] == ["Combo Bolus", 1, 4, 25, 75, 2, 90]


def test_two_pumps_at_one_moment_are_two_devices(keep: Keep, warehouse: Engine, tmp_path: Path) -> None:
    carbohydrates = Records.build(code=48, seconds=START, sequence=1, columns={"carbs": 30})
    for serial, model in (("90000001", "1000354"), ("90000002", None)):
        keep(carbohydrates, pump=Pump(key="1", serial_number=serial, model_number=model))
    found = documents(warehouse, tmp_path / "out")["treatments"]
    assert [(one["device"], one["pump_event_id"]) for one in found] == [("Tandem 1000354 #1", "1-1"), ("Tandem #2", "2-1")]
    assert len({one["identifier"] for one in found}) == 2


SEGMENTS: Final = [
    {"startTime": 0, "basalRate": 800, "carbRatio": 8500, "targetBg": 110, "isf": 40},
    {"startTime": 330, "basalRate": 950, "carbRatio": 7000, "targetBg": 110, "isf": 30},
]
PROFILE: Final = {"insulinDuration": 300, "maxBolus": 25000, "timeDependentSegments": SEGMENTS}


@pytest.mark.parametrize("name", ["Work day", 'Ann\'s "best"', "Wérk €"])
def test_a_profile_is_a_document_of_nightscouts_from_the_upload_that_told_it(
    name: str, keep: Keep, warehouse: Engine, tmp_path: Path
) -> None:
    profiles = [PROFILE | {"idp": 0, "name": "Other"}, PROFILE | {"idp": 1, "name": name}, PROFILE | {"idp": 2, "name": name}]
    settings = {"details": {"profiles": {"activeIdp": 1, "profile": profiles}}}
    pump = Pump(key="1", serial_number="90000007", settings=settings, uploaded="2026-05-19T07:16:00.250")  # type: ignore[arg-type]  # JSON
    keep(Records.join(()), pump=pump)
    (document,) = documents(warehouse, tmp_path / "out")["profile"]
    store = document["store"]
    assert isinstance(store, dict)
    assert (document["defaultProfile"], document["startDate"]) == (f"{name} 1", "2026-05-19T07:16:00.000Z")
    assert sorted(store) == sorted(["Other", f"{name} 1", f"{name} 2"])
    assert (store["Other"]["dia"], store["Other"]["timezone"]) == (5, "America/Los_Angeles")
    assert store["Other"]["basal"] == [
        {"time": "00:00", "value": 0.8, "timeAsSeconds": 0},
        {"time": "05:30", "value": 0.95, "timeAsSeconds": 19800},
    ]
    assert [one["value"] for one in store["Other"]["carbratio"]] == [8.5, 7.0]
