"""Tables about pump clocks, from which every stored instant is computed. Pure."""

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base


class ClockFact(Base):
    """One thing known of a pump's clock; written in the transaction that stores the events it is known from.

    `kind`: `set` (events 13 and 14: from this sequence number on it showed `shift_seconds` more, `pump_seconds` then), `jumped` (the same,
    known only from a jump where summer time ends), `unset` (at `moment`, Unix seconds, the zone's offset changed and the pump's did not),
    `broke` (from this sequence number on it showed `shift_seconds` more and no setting says so: it lost its time), `settled` (every stored
    instant of the device and group is as these facts have it, but for those in unsettled_ranges).
    """

    __tablename__ = "clock_facts"

    device_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sequence_group: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String, primary_key=True)
    sequence_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    moment: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    shift_seconds: Mapped[int] = mapped_column(BigInteger)
    pump_seconds: Mapped[int] = mapped_column(BigInteger)
