"""The table `devices`: the number, the zone and the last stored day of each pump."""

from datetime import date, datetime
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Engine

from pipeline.receive.plans import latest_wall
from pipeline.receive.pumps import Pump
from pipeline.store import unread_days
from pipeline.store.engine import driver
from pipeline.store.profiles import remember
from tandem.windows import Window
from tfx.errors import UsageError


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises UsageError for any other."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise UsageError(f"there is no time zone called {name!r}; name one like Europe/Berlin with --zone") from e


_DEVICE: Final = "SELECT id, zone, model_number, model_name, software_version FROM devices WHERE serial_number = $1"


def register(connection: Connection, pump: Pump, *, zone: ZoneInfo) -> int:
    """The device's number in this warehouse, given when it is first met; what the account says of it is brought up to date.

    Raises UsageError if its instants were computed under another zone: half a table in another zone would be silently wrong.
    """
    known = driver(connection).execute(_DEVICE, [pump.serial_number]).fetchall()
    said = [pump.model_number, pump.model_name, pump.software_version]
    if not known:
        driver(connection).execute(
            "INSERT INTO devices (id, serial_number, zone, model_number, model_name, software_version) "
            "SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5 FROM devices",
            [pump.serial_number, zone.key, *said],
        )
        return register(connection, pump, zone=zone)
    device_id, computed_under, *before = cast("tuple[int, str, *tuple[str | None, ...]]", known[0])
    if computed_under != zone.key:
        raise UsageError(
            f"this database holds the pump's instants under the zone {computed_under}; continue with --zone {computed_under}, "
            f"or start another database for {zone.key}"
        )
    if any(new not in (None, old) for new, old in zip(said, before, strict=True)):
        driver(connection).execute(
            "UPDATE devices SET model_number = coalesce($2, model_number), model_name = coalesce($3, model_name), "
            "software_version = coalesce($4, software_version) WHERE id = $1",
            [device_id, *said],
        )
    remember(connection, device_id, pump.settings, pump.uploaded)
    return device_id


def last_day(engine: Engine, pump: Pump, now: datetime) -> date | None:
    """The last day of which the warehouse has events of this pump, on the pump's wall clock; None if it has none.

    Events of the future do not count: one would keep every later run from asking for what came before it.
    """
    query = "SELECT max(pump_time)::DATE FROM events JOIN devices ON devices.id = device_id WHERE serial_number = $1 AND pump_time <= $2"
    with engine.connect() as connection:
        found = driver(connection).execute(query, [pump.serial_number, latest_wall(now)]).fetchall()
        return cast("date | None", found[0][0])


def unread(engine: Engine, pump: Pump) -> tuple[Window, ...]:
    """The days of this pump whose answers nobody could read."""
    with engine.connect() as connection:
        return unread_days.unread_days(connection, pump.serial_number)


def zones(connection: Connection) -> tuple[str, ...]:
    """The zones under which the pumps' instants are kept, by name."""
    found = driver(connection).execute("SELECT DISTINCT zone FROM devices ORDER BY zone").fetchall()
    return tuple(str(zone) for (zone,) in found)


def zone_of(connection: Connection, device_id: int) -> ZoneInfo:
    """The zone under which the instants of this device are kept."""
    ((name,),) = driver(connection).execute("SELECT zone FROM devices WHERE id = $1", [device_id]).fetchall()
    return zone_named(str(name))


def zone_for(engine: Engine, name: str | None) -> ZoneInfo:
    """The zone of that name; where none is named, the one everything there is kept under, and UTC where that is none."""
    with engine.connect() as connection:
        kept = zones(connection)
    if name is None:
        name = kept[0] if len(kept) == 1 else "UTC"
    return zone_named(name)
