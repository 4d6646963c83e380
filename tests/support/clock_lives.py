"""Histories of pumps whose clocks are set, jump, run on and lose their time, near the days on which a zone's offset changes."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tandem.clock import seconds_of
from tandem.records import Records

TURNS: Final = (
    ("Europe/Berlin", "2024-10-27T03:00"),
    ("Europe/Berlin", "2024-03-31T02:00"),
    ("America/Los_Angeles", "2024-11-03T02:00"),
    ("Australia/Lord_Howe", "2024-04-07T02:00"),  # by half an hour
    ("Pacific/Apia", "2011-12-30T00:00"),  # a day that never was
    ("Antarctica/Troll", "2024-03-31T01:00"),  # by two hours
    ("Asia/Kathmandu", "2024-05-01T00:00"),
)
_DAY: Final = 86_400
_READINGS: Final = (399, 399, 399, 279, 279, 3)
_RARE: Final = (11, 12, 5, 28, 81, 90, 229, 212, 213, 214, 371, 66, 55, 20, 48, 4000, 13, 13, 14)


def clock_life(seed: int) -> tuple[ZoneInfo, Records]:
    """A zone, and some dozens of events of a pump that is there; a few of them were never received."""
    chance = random.Random(seed)
    zone, turn = chance.choice(TURNS)
    now = seconds_of(datetime.fromisoformat(turn)) - chance.choice((1800, 4000, 9000, 20_000))  # the pump's clock has no zone
    if chance.random() < 0.2:  # a clock that is wrong by hours or years
        now += chance.choice((-1, 1)) * chance.choice((3600, _DAY, 365 * _DAY, 3000 * _DAY))
    return ZoneInfo(zone), Records.join(_written(chance, max(now, 90_000_000)))


def _written(chance: random.Random, now: int) -> Iterator[Records]:
    number = chance.choice((1, 1000, 1 << 31, (1 << 32) - 20))  # the last begins anew within this history
    bolus = 7
    for _ in range(chance.randint(25, 80)):
        number = (number + chance.choice((1, 1, 1, 2, 5, 13))) % (1 << 32)
        now += chance.choice((0, 60, 300, 300, 900)) if chance.random() > 0.03 else chance.choice((7200, 40_000, 300_000))
        now -= 3600 * (chance.random() < 0.05)  # set by somebody, and the event that says so is lost
        if chance.random() < 0.02:  # reset, without an event
            now = 10_000
        code = chance.choice(_READINGS if chance.random() < 0.5 else _RARE)
        bolus += chance.random() < 0.1
        shift = _shift(chance, code, now)
        if not 5000 < now + shift < 900_000_000:
            return
        fields = _fields(chance, code, now, shift, bolus)
        now += shift
        if chance.random() > 0.05:
            yield Records.build(code=code, seconds=now, sequence=number, columns=fields)


def _shift(chance: random.Random, code: int, now: int) -> int:
    """By how much such an event sets the clock."""
    if code == 14:
        return chance.choice((1, -1, 365, -365, 3000)) * _DAY if now > 40_000_000 else chance.choice((3000, 6000)) * _DAY
    shift = chance.choice((3600, -3600, 1800, -1800, 120, -45, 7 * 3600))
    return shift if code == 13 and 0 <= now % _DAY + shift < _DAY else 0


def _fields(chance: random.Random, code: int, now: int, shift: int, bolus: int) -> Mapping[str, float]:
    told: dict[int, Mapping[str, float]] = {
        399: {"egvTimeStamp": now - chance.choice((0, 2, 300, 3600)), "currentGlucoseDisplayValue": chance.randint(39, 401)},
        279: {"commandedRate": chance.choice((0, 800, 900))},
        5: {"alarmId": 18}, 28: {"alarmId": 18}, 371: {"dalertId": 2},
        66: {"bolusId": bolus, "totalBolusSize": 2}, 55: {"bolusId": bolus},
        20: {"bolusId": bolus, "insulinDelivered": 2, "completionStatus": 3},
        81: {"dailyTotalBasal": 1.5}, 212: {"sessionDuration": 10}, 213: {"sessionDuration": 10}, 214: {"sessionDuration": 10},
        229: {"currentUserMode": chance.choice((0, 1))},
        13: {"timePrior": now % _DAY * 1000, "timeAfter": (now % _DAY + shift) % _DAY * 1000},
        14: {"datePrior": now // _DAY, "dateAfter": (now + shift) // _DAY},
    }  # fmt: skip
    return told.get(code, {})
