"""Tables in Nightscout's format, as SQL: one JSON object per row, without nulls. Pure.

Entries (sgv, mbg), treatments (`eventType` as in Nightscout's care portal; `Sleep` as tconnectsync calls it) and profiles. Instants in UTC
with a Z, glucose in mg/dL, insulin in units, durations in minutes. `device` is the pump's model and its number in this database: two pumps
differ in it, and no serial number gets to a site that others can read. `pump_event_id` is that number and the sequence number; the end
of a span has its beginning's with the word "end". 39 and 401 mean "low" and "high" in
Nightscout too.

What Nightscout wants and how it knows a document again (cgm-remote-monitor, lib/api3/shared/operationTools.js, lib/api3/generic/setup.js,
lib/server/entries.js, lib/server/treatments.js): `date`, `utcOffset` and `app` are required; the `identifier` is a UUID version 5 of
device, date and eventType, under the 16 letters `NightscoutRocks!`; without one, treatments of one `created_at` and `eventType` and entries
of one time and `type` are one and the same. So a second such document of the same second is written a millisecond later, or it would take
the place of the first.

A Combo Bolus is what its care portal makes (lib/client/careportal.js): `insulin` the part given at once, `enteredinsulin` all of it,
`splitNow` and `splitExt` percent, `relative` units an hour of the rest over `duration`. All of what was delivered, not of what was asked
for, so that a bolus that was stopped counts as what it gave.
"""
# ruff: noqa: S608  # every name in these statements is our own

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.extracts.boluses import CHAIN_GAP

APP: Final = "tfx"

_KEY: Final = "device_id, pump_time, sequence_group, sequence_number"
_ID: Final = "concat(device_id, '-', sequence_number) AS pump_event_id"
# Arrows as Dexcom draws them, by mg/dL a minute.
_DIRECTION: Final = """
CASE WHEN abs(rate_mg_dl_per_minute) < 1 THEN 'Flat' WHEN rate_mg_dl_per_minute IS NOT NULL THEN concat(
    CASE WHEN abs(rate_mg_dl_per_minute) < 2 THEN 'FortyFive' WHEN abs(rate_mg_dl_per_minute) < 3 THEN 'Single' ELSE 'Double' END,
    CASE WHEN rate_mg_dl_per_minute > 0 THEN 'Up' ELSE 'Down' END
) END
"""


def _entry(kind: str, more: str, table: str, where: str) -> str:
    return f"""
        SELECT {_KEY}, instant, '{kind}' AS type, glucose_mg_dl AS {kind}, 'mg' AS units{more}, {_ID} FROM {table} WHERE {where}
    """


# Of a reading that was sent twice, live and back-filled, the last counts.
_LAST_TOLD: Final = """glucose_mg_dl IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY device_id, instant ORDER BY sequence_group DESC, sequence_number DESC) = 1
"""


ENTRIES: Final = (
    _entry("sgv", f", {_DIRECTION} AS direction", "cgm_readings", _LAST_TOLD),
    _entry("mbg", "", "blood_glucose_readings", "entered = 'by hand'"),
)


def _treatment(kind: str, columns: Mapping[str, str], table: str, where: str = "true", instant: str = "instant") -> str:
    told = "".join(f', {sql} AS "{name}"' for name, sql in columns.items())
    named = _ID if instant == "instant" else "concat(device_id, '-', sequence_number, ' end') AS pump_event_id"
    return f"""
        SELECT {_KEY}, {instant} AS instant, {kind} AS "eventType", '{APP}' AS "enteredBy"{told}, {named} FROM {table} WHERE {where}
    """


def _minutes(end: str) -> str:
    return f"round(epoch({end} - instant) / 60, 1)"


def _note(words: str, table: str, where: str = "true", instant: str = "instant", end: str | None = None) -> str:
    columns = {"notes": words} | ({"duration": _minutes(end)} if end else {})
    return _treatment("'Note'", columns, table, where, instant)


_GLUCOSE: Final = {"glucose": "glucose_mg_dl", "glucoseType": "CASE WHEN glucose_mg_dl IS NOT NULL THEN 'Finger' END"}
_UNITS: Final = {"units": "CASE WHEN glucose_mg_dl IS NOT NULL THEN 'mg/dl' END"}

_FILLED: Final = "', ' || units || ' units'"

# Of an extended bolus 20 tells the part given at once (extracts/boluses.py); what is no longer there was none.
_COMBO: Final = "extended_minutes IS NOT NULL AND delivered_units > 0"
_NOW: Final = f"""
least(delivered_units, coalesce((
    SELECT sum(m.delivered_units) FROM bolus_messages m
    WHERE m.code = 20 AND m.device_id = b.device_id AND m.sequence_group = b.sequence_group AND m.bolus_id = b.bolus_id
        AND m.sequence_number BETWEEN b.sequence_number AND b.sequence_number + {CHAIN_GAP}
), 0))
"""


def _of_combo(sql: str, otherwise: str = "NULL") -> str:
    return f"CASE WHEN {_COMBO} THEN {sql} ELSE {otherwise} END"


TREATMENTS: Final = (
    _treatment(
        "CASE WHEN extended_minutes IS NOT NULL THEN 'Combo Bolus' WHEN carbs_grams > 0 THEN 'Meal Bolus' ELSE 'Correction Bolus' END",
        {
            "insulin": _of_combo(f"round({_NOW}, 3)", "delivered_units"), "enteredinsulin": _of_combo("delivered_units", "requested_units"),
            "splitNow": _of_combo(f"round(100 * {_NOW} / delivered_units)::INTEGER"),
            "splitExt": _of_combo(f"100 - round(100 * {_NOW} / delivered_units)::INTEGER"),
            "relative": _of_combo(f"round((delivered_units - {_NOW}) / extended_minutes * 60, 3)"),
            "carbs": "nullif(carbs_grams, 0)", "duration": "extended_minutes",
            "automatic": "CASE WHEN bolus_type = 'automatic correction' THEN true END",
            "glucose": "glucose_mg_dl", **_UNITS, "notes": "CASE WHEN completion <> 'completed' THEN completion END",
        },
        "boluses b", "delivered_units IS NOT NULL",
    ),
    # Carbohydrates of a bolus are reported twice, a moment apart: once here, once with the bolus.
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

# --- profiles

_CLOCK: Final = "strftime(TIMESTAMP '2008-01-01' + to_minutes(start_minutes), '%H:%M')"


def _by_time(value: str) -> str:
    return f"""list({{'time': {_CLOCK}, 'value': {value}, 'timeAsSeconds': start_minutes * 60}} ORDER BY start_minutes)"""


# Nightscout's documents: everything under `store` by name, the one in force as `defaultProfile`; a name that stands twice gets its number.
# No source says in which zone an upload's time is: it is taken for UTC.
PROFILES: Final = f"""
WITH named AS (
    SELECT *, CASE WHEN count(*) OVER (PARTITION BY device_id, version, name) > 1 THEN concat(name, ' ', number) ELSE name END AS called
    FROM profile_history
),
stores AS (
    SELECT device_id, valid_from, version, number, called, active, zone, round(insulin_duration_minutes / 60, 2) AS dia,
        {_by_time("carb_ratio_grams_per_unit")} AS carbratio, {_by_time("correction_mg_dl_per_unit")} AS sens,
        {_by_time("basal_milliunits_per_hour / 1000")} AS basal, {_by_time("target_mg_dl")} AS target_low,
        {_by_time("target_mg_dl")} AS target_high
    FROM named JOIN profile_segments USING (device_id, version, number) JOIN devices ON devices.id = device_id
    GROUP BY ALL
)
SELECT device_id, valid_from AS pump_time, 0 AS sequence_group, 0 AS sequence_number, valid_from::TIMESTAMPTZ AS instant,
    coalesce(max(called) FILTER (active), min_by(called, number)) AS "defaultProfile", 'mg/dl' AS units, '{APP}' AS "enteredBy",
    json_group_object(called, {{
        'dia': dia, 'carbratio': carbratio, 'sens': sens, 'basal': basal, 'target_low': target_low, 'target_high': target_high,
        'timezone': zone, 'units': 'mg/dl', 'startDate': '1970-01-01T00:00:00.000Z'
    }}) AS store
FROM stores GROUP BY device_id, valid_from
"""

# --- documents

# Merging a null takes a member out: what is null, and what only the order and the choice of rows need.
_OURS: Final = (
    '{"device_id": null, "pump_time": null, "instant": null, "sequence_number": null, "sequence_group": null, "moment": null, '
    '"kind": null, "zone": null}'
)
_WRITTEN: Final = "strftime(moment AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"
_OFFSET: Final = "((epoch(moment AT TIME ZONE zone) - epoch(moment AT TIME ZONE 'UTC')) / 60)::INTEGER"
_DEVICE: Final = "concat_ws(' ', 'Tandem', model_number, concat('#', device_id))"  # only some eras give the model's name
_HEX: Final = "sha1('NightscoutRocks!' || concat_ws('_', device, epoch_ms(moment), kind))"
_UUID: Final = """
concat_ws('-', hex[1:8], hex[9:12], '5' || hex[14:16], substr('89ab', 1 + ('0x' || hex[17])::INTEGER % 4, 1) || hex[18:20], hex[21:32])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection of Nightscout's: where its rows are read, what makes two of one time differ (`kind`), which members tell the time."""

    parts: tuple[str, ...]
    kind: str
    when: tuple[str, ...]


FILES: Final[Mapping[str, Collection]] = {
    "entries": Collection(parts=ENTRIES, kind="type", when=("dateString",)),
    "treatments": Collection(parts=TREATMENTS, kind='"eventType"', when=("created_at",)),
    "profile": Collection(parts=(PROFILES,), kind="''", when=("created_at", "startDate")),
}
"""File name -> what is in it."""


def query(collection: Collection, where: str) -> str:
    """One JSON text a row, in the order of time."""
    when = "".join(f', {_WRITTEN} AS "{name}"' for name in collection.when)
    # The kind of an entry is no part of its identifier.
    hashed = _HEX if collection.kind == '"eventType"' else _HEX.replace(", kind)", ")")
    return f"""
        WITH told AS ({" UNION ALL BY NAME ".join(f"({part})" for part in collection.parts)}),
        placed AS (
            SELECT *, {collection.kind} AS kind, instant + to_milliseconds(row_number() OVER (
                PARTITION BY date_trunc('second', instant), {collection.kind}
                ORDER BY instant, device_id, sequence_group, sequence_number, to_json(told)::VARCHAR
            ) - 1) AS moment
            FROM told WHERE {where}
        ),
        named AS (SELECT placed.*, zone, {_DEVICE} AS device FROM placed JOIN devices ON devices.id = device_id),
        hashed AS (SELECT *, {hashed} AS hex FROM named),
        documents AS (
            SELECT * EXCLUDE hex, epoch_ms(moment) AS date, {_OFFSET} AS "utcOffset", '{APP}' AS app, {_UUID} AS identifier{when}
            FROM hashed
        )
        SELECT json_merge_patch(json_merge_patch('{{}}', to_json(documents)), '{_OURS}') AS line FROM documents
        ORDER BY moment, device_id, sequence_group, sequence_number, line
    """
