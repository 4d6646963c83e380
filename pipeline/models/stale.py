"""The table of event ranges whose derived rows must be computed again. Pure."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base


class StaleRange(Base):
    """Sequence numbers among which events came or got other times since the derived tables were worked out; none after a whole run.

    It is written in the transaction that stores a window and emptied in the one that works the tables out, so a run that is cut
    short between the two is completed by the next.
    """

    __tablename__ = "stale_ranges"

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sequence_group: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
