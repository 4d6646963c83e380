"""The pump's clock: seconds, days and milliseconds since 2008, as wall time without a zone.

`tandem.events` (`Field.time`) says what the numbers of each field mean. Sources: tconnectsync eventparser/raw_event.py
(epoch 1199145600), public records (13's header time is its `timeAfter`; 477 holds Unix seconds of the wall clock).
Wall times here are naive on purpose; `tandem.instants` turns them into instants under a zone, once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from tfx.errors import FormatError

PUMP_EPOCH: Final = datetime(2008, 1, 1)  # noqa: DTZ001  # the pump's wall clock has no zone
UNIX_OF_PUMP_EPOCH: Final = 1_199_145_600
NOT_A_DATE: Final = (0, 0xFFFFFFFF)
"""Stored where there is no time: never shift these, never show them as a date."""

_FIRST_OF_2100: Final = 2_903_299_200
MS_OF_DAY: Final = 86_400_000
LAST_POSSIBLE: Final = _FIRST_OF_2100 - 1
"""The last pump seconds of the year 2099; what is later is taken for no time."""
_TEXT_LENGTH: Final = len("2026-04-30T00:00:06")

Walls = npt.NDArray[np.datetime64]
Numbers = npt.NDArray[np.integer]


# --- one at a time


def seconds_of(moment: datetime) -> int:
    """The pump seconds of a naive wall time. Raises FormatError if it has a zone, a fraction, or is outside 2008 to 2144."""
    if moment.tzinfo is not None:
        raise FormatError("the pump's wall clock has no zone; give a time without one")
    seconds = (moment - PUMP_EPOCH).total_seconds()
    if seconds != int(seconds) or not 0 <= seconds <= NOT_A_DATE[1]:
        raise FormatError("pump seconds are whole and between 2008 and 2144; this time is not")
    return int(seconds)


# --- many at a time


def is_possible(seconds: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Where pump seconds are a time some pump can have been set to: no sentinel, and before the year 2100."""
    column = np.asarray(seconds)
    found: npt.NDArray[np.bool_] = (column != NOT_A_DATE[0]) & (column < _FIRST_OF_2100)
    return found


def is_date(numbers: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Where stored times are times and not sentinels."""
    column = np.asarray(numbers)
    found: npt.NDArray[np.bool_] = (column != NOT_A_DATE[0]) & (column != NOT_A_DATE[1])
    return found


def walls(seconds: npt.ArrayLike) -> Walls:
    """Wall times of pump seconds as datetime64[s]; NaT for the sentinels."""
    moments = (np.asarray(seconds, np.int64) + UNIX_OF_PUMP_EPOCH).astype("datetime64[s]")
    dated = is_date(seconds)
    return moments if dated.all() else np.where(dated, moments, np.datetime64("NaT", "s"))


def seconds_of_walls(moments: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Pump seconds of wall times. Raises FormatError for NaT and for times outside 2008 to 2144."""
    column = np.asarray(moments, "datetime64[s]")
    seconds = column.astype(np.int64) - UNIX_OF_PUMP_EPOCH
    if (np.isnat(column) | (seconds < 0) | (seconds > NOT_A_DATE[1])).any():
        raise FormatError("pump seconds are between 2008 and 2144; one of these times is not")
    return seconds.astype(np.uint32)


# --- as the bff writes them


def texts(seconds: npt.ArrayLike) -> list[str]:
    """`pumpDateTime` of pump seconds, `2026-04-30T00:00:06`; sentinels as the times they would be, so that nothing is lost."""
    moments = (np.asarray(seconds, np.int64) + UNIX_OF_PUMP_EPOCH).astype("datetime64[s]")
    written: list[str] = np.datetime_as_string(moments).tolist()
    return written


def seconds_of_texts(written: Sequence[object]) -> npt.NDArray[np.uint32]:
    """Pump seconds of `pumpDateTime` values. Raises FormatError unless each is text like `2026-04-30T00:00:06`, 2008 to 2144."""
    if not written:
        return np.empty(0, np.uint32)
    if set(map(type, written)) != {str} or set(map(len, map(str, written))) != {_TEXT_LENGTH}:
        raise FormatError("not a wall time like 2026-04-30T00:00:06")
    column = np.array(written, f"U{_TEXT_LENGTH}")
    separators = column.view("U1").reshape(-1, _TEXT_LENGTH)[:, 10]
    try:
        moments = column.astype("datetime64[s]")
    except ValueError:  # its text quotes what was written
        raise FormatError("not a wall time like 2026-04-30T00:00:06") from None
    if (separators != "T").any():
        raise FormatError("not a wall time like 2026-04-30T00:00:06")
    return seconds_of_walls(moments)
