"""The basic tables: devices, raw events, events by name, and the quarantine. Pure."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Following, Identified


class Device(Base):
    """A pump, known by its serial number, the one name that both eras give it. The other columns are what the account's list said last."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    serial_number: Mapped[str] = mapped_column(String, unique=True)
    zone: Mapped[str] = mapped_column(String)  # IANA name under which every instant of this device was computed
    model_number: Mapped[str | None] = mapped_column(String)
    model_name: Mapped[str | None] = mapped_column(String)  # only the json eras tell it
    software_version: Mapped[str | None] = mapped_column(String)


class RawEvent(Identified, Base):
    """An event as received: its header, and the 16 bytes that follow."""

    __tablename__ = "raw_events"

    era: Mapped[str] = mapped_column(String)
    code: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[int] = mapped_column(SmallInteger)  # upper four bits of a record's first byte; the json eras do not tell it: 0
    pump_seconds: Mapped[int] = mapped_column(BigInteger)  # since 2008-01-01 on the pump's wall clock
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Event(Following, Base):
    """What an event is called and when it was written. A code without a known layout is called `unknown`."""

    __tablename__ = "events"

    code: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(String)
    pump_time: Mapped[datetime | None] = mapped_column(DateTime)  # null where the header holds no possible time
    instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    clock: Mapped[str | None] = mapped_column(String)


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
