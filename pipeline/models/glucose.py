"""Tables about glucose: sensor readings, entered values, sensor sessions. Pure."""

from datetime import datetime

from sqlalchemy import Boolean, DateTime, Double, Integer, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Following, Identified, Timed, belongs_to


class CgmReading(Following, Timed, Base):
    """One glucose value of a sensor. Its time is that of the sensor's estimate, so a back-filled reading stands where it belongs.

    `glucose_mg_dl` is what Tandem Source shows: 39 for "low", 401 for "high", null where there was nothing to show.
    """

    __tablename__ = "cgm_readings"

    sensor: Mapped[str] = mapped_column(String)  # G6, G7, Libre 2, Libre 3
    glucose_mg_dl: Mapped[int | None] = mapped_column(SmallInteger)
    status: Mapped[str] = mapped_column(String)  # value, high, low, hidden
    rate_mg_dl_per_minute: Mapped[float | None] = mapped_column(Double)
    backfilled: Mapped[bool] = mapped_column(Boolean)


class BloodGlucoseReading(Identified, Timed, Base):
    """Glucose entered on the pump, with the insulin on board at that moment."""

    __tablename__ = "blood_glucose_readings"
    __table_args__ = belongs_to("raw_events")

    glucose_mg_dl: Mapped[int] = mapped_column(SmallInteger)
    entered: Mapped[str] = mapped_column(String)  # by hand, from the sensor
    place: Mapped[str] = mapped_column(String)  # pump, remote
    calibration: Mapped[bool] = mapped_column(Boolean)  # whether it was given to the sensor as well
    target_mg_dl: Mapped[int | None] = mapped_column(SmallInteger)
    insulin_on_board_units: Mapped[float] = mapped_column(Double)


class SensorSession(Identified, Timed, Base):
    """A sensor's session: started, joined (again after every loss), stopped. The pump sees the start of G6 and Libre 2 only."""

    __tablename__ = "sensor_sessions"
    __table_args__ = belongs_to("raw_events")

    sensor: Mapped[str] = mapped_column(String)  # G6, G7, Libre 2, Libre 3
    opened: Mapped[bool] = mapped_column(Boolean)  # whether the start is stored
    messages: Mapped[int] = mapped_column(Integer)
    joins: Mapped[int] = mapped_column(Integer)
    duration_days: Mapped[int | None] = mapped_column(SmallInteger)  # how long such a sensor lasts
    joined_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    joined_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stopped_pump_time: Mapped[datetime | None] = mapped_column(DateTime)
    stopped_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stop_reason: Mapped[int | None] = mapped_column(SmallInteger)  # the sensor's own number: each family has its list
