"""What all models share: the key of an event, its time columns, and the foreign key to it. Pure."""

from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Integer, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

IDENTITY: Final = ("device_id", "sequence_group", "sequence_number")
"""The columns that name one event."""


class Base(DeclarativeBase):
    """What the models have in common."""


class Identified:
    """The key of a table with one row an event, kept by an index."""

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    sequence_group: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, sort_order=-2)
    sequence_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-2)


class Following:
    """The same key in a table that grows as fast as raw_events: no index of its own, its rows come of the new ones of raw_events.

    Why, and what it saves: docs/decisions/keys-that-pay.md.
    """

    __mapper_args__: ClassVar[dict[str, object]] = {"primary_key": list(IDENTITY)}

    device_id: Mapped[int] = mapped_column(Integer, sort_order=-2)
    sequence_group: Mapped[int] = mapped_column(Integer, sort_order=-2)
    sequence_number: Mapped[int] = mapped_column(BigInteger, sort_order=-2)


class Timed:
    """When something happened."""

    pump_time: Mapped[datetime] = mapped_column(DateTime, sort_order=-1)
    instant: Mapped[datetime] = mapped_column(DateTime(timezone=True), sort_order=-1)
    clock: Mapped[str] = mapped_column(String, sort_order=-1)  # exact, ambiguous, missing, clock change, assumed


def belongs_to(table: str) -> tuple[ForeignKeyConstraint]:
    """A foreign key by the identity, to a table that keeps an index for it."""
    return (ForeignKeyConstraint(IDENTITY, [f"{table}.{column}" for column in IDENTITY]),)


def key_of(table: Table) -> tuple[str, ...]:
    """The columns that name one row of a table, whether an index keeps them or not."""
    return tuple(column.name for column in table.primary_key) or IDENTITY
