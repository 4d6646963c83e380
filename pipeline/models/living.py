"""Other tables: carbohydrates, cartridge and site changes, modes, clock changes. Pure."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, DateTime, Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Identified, Timed, belongs_to


class Carbohydrate(Identified, Timed, Base):
    """Carbohydrates entered. Those of a bolus are in `boluses.carbs_grams` as well: the pump tells both, a moment apart."""

    __tablename__ = "carbohydrates"
    __table_args__ = belongs_to("raw_events")

    carbs_grams: Mapped[float] = mapped_column(Double)


class CartridgeOrSiteChange(Identified, Timed, Base):
    """A cartridge, the tubing or a cannula filled. Changing a site takes the last of them, sometimes all three."""

    __tablename__ = "cartridge_and_site_changes"
    __table_args__ = belongs_to("raw_events")

    part: Mapped[str] = mapped_column(String)  # cartridge, tubing, cannula
    units: Mapped[float | None] = mapped_column(Double)  # of insulin: in the cartridge, or used to prime; null where not measured
    completion: Mapped[str | None] = mapped_column(String)  # completed, user aborted ...; a cartridge has none


class UserMode(Identified, Timed, Base):
    """A mode of the person, until the next: normal, sleep, exercise."""

    __tablename__ = "user_modes"
    __table_args__ = belongs_to("raw_events")

    opened: Mapped[bool] = mapped_column(Boolean)  # always true: each message begins a row
    mode: Mapped[str] = mapped_column(String)
    previous_mode: Mapped[str] = mapped_column(String)
    requested: Mapped[str] = mapped_column(String)  # what the person asked for; none where a schedule or a timer did it
    exercise_minutes: Mapped[int | None] = mapped_column(Integer)  # as set beforehand
    ended_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    ended_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ControlMode(Identified, Timed, Base):
    """Who decides on basal insulin, until the next: open loop (the profile), closed loop (the algorithm)."""

    __tablename__ = "control_modes"
    __table_args__ = belongs_to("raw_events")

    opened: Mapped[bool] = mapped_column(Boolean)  # always true: each message begins a row
    mode: Mapped[str] = mapped_column(String)  # none, open loop, pining, closed loop
    previous_mode: Mapped[str] = mapped_column(String)
    suspended: Mapped[bool] = mapped_column(Boolean)
    sensor_available: Mapped[bool] = mapped_column(Boolean)
    closed_loop_preferred: Mapped[bool] = mapped_column(Boolean)
    ended_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    ended_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ClockChange(Identified, Timed, Base):
    """The pump's clock was set: its time of day, in milliseconds since midnight, or its date. `pump_time` is on the new clock."""

    __tablename__ = "clock_changes"
    __table_args__ = belongs_to("raw_events")

    kind: Mapped[str] = mapped_column(String)  # time, date
    milliseconds_before: Mapped[int | None] = mapped_column(Integer)
    milliseconds_after: Mapped[int | None] = mapped_column(Integer)
    day_before: Mapped[date | None] = mapped_column(Date)
    day_after: Mapped[date | None] = mapped_column(Date)
