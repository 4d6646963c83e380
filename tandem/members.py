"""Convert the values of a field to and from the JSON of `eventProperties`, by column.

Whole numbers are numbers; bit masks are lists of the bits that are set, lowest first; floats are the shortest text that gives the same
32-bit float, and whole ones have no point (`0`, `30`, `1.8189592`). Source: 188 public bff events.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from tandem.events import Field
from tandem.records import Column
from tfx.errors import FormatError
from tfx.jsonbody import Json

_EXACT_INT: Final = 1 << 24  # from here on not every whole number is a 32-bit float: written as floats


def written(column: Column, field: Field) -> list[Json]:
    """A column as JSON values. Raises FormatError for floats that are not finite: JSON has no text for them."""
    if field.type == "float32":
        return _written_floats(column.astype(np.float32, copy=False), field)
    if field.meaning == "bitmask":
        return [list(set_bits(value)) for value in column.tolist()]
    return list(column.tolist())


@lru_cache(maxsize=4096)
def set_bits(mask: int) -> tuple[int, ...]:
    """The bits set in a mask, lowest first."""
    return tuple(bit for bit in range(mask.bit_length()) if mask >> bit & 1)


def _written_floats(column: npt.NDArray[np.float32], field: Field) -> list[Json]:
    if not np.isfinite(column).all():
        raise FormatError(f"{field.name} is not a finite number, which JSON cannot hold")
    values: list[Json] = _shortest(column)
    # -0.0 keeps its point: as 0 it would lose its sign.
    whole = (column == np.trunc(column)) & (np.abs(column) < _EXACT_INT) & ~((column == 0) & np.signbit(column))
    for place in np.flatnonzero(whole):
        values[place] = int(column[place])
    return values


def _shortest(column: npt.NDArray[np.float32]) -> list[Json]:
    # orjson writes 32-bit floats with as few digits as tell them apart, and quickly.
    values: list[Json] = orjson.loads(orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY))
    return values


def read(values: Sequence[Json], field: Field) -> Column:
    """JSON values as a column of the field's type. Raises FormatError if one is not what the field can hold."""
    if field.type == "float32":
        return _read_floats(values)
    low, high = field.bounds
    if field.meaning == "bitmask":
        return _read_bits(values, field.width * 8).astype(field.type)
    if not set(map(type, values)) <= {int}:  # exactly int: true is not 1
        raise FormatError("not a whole number")
    try:
        column = np.array(values, np.int64)
    except OverflowError as e:
        raise FormatError(f"not a whole number from {low} to {high}") from e
    if len(column) and (column.min() < low or column.max() > high):
        raise FormatError(f"not a whole number from {low} to {high}")
    return column.astype(field.type)


def _read_floats(values: Sequence[Json]) -> Column:
    if not set(map(type, values)) <= {int, float}:
        raise FormatError("not a number")
    try:
        wide = np.array(values, np.float64)
    except OverflowError as e:
        raise FormatError("more than a 32-bit float can hold") from e
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise FormatError("more than a 32-bit float can hold")
    # Either the shortest text of a 32-bit float, or that float written out in full; anything else would lose digits.
    odd = np.flatnonzero(narrow.astype(np.float64) != wide)
    if len(odd) and (np.array(_shortest(narrow[odd]), np.float64) != wide[odd]).any():
        raise FormatError("more digits than a 32-bit float can hold")
    return narrow


def _read_bits(values: Sequence[Json], width: int) -> npt.NDArray[np.int64]:
    lists = [value for value in values if isinstance(value, list)]
    flat = list(chain.from_iterable(lists))
    problem = f"not a rising list of bit numbers from 0 to {width - 1}"
    if len(lists) != len(values) or not set(map(type, flat)) <= {int}:
        raise FormatError(problem)
    owner = np.repeat(np.arange(len(lists)), [len(value) for value in lists])
    try:
        bits = np.array(flat, np.int64)
    except OverflowError as e:
        raise FormatError(problem) from e
    falling = (np.diff(bits) <= 0) & (np.diff(owner) == 0)
    if len(bits) and (bits.min() < 0 or bits.max() >= width or falling.any()):
        raise FormatError(problem)
    sums = np.bincount(owner, weights=np.exp2(bits), minlength=len(lists))  # exact: 32 different powers of two at most
    return sums.astype(np.int64)
