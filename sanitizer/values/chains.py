"""Which messages belong to one bolus: those with one id within half a day. Pure."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from sanitizer.values.numbers import Mask, Whole
from sanitizer.values.structure import Rows

Log = Mapping[int, Rows]
"""The events of one pump that hold amounts, by code."""

DELIVERY: Final = 280
REQUEST: Final = 64
DETAILS: Final = 65
DONE, LATER_DONE = 20, 21
STARTED, LATER_STARTED = 55, 59
CHAINED: Final = (DONE, LATER_DONE, STARTED, LATER_STARTED, REQUEST, DETAILS, 66, DELIVERY)

_APART: Final = 12 * 3600
"""Seconds after which the same id is another bolus: ids are a ring, and a bolus takes eight hours at most."""

_COMPLETED: Final = 3


class Chains:
    """The boluses of a log, numbered; `of` says of each row, by code, to which it belongs. A row without an id is one of its own."""

    __slots__ = ("_count", "_log", "of")

    def __init__(self, log: Log) -> None:
        self._log = {code: log[code] for code in CHAINED if code in log}
        ids = [rows.facts["bolusId"] for rows in self._log.values()]
        keys = [rows.group << 16 | bolus for rows, bolus in zip(self._log.values(), ids, strict=True)]
        key = np.concatenate(keys) if keys else np.empty(0, np.int64)
        bare = np.concatenate(ids) == 0 if ids else np.empty(0, np.bool_)
        key = np.where(bare, -1 - np.arange(len(key)), key)
        at = np.concatenate([rows.seconds for rows in self._log.values()]) if keys else np.empty(0, np.int64)
        order = np.lexsort((at, key))
        begins = (np.diff(key[order], prepend=0) != 0) | (np.diff(at[order], prepend=0) > _APART)
        begins[:1] = True
        number = np.empty(len(key), np.int64)
        number[order] = np.cumsum(begins) - 1
        self._count = int(begins.sum())
        ends = np.cumsum([len(rows) for rows in self._log.values()])[:-1]
        self.of: dict[int, Whole] = dict(zip(self._log, np.split(number, ends), strict=True)) if keys else {}

    def has(self, code: int) -> Mask:
        """Whether there is a message of this code, per bolus."""
        return self._marked(code, np.ones(len(self.of.get(code, ())), np.bool_))

    def any(self, code: int, name: str, value: int) -> Mask:
        """Whether a message of this code holds this value, per bolus."""
        return self._marked(code, self._log[code].facts[name] == value) if code in self.of else self._none()

    def bit(self, mask: int) -> Mask:
        """Whether a delivery has this bit of its kind set, per bolus."""
        return self._marked(DELIVERY, self._log[DELIVERY].facts["bolusType"] & mask != 0) if DELIVERY in self.of else self._none()

    def is_cut_short(self, code: int) -> Mask:
        """Whether a part ended as anything but completed."""
        return self._marked(code, self._log[code].facts["completionStatus"] != _COMPLETED) if code in self.of else self._none()

    def earliest(self, codes: tuple[int, ...]) -> Whole:
        """The first moment of each bolus."""
        out = np.full(self._count, np.iinfo(np.int64).max)
        for code in codes:
            if code in self.of:
                np.minimum.at(out, self.of[code], self._log[code].seconds)
        return out

    def latest(self, codes: tuple[int, ...], otherwise: Whole) -> Whole:
        """The last moment of these messages, or the other one where that is later or there are none."""
        out = otherwise.copy()
        for code in codes:
            if code in self.of:
                np.maximum.at(out, self.of[code], self._log[code].seconds)
        return out

    def ends(self, codes: tuple[int, ...], otherwise: Whole) -> Whole:
        """The last moment of these messages, or the other one where there are none."""
        found = self.latest(codes, np.full(self._count, -1, np.int64))
        return np.where(found < 0, otherwise, found)

    def _none(self) -> Mask:
        return np.zeros(self._count, np.bool_)

    def _marked(self, code: int, where: Mask) -> Mask:
        out = self._none()
        if code in self.of:
            out[self.of[code][where]] = True
        return out
