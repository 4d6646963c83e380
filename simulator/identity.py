"""Everything that identifies an invented person, generated from one number and nothing else.

Two accounts of different `identity` and equal `therapy` differ in exactly these values and what is computed from them, which is
what the sanitizer must not let through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from simulator.names import AWKWARD, FAMILY, GIVEN, MAIL_HOSTS, WORDS, plain

_DIGITS_AND_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRSTUWXY"  # without I, O, V and Z, as on transmitters
_STREAM: Final = 0x1DE57177


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PumpIdentity:
    """What identifies one pump, or links two copies of its history.

    `rtc` is its millisecond counter at power-up, `transmitter_clock` the age of its G6 transmitter in seconds, `bolus_base` and
    `sequence_base` the counters before its first bolus and record; all leave room to count on without wrapping.
    """

    assignment_id: str
    tconnect_device_id: int
    serial_number: str
    upload_id: str
    legacy_upload_id: int
    settings_id: str
    settings_hash: str
    sequence_base: int
    bolus_base: int
    rtc: int
    transmitter_id: str
    transmitter_clock: int
    pairing_code: str
    sensor_code: str
    session_signature: int
    log_entries: int

    def __repr__(self) -> str:
        return "PumpIdentity()"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Identity:
    """A person: `profile_names` are what this person calls the profiles on the pump (at most 16 ASCII characters)."""

    email: str
    password: str
    given_name: str
    family_name: str
    date_of_birth: date
    account_id: str
    pumper_id: str
    subject: str
    caregiver: str
    profile_names: tuple[str, str]
    pumps: tuple[PumpIdentity, ...]

    def __repr__(self) -> str:
        return f"Identity({len(self.pumps)} pumps)"


def identity(number: int, *, pumps: int = 3) -> Identity:
    """The person of that number. Neighbouring numbers never share a name, a mail address or a serial number."""
    rng = np.random.default_rng([_STREAM, number])
    given, family = GIVEN[number % len(GIVEN)], FAMILY[(number * 7 + number // len(GIVEN)) % len(FAMILY)]
    child = GIVEN[(number + 5) % len(GIVEN)]
    digits = "".join(map(str, rng.integers(0, 10, 3)))
    ids = _uuids(rng)
    return Identity(
        email=f"{plain(given)}.{plain(family).replace(chr(39), '')}{digits}@{MAIL_HOSTS[number % len(MAIL_HOSTS)]}".lower(),
        password=f"{WORDS[number % len(WORDS)]}{AWKWARD}{rng.integers(1000, 10000)}",
        given_name=given,
        family_name=family,
        date_of_birth=date(1948, 1, 1) + timedelta(days=int(rng.integers(0, 25_000))),
        account_id=next(ids),
        pumper_id=next(ids),
        subject=next(ids),
        caregiver=f"{GIVEN[(number + 11) % len(GIVEN)]} {family}",
        profile_names=(f"{plain(given)} weekday"[:16], f"{plain(child)} school"[:16]),
        pumps=tuple(_pump(rng, ids, number * pumps + index) for index in range(pumps)),
    )


def _uuids(rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield str(UUID(bytes=rng.bytes(16), version=4))


def _text(rng: np.random.Generator, alphabet: str, length: int) -> str:
    return "".join(alphabet[index] for index in rng.integers(0, len(alphabet), length))


def _pump(rng: np.random.Generator, ids: Iterator[str], nth: int) -> PumpIdentity:
    return PumpIdentity(
        assignment_id=next(ids),
        # The last digits tell pumps and neighbouring people apart, whatever the dice say.
        tconnect_device_id=int(rng.integers(11, 90)) * 10_000 + nth * 37 % 10_000,
        serial_number=f"{rng.integers(10, 13)}{rng.integers(10, 100)}{(nth * 137 + 4021) % 10_000:04}",
        upload_id=next(ids),
        legacy_upload_id=int(rng.integers(100_000_000, 900_000_000)),
        settings_id=next(ids),
        settings_hash=rng.bytes(20).hex().upper(),
        sequence_base=int(rng.integers(1_000, 900_000)),
        bolus_base=int(rng.integers(200, 4_000)),
        rtc=int(rng.integers(100_000_000, 1_200_000_000)),
        transmitter_id=f"8{_text(rng, _DIGITS_AND_LETTERS, 5)}",
        transmitter_clock=int(rng.integers(600_000, 6_000_000)),
        pairing_code=_text(rng, "0123456789", 4),
        sensor_code=_text(rng, "0123456789", 4),
        session_signature=int(rng.integers(0x10000, 0xFFFFFFFF)),
        log_entries=int(rng.integers(1_000, 300_000)),
    )
