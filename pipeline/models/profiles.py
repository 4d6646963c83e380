"""Profiles. Pure."""

from sqlalchemy import Boolean, Double, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base


class Profile(Base):
    """A profile of a pump as the account's list told it last (the events that tell profiles have no published layout)."""

    __tablename__ = "profiles"

    device_id: Mapped[int] = mapped_column(Integer, ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # the pump's own; basal_changes name it
    name: Mapped[str] = mapped_column(String)
    active: Mapped[bool] = mapped_column(Boolean)
    insulin_duration_minutes: Mapped[int] = mapped_column(Integer)
    most_bolus_milliunits: Mapped[int] = mapped_column(Integer)


class ProfileSegment(Base):
    """One stretch of a profile's day, from its start to the next one's."""

    __tablename__ = "profile_segments"

    device_id: Mapped[int] = mapped_column(Integer, ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # of the profile
    segment: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # from 0 in the order told
    start_minutes: Mapped[int] = mapped_column(Integer)  # since midnight
    basal_milliunits_per_hour: Mapped[int] = mapped_column(Integer)
    carb_ratio_grams_per_unit: Mapped[float] = mapped_column(Double)
    target_mg_dl: Mapped[int] = mapped_column(Integer)
    correction_mg_dl_per_unit: Mapped[int] = mapped_column(Integer)
