"""Tables about insulin: basal rates, suspensions, boluses, and the pump's own totals. Pure."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, DateTime, Double, Integer, SmallInteger, String
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


class BolusMessage(Following, Timed, Base):
    """One message of a bolus's chain (64, 65, 66, 55, 59, 280, 20, 21); a column is null where that message does not tell it."""

    __tablename__ = "bolus_messages"

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
    completion: Mapped[str | None] = mapped_column(String)  # completed, user aborted ...; null while not reported
    completed_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    completed_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class BasalChange(Following, Timed, Base):
    """The basal rate was set to another one, in units/h as the pump tells it here (basal_deliveries are in milliunits/h)."""

    __tablename__ = "basal_changes"

    change: Mapped[str | None] = mapped_column(String)  # timed segment, new profile, temporary rate started ...; several with commas
    profile: Mapped[int] = mapped_column(Integer)  # number of the profile in force
    commanded_units_per_hour: Mapped[float] = mapped_column(Double)
    base_units_per_hour: Mapped[float] = mapped_column(Double)
    most_units_per_hour: Mapped[float] = mapped_column(Double)


class Suspension(Identified, Timed, Base):
    """Insulin suspended and resumed. Both reasons and amounts are those of the suspension."""

    __tablename__ = "suspensions"
    __table_args__ = belongs_to("raw_events")

    opened: Mapped[bool] = mapped_column(Boolean)  # false where the suspension is not stored: the row begins with the resumption
    messages: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String)  # user, alarm, malfunction, predicted low glucose
    reservoir_units: Mapped[int | None] = mapped_column(Integer)
    resumed_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    resumed_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DailyTotal(Identified, Timed, Base):
    """What the pump counted since midnight of `day` (its wall clock), as last reported that day. The key is the day's first message."""

    __tablename__ = "daily_totals"
    __table_args__ = belongs_to("raw_events")

    day: Mapped[date] = mapped_column(Date)
    messages: Mapped[int] = mapped_column(Integer)
    basal_units: Mapped[float] = mapped_column(Double)  # from midnight to told_pump_time
    basal_units_per_hour: Mapped[float] = mapped_column(Double)
    insulin_on_board_units: Mapped[float] = mapped_column(Double)
    battery_percent: Mapped[int] = mapped_column(SmallInteger)
    battery_millivolts: Mapped[int] = mapped_column(Integer)
    told_pump_time: Mapped[datetime] = mapped_column(DateTime)
    told_instant: Mapped[datetime] = mapped_column(DateTime(timezone=True))
