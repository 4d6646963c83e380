"""A pump's log while it is generated: columns per event, sorted into write order at the end."""

from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.therapy.timeline import Seconds, Timeline
from tandem.records import Records

_SKIPS: Final = 0.06
"""How often sequence numbers leave a gap: records of types the service never hands out."""


class Log:
    """Events as they are drawn, at elapsed seconds. Equal times keep the order in which they were added."""

    __slots__ = ("_at", "_parts")

    def __init__(self) -> None:
        self._at: list[Seconds] = []
        self._parts: list[Records] = []

    def add(self, code: int, at: npt.ArrayLike, **fields: npt.ArrayLike) -> None:
        """Events of one code at these times; a field is a column as long, or one number for all. Raises FormatError."""
        moments = np.atleast_1d(np.asarray(at, np.int64))
        if len(moments):
            self._at.append(moments)
            self._parts.append(Records.build(code=code, seconds=0, sequence=np.zeros(len(moments), np.int64), columns=fields))

    def add_payload(self, code: int, at: int, payload: bytes) -> None:
        """One event of a code without layout, with these bytes (up to 16)."""
        self.add(code, at)
        self._parts[-1] = self._parts[-1].with_payload(np.frombuffer(payload.ljust(16, b"\0"), np.uint8))

    def add_text(self, code: int, at: int, text: str, offset: int = 0) -> None:
        """One event of a code without layout that holds ASCII text, from byte `offset` of the little-endian payload.

        In this stream each 32-bit word is stored reversed, text too: `Jonathan` is stored as `anoJnaht`.
        """
        payload = (bytes(offset) + text.encode("ascii")).ljust(16, b"\0")[:16]
        self.add_payload(code, at, b"".join(payload[word : word + 4][::-1] for word in range(0, 16, 4)))

    def records(self, timeline: Timeline, *, sequence_base: int, rng: np.random.Generator) -> Records:
        """Everything in write order, with wall clock times and sequence numbers that rise from the base with gaps."""
        at = np.concatenate(self._at)
        order = np.argsort(at, kind="stable")
        steps = 1 + np.where(rng.random(len(at)) < _SKIPS, rng.integers(1, 9, len(at)), 0)
        joined = Records.join(self._parts).take(order)
        return joined.with_header(seconds=timeline.wall(at[order]), sequence=sequence_base + np.cumsum(steps))
