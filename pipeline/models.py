"""The tables of the warehouse, as SQLAlchemy models. Pure; the migrations in `alembic/` make them.

An event is known for ever by (device, sequence group, sequence number), so that is the key of every table that holds one row
an event: see docs/decisions/event-identity.md. Columns end in their unit. `pump_time` is the pump's wall clock, which has no
zone; `instant` is that time under the account's zone, and `clock` says how that was found: `exact`, `ambiguous` (the hour came
twice: the first is taken), `missing` (the hour was skipped), `clock change` (a setting of the pump's clock decided it).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Boolean, DateTime, Double, ForeignKey, ForeignKeyConstraint, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

IDENTITY: Final = ("device_id", "sequence_group", "sequence_number")
"""The columns that name one event."""


class Base(DeclarativeBase):
    """What the models have in common."""


class Device(Base):
    """A pump, known by its serial number, the one name that both eras give it. The other columns are what the account's list said last."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    serial_number: Mapped[str] = mapped_column(String, unique=True)
    zone: Mapped[str] = mapped_column(String)  # IANA name under which every instant of this device was computed
    model_number: Mapped[str | None] = mapped_column(String)
    model_name: Mapped[str | None] = mapped_column(String)  # only the json eras tell it
    software_version: Mapped[str | None] = mapped_column(String)


class _Identified:
    """The key of a table with one row an event."""

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    sequence_group: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    sequence_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-2)


class _Timed:
    """When something happened."""

    pump_time: Mapped[datetime] = mapped_column(DateTime, sort_order=-1)
    instant: Mapped[datetime] = mapped_column(DateTime(timezone=True), sort_order=-1)
    clock: Mapped[str] = mapped_column(String, sort_order=-1)  # exact, ambiguous, missing, clock change


def _belongs_to(table: str) -> tuple[ForeignKeyConstraint]:
    return (ForeignKeyConstraint(IDENTITY, [f"{table}.{column}" for column in IDENTITY]),)


class RawEvent(_Identified, Base):
    """An event as received: its header, and the 16 bytes that follow."""

    __tablename__ = "raw_events"
    __table_args__ = (ForeignKeyConstraint(["device_id"], ["devices.id"]),)

    era: Mapped[str] = mapped_column(String)
    code: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[int] = mapped_column(SmallInteger)  # upper four bits of a record's first byte; the json eras do not tell it: 0
    pump_seconds: Mapped[int] = mapped_column(BigInteger)  # since 2008-01-01 on the pump's wall clock
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Event(_Identified, Base):
    """What an event is called and when it was written. A code without a known layout is called `unknown`."""

    __tablename__ = "events"
    __table_args__ = _belongs_to("raw_events")

    code: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(String)
    pump_time: Mapped[datetime | None] = mapped_column(DateTime)  # null where the header holds no possible time
    instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    clock: Mapped[str | None] = mapped_column(String)


class CgmReading(_Identified, _Timed, Base):
    """One glucose value of a sensor. Its time is that of the sensor's estimate, so a back-filled reading stands where it belongs.

    `glucose_mg_dl` is what Tandem Source shows: 39 for "low", 401 for "high", null where there was nothing to show.
    """

    __tablename__ = "cgm_readings"
    __table_args__ = _belongs_to("events")

    sensor: Mapped[str] = mapped_column(String)  # G6, G7, Libre 2, Libre 3
    glucose_mg_dl: Mapped[int | None] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(String)  # value, high, low, hidden
    rate_mg_dl_per_minute: Mapped[float | None] = mapped_column(Double)
    backfilled: Mapped[bool] = mapped_column(Boolean)


class BasalDelivery(_Identified, _Timed, Base):
    """What the pump set out to infuse for the next five minutes, in milliunits/h as stored; null where no such rate applied."""

    __tablename__ = "basal_deliveries"
    __table_args__ = _belongs_to("events")

    source: Mapped[str] = mapped_column(String)  # suspended, profile, temporary rate, algorithm, temporary rate and algorithm
    commanded_milliunits_per_hour: Mapped[int] = mapped_column(Integer)
    profile_milliunits_per_hour: Mapped[int | None] = mapped_column(Integer)
    algorithm_milliunits_per_hour: Mapped[int | None] = mapped_column(Integer)
    temporary_milliunits_per_hour: Mapped[int | None] = mapped_column(Integer)


class BolusMessage(_Identified, _Timed, Base):
    """One message of a bolus's chain (64, 65, 66, 55, 59, 280, 20, 21); a column is null where that message does not tell it."""

    __tablename__ = "bolus_messages"
    __table_args__ = _belongs_to("events")

    code: Mapped[int] = mapped_column(SmallInteger)
    bolus_id: Mapped[int] = mapped_column(Integer)
    requested_units: Mapped[float | None] = mapped_column(Double)
    delivered_units: Mapped[float | None] = mapped_column(Double)
    food_units: Mapped[float | None] = mapped_column(Double)
    correction_units: Mapped[float | None] = mapped_column(Double)
    carbs_grams: Mapped[int | None] = mapped_column(Integer)
    glucose_mg_dl: Mapped[int | None] = mapped_column(Integer)
    extended_minutes: Mapped[int | None] = mapped_column(Integer)
    bolus_type: Mapped[str | None] = mapped_column(String)
    delivery: Mapped[str | None] = mapped_column(String)
    completion: Mapped[str | None] = mapped_column(String)


class Bolus(_Identified, _Timed, Base):
    """A bolus: its messages joined to one row, known and timed by the first of them. Amounts in units of insulin.

    A bolus id is a 16-bit counter of the pump and comes again one day; the key is the first message's.
    """

    __tablename__ = "boluses"
    __table_args__ = _belongs_to("events")

    bolus_id: Mapped[int] = mapped_column(Integer)
    messages: Mapped[int] = mapped_column(Integer)
    bolus_type: Mapped[str | None] = mapped_column(String)  # insulin, carbohydrate, automatic correction, remote
    delivery: Mapped[str | None] = mapped_column(String)  # standard, extended, quick, automatic ...
    requested_units: Mapped[float | None] = mapped_column(Double)
    delivered_units: Mapped[float | None] = mapped_column(Double)
    food_units: Mapped[float | None] = mapped_column(Double)
    correction_units: Mapped[float | None] = mapped_column(Double)
    carbs_grams: Mapped[int | None] = mapped_column(Integer)
    glucose_mg_dl: Mapped[int | None] = mapped_column(Integer)
    extended_minutes: Mapped[int | None] = mapped_column(Integer)
    completion: Mapped[str | None] = mapped_column(String)  # completed, user aborted ...; null while nothing told
    completed_pump_time: Mapped[datetime | None] = mapped_column(DateTime)


class AlarmOrAlert(_Identified, _Timed, Base):
    """An alarm, alert or malfunction that was activated, acknowledged or cleared."""

    __tablename__ = "alarms_and_alerts"
    __table_args__ = _belongs_to("events")

    kind: Mapped[str] = mapped_column(String)  # alarm, alert, malfunction, cgm alert
    action: Mapped[str] = mapped_column(String)  # activated, acknowledged, cleared
    number: Mapped[int] = mapped_column(BigInteger)  # which one, in the pump's own numbering of that kind


class Quarantine(Base):
    """What could not be decoded, and why. `raw` holds what no other table keeps; null where raw_events has the record."""

    __tablename__ = "quarantine"

    id: Mapped[str] = mapped_column(String, primary_key=True)  # digest of the row, so that the same trouble twice is one row
    device_id: Mapped[int] = mapped_column(Integer, ForeignKey("devices.id"))
    sequence_group: Mapped[int | None] = mapped_column(Integer)
    sequence_number: Mapped[int | None] = mapped_column(BigInteger)
    code: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String)
    detail: Mapped[str] = mapped_column(String)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)


TABLES: Final = tuple(str(name) for name in Base.metadata.tables)  # str: SQLAlchemy's names are a subclass that orjson refuses
"""Every table's name, those that others refer to first, in the order the data travels."""
