"""Generate an account: an invented person, three pumps and days of therapy, from three arguments.

`identity` decides everything that identifies, `now` every date, `therapy` everything else. So two accounts with equal `therapy` and
`now` whole weeks apart hold the same therapy, and whatever the sanitizer lets through of the rest shows as a difference.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from simulator import settings as pump_settings
from simulator.identity import Identity, PumpIdentity
from simulator.identity import identity as person_of
from simulator.therapy import sensors
from simulator.therapy.history import Span, history
from simulator.therapy.service import SERVICE
from simulator.therapy.timeline import DAY, SLOT, Timeline
from tandem.clock import seconds_of
from tandem.records import Records
from tfx.capture import Seen
from tfx.errors import UsageError
from tfx.jsonbody import Json

_STREAM: Final = 0x7E4A
_OFFSET: Final = {"us": timedelta(hours=-8), "eu": timedelta(hours=1)}
"""What the pumps' wall clocks are ahead of UTC at the end; the current one was an hour further ahead until the middle of its history.

Fixed, not the zone's own rule: a real change of clocks would come or go when `now` moves by weeks.
"""

_QUIET: Final = timedelta(minutes=30)
_RETIRED_FOR: Final = 63 * DAY
_RETIRED_LENGTH: Final = 4 * 3600
_FEWEST_DAYS: Final = 0.25
_MOST_DAYS: Final = 6000
_FIRST: Final = datetime(2009, 1, 1, tzinfo=UTC)
_LAST_YEAR: Final = 2099
"""Pumps count from 2008, and what they say of later years is taken for no time (`tandem.clock.LAST_POSSIBLE`)."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Device:
    """A pump on the account. `records` is its full history in write order, empty if it never uploaded; then the rest is None too.

    `last_upload` is aware UTC. `settings` and `legacy_settings` are those members of the bff's and of the 2025 metadata's pump.
    """

    assignment_id: str
    tconnect_device_id: int
    serial_number: str
    model_number: str
    part_number: str
    model_name: str
    software_version: str | None
    algorithm: str | None
    records: Records
    sequence_group: int
    upload_id: str
    legacy_upload_id: int
    last_upload: datetime | None
    assigned_at: datetime
    settings: dict[str, Json] | None
    legacy_settings: dict[str, Json] | None
    identity: PumpIdentity

    def __repr__(self) -> str:
        return f"Device({self.model_name}, {len(self.records)} records)"

    def secrets(self) -> tuple[Seen, ...]:
        """What identifies this pump. Its four-digit pairing and sensor codes are left out: too short to look for."""
        pairs = (
            ("assignment id", self.assignment_id),
            ("device id", str(self.tconnect_device_id)),
            ("serial number", self.serial_number),
            ("upload id", self.upload_id),
            ("upload id", str(self.legacy_upload_id)),
            ("settings id", self.identity.settings_id),
            ("settings hash", self.identity.settings_hash),
            ("transmitter id", self.identity.transmitter_id),
        )
        return tuple(Seen(kind=kind, value=value) for kind, value in pairs)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Account:
    """The account: the person, glucose thresholds in mg/dL, and the pumps, oldest first. `caregiver` only for a guardian's account."""

    email: str
    password: str
    given_name: str
    family_name: str
    date_of_birth: date
    account_id: str
    pumper_id: str
    subject: str
    country: str
    country_subdivision: str
    language: str
    role: str
    caregiver: str | None
    low_glucose: int
    high_glucose: int
    devices: tuple[Device, ...]
    region: str
    profile_names: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Account({self.region}, {self.role}, {len(self.devices)} devices)"

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def current(self) -> Device:
        """The pump with the latest events, which clients choose."""
        return max((device for device in self.devices if device.last_upload), key=lambda device: str(device.last_upload))

    def secrets(self) -> tuple[Seen, ...]:
        """Every credential, name, id and date of birth of the account and its pumps."""
        pairs = [
            ("email", self.email),
            ("password", self.password),
            ("given name", self.given_name),
            ("family name", self.family_name),
            ("full name", self.name),
            ("date of birth", self.date_of_birth.isoformat()),
            ("account id", self.account_id),
            ("pumper id", self.pumper_id),
            ("subject", self.subject),
            *(("profile name", name) for name in self.profile_names),
            *([("caregiver", self.caregiver)] if self.caregiver else []),
        ]
        own = tuple(Seen(kind=kind, value=value) for kind, value in pairs)
        return own + tuple(secret for device in self.devices for secret in device.secrets())


def account(
    *,
    identity: int = 1,
    therapy: int = 1,
    now: datetime,
    days: float = 3,
    region: str = "us",
    guardian: bool = False,
    density: float | None = None,
) -> Account:
    """An invented account; the history of its current pump ends half an hour before `now` (aware).

    `days` (0.25 and more) is how long that history is; its first three hours are taken by setting the pump up. `density` is the share of
    the five-minute delivery records (279, and the rate changes and totals they bring) that the pump writes: 1 by default, but 0.25 for
    one day or less, so that a committed cassette of a day stays small; readings, boluses and alarms are never thinned.
    Raises UsageError for arguments out of range.
    """
    density = density if density is not None else (1.0 if days > 1 else 0.25)
    if now.tzinfo is None or region not in _OFFSET or not 0 < density <= 1:
        raise UsageError(
            f"an account needs an aware now, a region of {', '.join(_OFFSET)} and a density up to 1, "
            f"not region {region}, density {density}{'' if now.tzinfo else ', a now without a zone'}"
        )
    if not _FEWEST_DAYS <= days <= min(_MOST_DAYS, (now - _FIRST).days) or now.year > _LAST_YEAR:
        raise UsageError(
            f"an invented history is {_FEWEST_DAYS} to {_MOST_DAYS} days long and lies between {_FIRST.year} and {_LAST_YEAR}, and not "
            f"{days:g} days before {now:%Y-%m-%d}; ask for other days, or set another --now"
        )
    who = person_of(identity)
    now = now.astimezone(UTC).replace(second=0, microsecond=0)
    rng = np.random.default_rng([_STREAM, therapy])
    chosen = pump_settings.draw(rng)
    return Account(
        email=who.email,
        password=who.password,
        given_name=who.given_name,
        family_name=who.family_name,
        date_of_birth=who.date_of_birth,
        account_id=who.account_id,
        pumper_id=who.pumper_id,
        subject=who.subject,
        country={"us": "US", "eu": "DE"}[region],
        country_subdivision={"us": "US-CA", "eu": "DE-BY"}[region],
        language={"us": "en-US", "eu": "de-DE"}[region],
        role="personal_guardian" if guardian else "personal_standard",
        caregiver=who.caregiver if guardian else None,
        low_glucose=70,
        high_glucose=180,
        devices=_devices(who, chosen, now, used=round(days * DAY / SLOT) * SLOT, density=density, region=region, rng=rng),
        region=region,
        profile_names=who.profile_names,
    )


def _devices(
    who: Identity, chosen: pump_settings.Settings, now: datetime, *, used: int, density: float, region: str, rng: np.random.Generator
) -> tuple[Device, ...]:
    length = used - SERVICE
    end = seconds_of((now - _QUIET + _OFFSET[region]).replace(tzinfo=None))
    # An odd moment of the middle, so that the change is no slot of the sensor's.
    current = Timeline(start=end - used + 3600, change_at=SERVICE + length // 2 + 137, change_by=-3600)
    retired = Timeline(start=current.start - _RETIRED_FOR - SLOT - _RETIRED_LENGTH, change_at=used * 1000, change_by=0)
    old_settings = pump_settings.draw(rng, closed_loop=False)
    old = Span(timeline=retired, length=_RETIRED_LENGTH, density=min(density, 0.5), family=sensors.G6, serviced=False)
    new = Span(timeline=current, length=length, density=density, family=sensors.G7, serviced=True)
    version = int(rng.integers(0, 4))
    powered_up = now - _QUIET - timedelta(seconds=used)
    return (
        _device(
            who, 0, old_settings, history(old, who.pumps[0], old_settings, who.profile_names, rng), model=_SLIM_BASAL_IQ,
            software=f"6.4.{version}.1", uploaded=powered_up - timedelta(seconds=_RETIRED_FOR, milliseconds=-503_118),
            assigned=powered_up - timedelta(days=1400, milliseconds=-63),
        ),
        _device(
            who, 1, chosen, history(new, who.pumps[1], chosen, who.profile_names, rng), model=_SLIM_CONTROL_IQ,
            software=f"7.8.{version}.0", uploaded=now - timedelta(minutes=11, milliseconds=-497),
            assigned=powered_up - timedelta(minutes=20, milliseconds=-416),
        ),
        _device(
            who, 2, None, Records.join(()), model=_MOBI, software=None, uploaded=None,
            assigned=now - timedelta(minutes=55, milliseconds=-28),
        ),
    )  # fmt: skip


_SLIM_BASAL_IQ: Final = ("1000354", "1006551", "t:slim X2™ Insulin Pump", "Basal-IQ")
_SLIM_CONTROL_IQ: Final = ("1002717", "1011979", "t:slim X2™ Insulin Pump", "Control-IQ")
_MOBI: Final = ("1004000", "1013765", "Tandem Mobi™ System", None)
"""Model number, part number, model name, algorithm."""


def _device(
    who: Identity,
    place: int,
    chosen: pump_settings.Settings | None,
    records: Records,
    *,
    model: tuple[str, str, str, str | None],
    software: str | None,
    uploaded: datetime | None,
    assigned: datetime,
) -> Device:
    pump = who.pumps[place]
    return Device(
        assignment_id=pump.assignment_id,
        tconnect_device_id=pump.tconnect_device_id,
        serial_number=pump.serial_number,
        model_number=model[0],
        part_number=model[1],
        model_name=model[2],
        software_version=software,
        algorithm=model[3],
        records=records,
        sequence_group=0,
        upload_id=pump.upload_id,
        legacy_upload_id=pump.legacy_upload_id,
        last_upload=uploaded,
        assigned_at=assigned,
        settings=pump_settings.bff_settings(chosen, who.profile_names, pump, uploaded) if chosen and uploaded else None,
        legacy_settings=pump_settings.legacy_settings(chosen, who.profile_names, model[1]) if chosen and uploaded else None,
        identity=pump,
    )
