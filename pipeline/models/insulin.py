"""Insulin: basal rates and boluses. Pure."""

from datetime import datetime

from sqlalchemy import DateTime, Double, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Following, Identified, Timed, belongs_to


class BasalDelivery(Following, Timed, Base):
    """What the pump set out to infuse for the next five minutes, in milliunits/h as stored; null where no such rate applied."""

    __tablename__ = "basal_deliveries"

    source: Mapped[str] = mapped_column(String)  # suspended, profile, temporary rate, algorithm, temporary rate and algorithm
    commanded_milliunits_per_hour: Mapped[int] = mapped_column(Integer)
    profile_milliunits_per_hour: Mapped[int | None] = mapped_column(Integer)
    algorithm_milliunits_per_hour: Mapped[int | None] = mapped_column(Integer)
    temporary_milliunits_per_hour: Mapped[int | None] = mapped_column(Integer)


class BolusMessage(Identified, Timed, Base):
    """One message of a bolus's chain (64, 65, 66, 55, 59, 280, 20, 21); a column is null where that message does not tell it."""

    __tablename__ = "bolus_messages"
    __table_args__ = belongs_to("raw_events")

    code: Mapped[int] = mapped_column(SmallInteger)
    bolus_id: Mapped[int] = mapped_column(Integer)
    requested_units: Mapped[float | None] = mapped_column(Double)
    delivered_units: Mapped[float | None] = mapped_column(Double)
    food_units: Mapped[float | None] = mapped_column(Double)
    correction_units: Mapped[float | None] = mapped_column(Double)
    carbs_grams: Mapped[int | None] = mapped_column(Integer)
    glucose_mg_dl: Mapped[int | None] = mapped_column(Integer)
    extended_minutes: Mapped[int | None] = mapped_column(Integer)
    bolus_type: Mapped[str | None] = mapped_column(String)
    delivery: Mapped[str | None] = mapped_column(String)
    completion: Mapped[str | None] = mapped_column(String)


class Bolus(Identified, Timed, Base):
    """A bolus: its messages joined to one row, known and timed by the first of them. Amounts in units of insulin.

    A bolus id is a 16-bit counter of the pump and comes again one day; the key is the first message's.
    """

    __tablename__ = "boluses"
    __table_args__ = belongs_to("raw_events")

    bolus_id: Mapped[int] = mapped_column(Integer)
    messages: Mapped[int] = mapped_column(Integer)
    bolus_type: Mapped[str | None] = mapped_column(String)  # insulin, carbohydrate, automatic correction, remote
    delivery: Mapped[str | None] = mapped_column(String)  # standard, extended, quick, automatic ...
    requested_units: Mapped[float | None] = mapped_column(Double)
    delivered_units: Mapped[float | None] = mapped_column(Double)
    food_units: Mapped[float | None] = mapped_column(Double)
    correction_units: Mapped[float | None] = mapped_column(Double)
    carbs_grams: Mapped[int | None] = mapped_column(Integer)
    glucose_mg_dl: Mapped[int | None] = mapped_column(Integer)
    extended_minutes: Mapped[int | None] = mapped_column(Integer)
    completion: Mapped[str | None] = mapped_column(String)  # completed, user aborted ...; null while nothing told
    completed_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
