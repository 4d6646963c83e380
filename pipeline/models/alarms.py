"""Alarms and alerts. Pure."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Identified, Timed, belongs_to


class AlarmOrAlert(Identified, Timed, Base):
    """An alarm, alert or malfunction that was activated, acknowledged or cleared."""

    __tablename__ = "alarms_and_alerts"
    __table_args__ = belongs_to("raw_events")

    kind: Mapped[str] = mapped_column(String)  # alarm, alert, malfunction, cgm alert
    action: Mapped[str] = mapped_column(String)  # activated, acknowledged, cleared
    number: Mapped[int] = mapped_column(BigInteger)  # which one, in the pump's own numbering of that kind
