"""`tfx pipeline show`: what a database holds. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.inspection.summary import set_aside
from pipeline.models import TABLES
from pipeline.store.engine import driver
from pipeline.store.unread_days import unread_days
from tfx.jsonbody import Json

# Clock changes are handed out since the pump left the factory, whatever the window: they would stretch the span over years.
_PUMPS: Final = """
SELECT id, serial_number, model_name, model_number, software_version, zone, count(sequence_number),
    min(pump_time) FILTER (code NOT IN (13, 14)), max(pump_time) FILTER (code NOT IN (13, 14))
FROM devices LEFT JOIN events ON device_id = id GROUP BY ALL ORDER BY id
"""
_ROWS: Final = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)  # noqa: S608  # our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpContents:
    """What there is of one pump. `first` and `last` are times on its clock, without a zone; clock changes do not count for them.

    `device` is its number in the tables. `unread` are the days whose answers could not be read and that the next run asks for again.
    """

    device: int
    serial_number: str
    model_name: str | None
    model_number: str | None
    software_version: str | None
    zone: str
    events: int
    first: datetime | None
    last: datetime | None
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a database holds: its schema, when its file was last written (UTC), its pumps, rows per table, and what was set aside."""

    schema: str
    written: datetime | None
    pumps: tuple[PumpContents, ...]
    tables: Mapping[str, int]
    quarantine: Mapping[str, Json]


def contents(connection: Connection) -> Contents:
    """What the database of this connection holds."""
    ((schema,),) = driver(connection).execute("SELECT version_num FROM alembic_version").fetchall()
    rows = cast("list[tuple[str, int]]", driver(connection).execute(_ROWS).fetchall())
    return Contents(
        schema=str(schema), written=_written(connection), pumps=_pumps(connection), tables=dict(rows), quarantine=set_aside(connection)
    )


def _pumps(connection: Connection) -> tuple[PumpContents, ...]:
    found = driver(connection).execute(_PUMPS).fetchall()
    return tuple(
        PumpContents(
            device=device, serial_number=serial, model_name=name, model_number=number, software_version=software, zone=zone, events=events,
            first=first, last=last, unread=tuple(map(str, unread_days(connection, serial))),
        )
        for device, serial, name, number, software, zone, events, first, last in cast("list[_Row]", found)
    )  # fmt: skip


_Row = tuple[int, str, str | None, str | None, str | None, str, int, datetime | None, datetime | None]


def _written(connection: Connection) -> datetime | None:
    """When a run, an upgrade or a rebuild last changed the file; None in memory."""
    found = driver(connection).execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchall()
    files = [Path(f"{path}{suffix}") for (path,) in found if path for suffix in ("", ".wal")]
    return max((datetime.fromtimestamp(int(file.stat().st_mtime), UTC) for file in files if file.exists()), default=None)
