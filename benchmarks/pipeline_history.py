"""The history that the pipeline is measured on: pump records of any number of years."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from simulator.account import account
from tandem.clock import UNIX_OF_PUMP_EPOCH, is_date
from tandem.glucose import SENSORS
from tandem.records import Records
from tandem.zones import transitions

ZONE: Final = "America/Los_Angeles"
_CLOCK_CHANGES: Final = (13, 14)
_DAYS: Final = 110
_FIRST_YEAR: Final = 2026
_HOUR: Final = 3600
_WINTER: Final = 8 * _HOUR  # what UTC is ahead of the zone's winter time


def history(file: Path, count: int) -> None:
    """So many records of a therapy: 110 days of the stand-in's account, again and again, on a clock that its owner sets.

    Twice a year with the zone, and for a journey of two weeks each summer. Readings move along.
    """
    records = account(identity=1, therapy=1, now=datetime(2026, 11, 18, 20, 30, tzinfo=UTC), days=_DAYS, density=1.0).current.records
    set_back = records.positions(13)[-1]  # until then the stand-in's clock is an hour ahead of what it is after it
    standard = records.seconds.astype(np.int64) - _HOUR * (np.arange(len(records)) < set_back)
    kept = ~np.isin(records.code, _CLOCK_CHANGES)
    records, standard = records.take(kept), standard[kept]
    span = int(records.sequence.max() - records.sequence.min()) + 1
    moments, offsets = _clock(years=-(-count // len(records)) * _DAYS // 365 + 2)
    was = _HOUR
    with file.open("wb") as stream:
        for turn in range(-(-count // len(records))):
            moved = standard + turn * _DAYS * 86_400
            shift = offsets[np.searchsorted(moments, moved + UNIX_OF_PUMP_EPOCH, side="right")]
            by, sequence = moved + shift - records.seconds, records.sequence.astype(np.int64) + turn * span
            told = records.with_header(seconds=moved + shift, sequence=sequence)
            for code in SENSORS:
                taken = records.columns(code)["egvTimeStamp"].astype(np.int64)
                told = told.with_columns(code, {"egvTimeStamp": np.where(is_date(taken), taken + by[records.positions(code)], taken)})
            stream.write(_with_settings(told, np.diff(shift, prepend=was)).to_bytes())
            was = shift[-1]


def _with_settings(records: Records, steps: npt.NDArray[np.int64]) -> Records:
    """The first record after each step of the clock tells it, in place of what it told."""
    for place in np.flatnonzero(steps).tolist():
        after, sequence = int(records.seconds[place]), int(records.sequence[place])
        columns = {"timePrior": (after - int(steps[place])) % 86_400 * 1000, "timeAfter": after % 86_400 * 1000}
        setting = Records.build(code=13, seconds=after, sequence=sequence, columns=columns)
        records = Records.join([records.take(slice(place)), setting, records.take(slice(place + 1, None))])
    return records


def _clock(years: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """When the owner sets the clock (Unix seconds, were winter time UTC), and by how much it is ahead of winter time before and after."""
    last = _FIRST_YEAR + years
    steps = [(one.moment - _WINTER + 5 * _HOUR, one.after + _WINTER) for one in transitions(ZoneInfo(ZONE), _FIRST_YEAR, last)]
    for year in range(_FIRST_YEAR, last + 1):
        journey = ((10, 4 * _HOUR), (24, _HOUR))  # three zones further east, and home to summer time
        steps += [(int(datetime(year, 6, day, 10, tzinfo=UTC).timestamp()), ahead) for day, ahead in journey]
    steps.sort()
    return np.array([moment for moment, _ in steps]), np.array([0, *(ahead for _, ahead in steps)])
