"""What the models have in common: the key of an event, its time, and what a foreign key to it looks like. Pure."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

IDENTITY: Final = ("device_id", "sequence_group", "sequence_number")
"""The columns that name one event."""


class Base(DeclarativeBase):
    """What the models have in common."""


class Identified:
    """The key of a table with one row an event."""

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    sequence_group: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    sequence_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-2)


class Timed:
    """When something happened."""

    pump_time: Mapped[datetime] = mapped_column(DateTime, sort_order=-1)
    instant: Mapped[datetime] = mapped_column(DateTime(timezone=True), sort_order=-1)
    clock: Mapped[str] = mapped_column(String, sort_order=-1)  # exact, ambiguous, missing, clock change


def belongs_to(table: str) -> tuple[ForeignKeyConstraint]:
    """A foreign key by the identity."""
    return (ForeignKeyConstraint(IDENTITY, [f"{table}.{column}" for column in IDENTITY]),)
