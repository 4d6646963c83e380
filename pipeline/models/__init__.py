"""The tables of the database, as SQLAlchemy models. Pure; the migrations in `alembic/` create them.

An event is known for ever by (device, sequence group, sequence number), so that is the key of every table that holds one row
an event: see docs/decisions/event-identity.md. Columns end in their unit. `pump_time` is the pump's wall clock, which has no
zone; `instant` is that time under the account's zone, and `clock` says how that was found: `exact`, `ambiguous` (the hour came
twice: the first is taken), `missing` (the hour was skipped), `clock change` (a setting of the pump's clock decided it), `assumed` (the
clock was not right in the zone, and time went on from where it was; or it had lost its time and was not set yet).
"""

from typing import Final

from pipeline.models.alarms import AlarmOrAlert
from pipeline.models.base import IDENTITY, Base, key_of
from pipeline.models.clocks import ClockFact
from pipeline.models.events import Device, Event, Quarantine, RawEvent
from pipeline.models.glucose import BloodGlucoseReading, CgmReading, SensorSession
from pipeline.models.insulin import BasalChange, BasalDelivery, Bolus, BolusMessage, DailyTotal, Suspension
from pipeline.models.living import Carbohydrate, CartridgeOrSiteChange, ClockChange, ControlMode, UserMode
from pipeline.models.profiles import Profile, ProfileSegment, ProfileTelling
from pipeline.models.stale import StaleRange, UnsettledRange
from pipeline.models.unread import UnreadDay

MODELS: Final = (
    Device, ProfileTelling, Profile, ProfileSegment, RawEvent, Event, CgmReading, BloodGlucoseReading, SensorSession, BasalDelivery,
    BasalChange, Suspension, BolusMessage, Bolus, Carbohydrate, CartridgeOrSiteChange, AlarmOrAlert, UserMode, ControlMode, DailyTotal,
    ClockChange, Quarantine,
)  # fmt: skip
"""Every model that holds what a person looks for, those that others refer to first, in the order the data travels."""

TABLES: Final = tuple(str(model.__tablename__) for model in MODELS)
"""Their tables' names, in the same order."""

VIEWS: Final = ("profile_history", "basal_spans", "insulin_by_day", "glucose_values", "glucose_by_day", "glucose_by_span")
"""What the migrations make besides: which profiles held when (0013); durations of rates, insulin by the day, consensus metrics (0014)."""

__all__ = [
    "IDENTITY",
    "MODELS",
    "TABLES",
    "VIEWS",
    "AlarmOrAlert",
    "BasalChange",
    "BasalDelivery",
    "Base",
    "BloodGlucoseReading",
    "Bolus",
    "BolusMessage",
    "Carbohydrate",
    "CartridgeOrSiteChange",
    "CgmReading",
    "ClockChange",
    "ClockFact",
    "ControlMode",
    "DailyTotal",
    "Device",
    "Event",
    "Profile",
    "ProfileSegment",
    "ProfileTelling",
    "Quarantine",
    "RawEvent",
    "SensorSession",
    "StaleRange",
    "Suspension",
    "UnreadDay",
    "UnsettledRange",
    "UserMode",
    "key_of",
]  # fmt: skip
