"""What Nightscout calls the same things, as SQL: one JSON object a row, nulls left out. Pure.

Entries (sgv, mbg) and treatments (`eventType` as in Nightscout's care portal; `Sleep` as tconnectsync calls it). Instants in UTC with a
Z, glucose in mg/dL, insulin in units, durations in minutes. `pump_event_id` is the sequence number, as tconnectsync sends it, so the
same thing sent by both can be told; the end of a span has its beginning's with the word "end". 39 and 401 mean "low" and "high" in
Nightscout too.
"""
# ruff: noqa: S608  # every name in these statements is our own

from collections.abc import Mapping
from typing import Final

ENTERED_BY: Final = "tfx"

_AT: Final = "strftime({instant} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.000Z')"
_ID: Final = "sequence_number::VARCHAR AS pump_event_id"
# Arrows as Dexcom draws them, by mg/dL a minute.
_DIRECTION: Final = """
CASE WHEN abs(rate_mg_dl_per_minute) < 1 THEN 'Flat' WHEN rate_mg_dl_per_minute IS NOT NULL THEN concat(
    CASE WHEN abs(rate_mg_dl_per_minute) < 2 THEN 'FortyFive' WHEN abs(rate_mg_dl_per_minute) < 3 THEN 'Single' ELSE 'Double' END,
    CASE WHEN rate_mg_dl_per_minute > 0 THEN 'Up' ELSE 'Down' END
) END
"""


def _entry(kind: str, more: str, table: str, where: str) -> str:
    return f"""
        SELECT device_id, pump_time, instant, sequence_number, '{kind}' AS type, glucose_mg_dl AS {kind}{more}, epoch_ms(instant) AS date,
            {_AT.format(instant="instant")} AS "dateString", 'tfx' AS device, {_ID}
        FROM {table} WHERE {where}
    """


ENTRIES: Final = (
    _entry("sgv", f", {_DIRECTION} AS direction", "cgm_readings", "glucose_mg_dl IS NOT NULL"),
    _entry("mbg", "", "blood_glucose_readings", "entered = 'by hand'"),
)


def _treatment(kind: str, columns: Mapping[str, str], table: str, where: str = "true", instant: str = "instant") -> str:
    told = "".join(f', {sql} AS "{name}"' for name, sql in columns.items())
    named = _ID if instant == "instant" else "concat(sequence_number, ' end') AS pump_event_id"
    return f"""
        SELECT device_id, pump_time, {instant} AS instant, sequence_number, {kind} AS "eventType",
            {_AT.format(instant=instant)} AS created_at, '{ENTERED_BY}' AS "enteredBy"{told}, {named}
        FROM {table} WHERE {where}
    """


def _minutes(end: str) -> str:
    return f"round(epoch({end} - instant) / 60, 1)"


def _note(words: str, table: str, where: str = "true", instant: str = "instant", end: str | None = None) -> str:
    columns = {"notes": words} | ({"duration": _minutes(end)} if end else {})
    return _treatment("'Note'", columns, table, where, instant)


_GLUCOSE: Final = {"glucose": "glucose_mg_dl", "glucoseType": "CASE WHEN glucose_mg_dl IS NOT NULL THEN 'Finger' END"}
_UNITS: Final = {"units": "CASE WHEN glucose_mg_dl IS NOT NULL THEN 'mg/dl' END"}

_FILLED: Final = "', ' || units || ' units'"

TREATMENTS: Final = (
    _treatment(
        "CASE WHEN extended_minutes IS NOT NULL THEN 'Combo Bolus' WHEN carbs_grams > 0 THEN 'Meal Bolus' ELSE 'Correction Bolus' END",
        {
            "insulin": "delivered_units", "enteredinsulin": "requested_units", "carbs": "nullif(carbs_grams, 0)",
            "duration": "extended_minutes", "automatic": "CASE WHEN bolus_type = 'automatic correction' THEN true END",
            "glucose": "glucose_mg_dl", **_UNITS, "notes": "CASE WHEN completion <> 'completed' THEN completion END",
        },
        "boluses", "delivered_units IS NOT NULL",
    ),
    # Carbohydrates of a bolus are told twice, a moment apart: once here, once with the bolus.
    _treatment(
        "'Carb Correction'", {"carbs": "carbs_grams"}, "carbohydrates c",
        """NOT EXISTS (
            SELECT 1 FROM boluses b
            WHERE b.device_id = c.device_id AND b.delivered_units IS NOT NULL AND b.carbs_grams = round(c.carbs_grams)
                AND b.instant BETWEEN c.instant - INTERVAL 5 MINUTE AND c.instant + INTERVAL 5 MINUTE
        )""",
    ),
    _treatment(
        "'Temp Basal'",
        {
            "duration": "round(seconds / 60, 2)", "absolute": "commanded_milliunits_per_hour / 1000",
            "rate": "commanded_milliunits_per_hour / 1000",
        },
        "basal_spans", "seconds > 0",
    ),
    _treatment("'BG Check'", _GLUCOSE | _UNITS, "blood_glucose_readings", "entered = 'by hand'"),
    _treatment("'Suspend Pump'", {"notes": "reason"}, "suspensions", "opened"),
    _treatment("'Resume Pump'", {}, "suspensions", "resumed_instant IS NOT NULL", "resumed_instant"),
    _treatment("'Site Change'", {"notes": f"concat('cannula filled', {_FILLED})"}, "cartridge_and_site_changes", "part = 'cannula'"),
    _treatment("'Insulin Change'", {"notes": f"concat('cartridge filled', {_FILLED})"}, "cartridge_and_site_changes", "part = 'cartridge'"),
    _note("'tubing filled'", "cartridge_and_site_changes", "part = 'tubing'"),
    _treatment("'Sensor Start'", {"notes": "sensor"}, "sensor_sessions", "opened OR joins > 0"),
    _treatment("'Sensor Stop'", {"notes": "sensor"}, "sensor_sessions", "stopped_instant IS NOT NULL", "stopped_instant"),
    _treatment("'Exercise'", {"duration": _minutes("ended_instant")}, "user_modes", "mode = 'exercise'"),
    _treatment("'Sleep'", {"duration": _minutes("ended_instant")}, "user_modes", "mode = 'sleep'"),
    _note("concat(kind, ' ', number)", "alarms_and_alerts", "opened", end="cleared_instant"),
)  # fmt: skip

# Merging a null takes a member out: what is null, and what only the order and the choice of rows need.
_OURS: Final = '{"device_id": null, "pump_time": null, "instant": null, "sequence_number": null}'

FILES: Final[Mapping[str, tuple[str, ...]]] = {"entries": ENTRIES, "treatments": TREATMENTS}
"""File name -> the queries whose rows are in it."""


def query(parts: tuple[str, ...], where: str) -> str:
    """One JSON text a row, in the order of time."""
    return f"""
        WITH told AS ({" UNION ALL BY NAME ".join(parts)})
        SELECT json_merge_patch(json_merge_patch('{{}}', to_json(told)), '{_OURS}') AS line FROM told WHERE {where}
        ORDER BY instant, sequence_number, line
    """
