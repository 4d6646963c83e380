"""tandem-fetch's way from records to tables through an ORM, rebuilt from its description for comparison.

What it does (otimgren/tandem-fetch, 2026-02): tconnectsync's generated parser makes an object an event; each becomes a dict, JSON, an
ORM object in `raw_events`; they are read back a thousand at a time, their JSON read again, their times parsed from text, and each becomes
an ORM object with JSON in `events`; readings and basal deliveries are then cut out of that JSON in SQL. Kinder than the original: one
engine for all, no Prefect, and only the codes it knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime

import numpy as np
from sqlalchemy import JSON, DateTime, Engine, Integer, Sequence, String, create_engine, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool
from tconnectsync.eventparser.generic import Events

from tandem.records import Records

BATCH = 1000
UNKNOWN_TO_IT = (36, 37, 48, 81, 477, 480, 486)


class Base(DeclarativeBase):
    pass


class RawRow(Base):
    __tablename__ = "orm_raw_events"
    id: Mapped[int] = mapped_column(Integer, Sequence("orm_raw_events_id"), primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime, default=func.now())
    raw_event_data: Mapped[dict[str, object]] = mapped_column(JSON)


class EventRow(Base):
    __tablename__ = "orm_events"
    id: Mapped[int] = mapped_column(Integer, Sequence("orm_events_id"), primary_key=True)
    raw_events_id: Mapped[int] = mapped_column(Integer, unique=True)
    created: Mapped[datetime] = mapped_column(DateTime, default=func.now())
    timestamp: Mapped[datetime] = mapped_column(DateTime)
    event_id: Mapped[int] = mapped_column(Integer)
    event_name: Mapped[str] = mapped_column(String)
    event_data: Mapped[dict[str, object]] = mapped_column(JSON)


CUTS = (
    """CREATE TABLE orm_cgm_readings AS
       SELECT id, timestamp, CAST(json_extract_string(event_data, '$.currentGlucoseDisplayValue') AS INTEGER) AS reading
       FROM orm_events WHERE event_name LIKE 'LID_CGM_DATA%'""",
    """CREATE TABLE orm_basal_deliveries AS
       SELECT id, timestamp, CAST(json_extract_string(event_data, '$.commandedRate') AS INTEGER) AS rate
       FROM orm_events WHERE event_name = 'LID_BASAL_DELIVERY'""",
)


def known(records: Records) -> Records:
    """Those it has a class for; the first other one would end its run."""
    from tconnectsync.eventparser.events import EVENT_IDS

    codes = [code for code in EVENT_IDS if code not in UNKNOWN_TO_IT]
    return records.take(np.isin(records.code, codes))


def stored(records: Records) -> Engine:
    """Every step, into a database in memory."""
    engine = create_engine("duckdb:///:memory:", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([RawRow(raw_event_data=plain(event)) for event in Events(records.to_bytes())])
        session.commit()
    with Session(engine) as session:
        for batch in unread(session):
            session.add_all([named(row) for row in batch])
            session.commit()
        for cut in CUTS:
            session.execute(text(cut))
        session.commit()
    return engine


def plain(event: object) -> dict[str, object]:
    said: dict[str, object] = jsonable(asdict(event))  # type: ignore[call-overload, assignment]  # tconnectsync ships no types
    return said | {"event_timestamp": event.eventTimestamp.isoformat(), "event_id": event.eventId}  # type: ignore[attr-defined]  # the same


def jsonable(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: jsonable(one) for name, one in value.items()}
    return value.hex() if isinstance(value, bytes | bytearray) else value


def unread(session: Session) -> Iterator[list[RawRow]]:
    query = session.query(RawRow).outerjoin(EventRow, RawRow.id == EventRow.raw_events_id).filter(EventRow.id.is_(None)).order_by(RawRow.id)
    while batch := query.limit(BATCH).all():
        yield batch


def named(row: RawRow) -> EventRow:
    from dateutil import parser  # type: ignore[import-untyped]  # ships no types
    from tconnectsync.eventparser.events import EVENT_IDS

    told = dict(row.raw_event_data)
    told.pop("raw")
    code = int(str(told["event_id"]))
    when = parser.parse(str(told["event_timestamp"])).replace(tzinfo=None)
    return EventRow(timestamp=when, raw_events_id=row.id, event_id=code, event_name=EVENT_IDS[code].NAME, event_data=told)
