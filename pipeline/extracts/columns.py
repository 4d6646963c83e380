"""Describe the columns that a kind of event fills: used by every table with one row per event. Pure.

An impossible value or time makes no row; the event is kept and its place goes to the quarantine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tandem.bounds import BOUNDS, outside
from tandem.records import Columns, Records

Mask = npt.NDArray[np.bool_]
_FEW: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extract:
    """The rows of one code's records: `columns` as long as the records, `seconds` their time, `trouble` what is wrong and where.

    No row comes of a record in trouble, nor of one without a time.
    """

    columns: Mapping[str, pa.Array]
    seconds: npt.NDArray[np.uint32]
    trouble: Mapping[str, Mask]


Reader = Callable[[int, Records], Extract]


def impossible(code: int, found: Columns) -> dict[str, Mask]:
    """What no field of this code can mean, by what is wrong."""
    return {f"{name}: outside {bounds}": outside(found[name], bounds) for name, bounds in BOUNDS.get(code, {}).items()}


def nullable(values: npt.NDArray[np.generic], null: Mask | None = None) -> pa.Array:
    """A column, null where the mask is true."""
    return pa.array(values, mask=null)


def labels(values: npt.NDArray[np.generic], names: Mapping[int, str]) -> pa.Array:
    """Numbers as words; one without a word becomes `other N`."""
    return _worded(values, lambda value: names.get(value, f"other {value}"))


def flags(values: npt.NDArray[np.generic], names: Mapping[int, str]) -> pa.Array:
    """Masks as the words of their set bits, joined by commas; null where no known bit is set."""
    return _worded(values, lambda value: ", ".join(name for bit, name in names.items() if value >> bit & 1) or None)


def _worded(values: npt.NDArray[np.generic], word: Callable[[int], str | None]) -> pa.Array:
    numbers = values.astype(np.int64)
    lowest = int(numbers.min(initial=0))
    if int(numbers.max(initial=0)) - lowest < _FEW:
        # Counting is ten times as fast as sorting.
        known = np.bincount(numbers - lowest) > 0
        found, places = np.flatnonzero(known) + lowest, (np.cumsum(known) - 1)[numbers - lowest]
    else:
        found, places = np.unique(numbers, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array([word(one) for one in found.tolist()], pa.string()))


def constant(word: str, count: int) -> pa.Array:
    """The same word in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([word]))
