"""Find where a byte stream of records stops being plausible: records mark neither their beginning nor their number. Pure.

One missing or extra byte shifts every record after it: they become wrong events under wrong numbers. A record does not show that, but
its header does: its time is years from the requested days, its code is unknown, its number does not go on. Records up to the break are
accepted; from the last one before it on, the bytes are kept as received, no events are read from them, and the days are requested again
(docs/decisions/event-identity.md).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from tandem.clock import PUMP_EPOCH, is_possible
from tandem.events import EVENTS, RECORD_LENGTH
from tandem.records import Records
from tandem.windows import Window

HEADER: Final = 10  # bytes: code, time and sequence number
SLACK: Final = 366  # days: how wrong a clock may be set; one byte off, times lie anywhere in 136 years
JUMP: Final = 1 << 16  # sequence numbers between two records of one answer; one byte off, they are 256 times what they were
NEAR: Final = 1000  # sequence numbers between a record and one whose code or time is strange, for that to be a strange event
A_HANDFUL: Final = 5
"""So many records may be strange, having neither a name nor a likely time, or another content than their number had: that happens.
More are a stream out of step, or another pump."""

_HAS_NAME: Final = np.isin(np.arange(4096), list(EVENTS))

Mask = npt.NDArray[np.bool_]


def believed(stream: bytes, window: Window | None) -> int:
    """How many whole records from the start of the stream are what the pump wrote; `window` is what was asked for.

    All of them where the stream ends at the end of a record and no more than a handful are strange. Otherwise those before the break
    but one: a record that a byte was lost out of looks sound until the next one begins.
    """
    whole = len(stream) // RECORD_LENGTH
    records = Records.parse(memoryview(stream)[: whole * RECORD_LENGTH])
    if len(stream) % RECORD_LENGTH == 0:
        nameless = np.flatnonzero(~_HAS_NAME[records.code])
        strange = nameless[~_is_likely(records.take(nameless).seconds, window)]
        return whole if len(strange) <= A_HANDFUL else max(0, int(strange[0]) - 1)
    # What begins after the last whole record is looked at like the others, as far as it is there.
    headers = _headers(stream, whole)
    sound = _is_sound(headers, window)
    broken = int(np.argmin(sound)) if not sound.all() else len(headers)
    return whole if broken > whole else max(0, broken - 1)


def _headers(stream: bytes, whole: int) -> Records:
    tail = stream[whole * RECORD_LENGTH :]
    last = tail.ljust(RECORD_LENGTH, b"\0") if len(tail) >= HEADER else b""
    return Records.parse(stream[: whole * RECORD_LENGTH] + last)


def _is_sound(records: Records, window: Window | None) -> Mask:
    """Which headers stand where a header belongs, by all that a header tells."""
    steps = np.diff(records.sequence.astype(np.int64), prepend=records.sequence[:1].astype(np.int64))
    likely, named = _is_likely(records.seconds, window), _HAS_NAME[records.code]
    next_to = (np.abs(steps) < NEAR) & (np.arange(len(records)) > 0)
    return np.where(next_to, likely | named, likely & named & (np.abs(steps) < JUMP))


def _is_likely(seconds: npt.NDArray[np.uint32], window: Window | None) -> Mask:
    """Which times are near the days asked for, or a pump's at all where nobody says which were."""
    if window is None:
        return is_possible(seconds)
    days = seconds.astype(np.int64) // 86_400 + PUMP_EPOCH.toordinal()
    return is_possible(seconds) & (days >= window.since.toordinal() - SLACK) & (days <= window.until.toordinal() + SLACK)
