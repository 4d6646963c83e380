"""The table of days that must be requested again. Pure."""

from datetime import date

from sqlalchemy import Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base


class UnreadDay(Base):
    """A day of the pump's wall clock that an answer nobody could read stood for; none once a healthy answer has come for it.

    It is written in the transaction that puts the answer into the quarantine, so that no later run takes the hole for an empty day.
    """

    __tablename__ = "unread_days"

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
