"""Glucose: the readings of sensors. Pure."""

from sqlalchemy import Boolean, Double, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base, Following, Timed


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
