"""What a kind of event says, as columns: what the extracts of single events are made of. Pure.

A value or time no pump can mean makes no row; the event is kept and its place goes to the quarantine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tandem.records import Records

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extract:
    """The rows of one code's records: `columns` as long as the records, `seconds` their time, `trouble` what is wrong and where.

    No row comes of a record in trouble, nor of one without a time.
    """

    columns: Mapping[str, pa.Array]
    seconds: npt.NDArray[np.uint32]
    trouble: Mapping[str, Mask]


Reader = Callable[[int, Records], Extract]


def nullable(values: npt.NDArray[np.generic], null: Mask | None = None) -> pa.Array:
    """A column, null where the mask is true."""
    return pa.array(values, mask=null)


def labels(values: npt.NDArray[np.generic], names: Mapping[int, str]) -> pa.Array:
    """Numbers as words; one without a word becomes `other N`."""
    found, places = np.unique(values, return_inverse=True)
    words = [names.get(value, f"other {value}") for value in found.tolist()]
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(words, pa.string()))


def constant(word: str, count: int) -> pa.Array:
    """The same word in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([word]))
