"""Tables of profiles, as each upload reported them. Pure."""

from datetime import datetime

from sqlalchemy import Boolean, DateTime, Double, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.models.base import Base


class ProfileTelling(Base):
    """What one upload says of a pump's profiles: which `version` it has (the events about profiles have no published layout).

    The account's list tells the latest upload alone, so this history has what was asked for: a row an upload that some run met.
    """

    __tablename__ = "profile_tellings"

    id: Mapped[str] = mapped_column(String, primary_key=True)  # digest of the row, so that the same upload, received twice, is one row
    device_id: Mapped[int] = mapped_column(Integer, ForeignKey("devices.id"))
    uploaded: Mapped[datetime | None] = mapped_column(DateTime)  # as received, to the second; no source says in which zone. Null: none
    version: Mapped[str] = mapped_column(String)


class Profile(Base):
    """A profile of a pump, in one of the versions that uploads have. What was in force when: the view profile_history."""

    __tablename__ = "profiles"

    device_id: Mapped[int] = mapped_column(Integer, ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String, primary_key=True)  # digest of all profiles of the pump: equal words, equal version
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # the pump's own; basal_changes name it
    name: Mapped[str] = mapped_column(String)
    active: Mapped[bool] = mapped_column(Boolean)
    insulin_duration_minutes: Mapped[int] = mapped_column(Integer)
    most_bolus_milliunits: Mapped[int] = mapped_column(Integer)


class ProfileSegment(Base):
    """One stretch of a profile's day, from its start to the next one's."""

    __tablename__ = "profile_segments"

    device_id: Mapped[int] = mapped_column(Integer, ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # of the profile
    segment: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # from 0 in the order received
    start_minutes: Mapped[int] = mapped_column(Integer)  # since midnight
    basal_milliunits_per_hour: Mapped[int] = mapped_column(Integer)
    carb_ratio_grams_per_unit: Mapped[float] = mapped_column(Double)
    target_mg_dl: Mapped[int] = mapped_column(Integer)
    correction_mg_dl_per_unit: Mapped[int] = mapped_column(Integer)
