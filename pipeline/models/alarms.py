"""Alarms and alerts. Pure."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Identified, Timed, belongs_to


class AlarmOrAlert(Identified, Timed, Base):
    """An alarm, alert or malfunction: activated, acknowledged, cleared, in a row. Malfunctions are never reported as cleared."""

    __tablename__ = "alarms_and_alerts"
    __table_args__ = belongs_to("raw_events")

    kind: Mapped[str] = mapped_column(String)  # alarm, alert, malfunction, cgm alert
    number: Mapped[int] = mapped_column(BigInteger)  # which one, in the pump's own numbering of that kind
    opened: Mapped[bool] = mapped_column(Boolean)  # false where the activation is not stored: the row begins with what came after it
    messages: Mapped[int] = mapped_column(Integer)
    acknowledged_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    acknowledged_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cleared_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    cleared_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
