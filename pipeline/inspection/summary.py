"""Summarise a database: row counts, sums, first and last rows, glucose and insulin figures. Reads only."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, cast

from sqlalchemy import Connection, Double, Integer, Numeric, Table
from sqlalchemy.types import TypeEngine

from pipeline.models import IDENTITY, TABLES, Base, key_of
from pipeline.store.engine import driver
from pipeline.store.reasons import UNREADABLE_EVENTS
from pipeline.store.unread_days import unread_days
from tfx.jsonbody import Json

_NUMBERS: Final = (Integer, Numeric, Double)  # Integer covers its small and big kinds
_PLACES: Final = 6

_GLUCOSE: Final = """
SELECT count(*), round(avg(glucose_mg_dl), 1), round(count(*) FILTER (glucose_mg_dl BETWEEN 70 AND 180) / nullif(count(*), 0), 4)
FROM glucose_values
"""
_BASAL: Final = "SELECT round(coalesce(sum(units), 0), 3) FROM basal_spans"
_BOLUS: Final = "SELECT round(coalesce(sum(delivered_units), 0), 3), coalesce(sum(carbs_grams), 0) FROM boluses"
# The service hands out clock changes since the pump left the factory, whatever the window: they would stretch the span over years.
_SPAN: Final = "SELECT min(pump_time), max(pump_time) FROM events WHERE code NOT IN (13, 14)"
_CLOCK: Final = "SELECT clock, count(*) FROM events WHERE clock IN ('assumed', 'ambiguous', 'missing') GROUP BY clock ORDER BY clock"
_UNKNOWN: Final = "SELECT count(*) FROM events WHERE name = 'unknown'"
# One line a reason, however many events, with the codes concerned; the quarantine itself has them all, the unreadable that came again
# in a state to be read, too.
_REASONS: Final = f"""
SELECT reason || coalesce(' (' || string_agg(DISTINCT code, ', ' ORDER BY code) || ')', ''), count(*) FROM quarantine q
WHERE reason NOT IN {tuple(map(str, UNREADABLE_EVENTS))} OR NOT EXISTS (
    SELECT 1 FROM raw_events r WHERE r.device_id = q.device_id AND r.sequence_group = q.sequence_group
        AND r.sequence_number = q.sequence_number
)
GROUP BY reason ORDER BY reason
"""  # noqa: S608  # our own words


def summary(connection: Connection) -> dict[str, Json]:
    """The whole report: `tables` (rows, sums, first, last), `glucose`, `metrics`, `insulin`, `span`, `quarantine`, and what is missing.

    `clock` counts events whose instants are not certain.
    `unread` are the days whose answers nobody could read, `unknown_events` counts codes without a layout. Glucose in mg/dL, time in range
    as a share of readings from 70 to 180 mg/dL, insulin in units; `metrics` are the rows of the view glucose_by_span.
    A pure function of the tables:
    two warehouses with the same rows give the same report, in whatever order the rows came.
    """
    readings, mean, in_range = _row(connection, _GLUCOSE)
    bolus, carbs = _row(connection, _BOLUS)
    (basal,) = _row(connection, _BASAL)
    first, last = _row(connection, _SPAN)
    return {
        "tables": {name: table_summary(connection, Base.metadata.tables[name]) for name in TABLES},
        "glucose": {"readings": readings, "mean_mg_dl": mean, "in_range_70_180": in_range},
        "metrics": list(view_rows(connection, "glucose_by_span")),
        "insulin": {
            "basal_units": basal,
            "bolus_units": bolus,
            "delivered_units": round(_float(basal) + _float(bolus), 3),
            "carbs_grams": carbs,
        },
        "span": {"first": first, "last": last},
        "clock": {str(clock): count for clock, count in _rows(connection, _CLOCK)},
        "quarantine": set_aside(connection),
        "unknown_events": _row(connection, _UNKNOWN)[0],
        "unread": [str(window) for window in unread_days(connection)],
    }


def set_aside(connection: Connection) -> dict[str, Json]:
    """What the quarantine has, by reason."""
    return {str(reason): count for reason, count in _rows(connection, _REASONS)}


def table_summary(connection: Connection, table: Table) -> dict[str, Json]:
    """Row count, sum of every numeric column that is no key, first and last row in order of the key."""
    keys = {*key_of(table), *IDENTITY}
    summed = [column.name for column in table.columns if column.name not in keys and _is_number(column.type)]
    sums = "".join(f", round(sum({name}), {_PLACES})" for name in summed)
    count, *totals = _row(connection, f"SELECT count(*){sums} FROM {table.name}")  # noqa: S608  # our own names
    order = list(key_of(table))
    return {
        "rows": count,
        "sums": dict(zip(summed, totals, strict=True)),
        "first": _edge(connection, table, order, "ASC"),
        "last": _edge(connection, table, order, "DESC"),
    }


def view_rows(connection: Connection, view: str) -> tuple[dict[str, Json], ...]:
    """Every row of a view, in order of its columns."""
    names = [str(column) for (column, *_) in driver(connection).execute(f"DESCRIBE {view}").fetchall()]
    return tuple(dict(zip(names, row, strict=True)) for row in _rows(connection, f"FROM {view} ORDER BY ALL"))


def counts(report: Mapping[str, Json]) -> dict[str, int]:
    """Rows per table of a report."""
    tables = cast("Mapping[str, Mapping[str, int]]", report["tables"])
    return {name: table["rows"] for name, table in tables.items()}


def _edge(connection: Connection, table: Table, order: list[str], way: str) -> Json:
    columns = [column.name for column in table.columns]
    by = ", ".join(f"{name} {way}" for name in order)
    rows = _rows(connection, f"SELECT {', '.join(columns)} FROM {table.name} ORDER BY {by} LIMIT 1")  # noqa: S608  # our own names
    return dict(zip(columns, rows[0], strict=True)) if rows else None


def _is_number(kind: TypeEngine[object]) -> bool:
    return isinstance(kind, _NUMBERS)


def _row(connection: Connection, query: str) -> tuple[Json, ...]:
    return _rows(connection, query)[0]


def _rows(connection: Connection, query: str) -> list[tuple[Json, ...]]:
    return [tuple(map(_plain, row)) for row in driver(connection).execute(query).fetchall()]


def _plain(value: object) -> Json:
    """A database value as JSON: times in ISO form (instants in UTC with a Z), bytes in hex."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value.hex() if isinstance(value, bytes) else cast("Json", value)


def _float(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
