"""The tables of event ranges whose instants or derived rows must be computed again. Pure."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base


class _Range:
    """Sequence numbers of one device and group."""

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sequence_group: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)


class UnsettledRange(_Range, Base):
    """Sequence numbers among which stored instants, and their `clock`, may not follow clock_facts yet; none after a whole run.

    It is written in the transaction that stores new facts. Instants are then computed again piece by piece, each piece in a transaction
    that also shortens the range, so a run that is cut short is completed by the next.
    """

    __tablename__ = "unsettled_ranges"


class StaleRange(_Range, Base):
    """Sequence numbers among which events came or got other times since the derived tables were worked out; none after a whole run.

    It is written in the transaction that stores a window or settles instants, and shortened in those that work the tables out piece by
    piece, so a run that is cut short between them is completed by the next.
    """

    __tablename__ = "stale_ranges"
