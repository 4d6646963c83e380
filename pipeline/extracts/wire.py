"""Fields of a stored event for SQL: columns of the relation `told`, cut out of payloads by numpy, or slices of a payload. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tandem.bounds import BOUNDS, Bounds
from tandem.events import PAYLOAD_START, fields_of

_TYPES: Final = {
    "uint8": (1, "UTINYINT"), "int8": (1, "TINYINT"), "uint16": (2, "USMALLINT"), "int16": (2, "SMALLINT"), "uint32": (4, "UINTEGER"),
    "int32": (4, "INTEGER"), "float32": (4, "FLOAT"),
}  # fmt: skip
_COLUMN: Final = re.compile(rf"\b({'|'.join(_TYPES)})_at_(\d+)\b")


def field(code: int, name: str) -> str:
    """The field as a column of `told`, as stored: no scale applied, bit masks as numbers, whole numbers as BIGINT, others as DOUBLE."""
    found = next(one for one in fields_of(code) if one.name == name)
    return f"{found.type}_at_{found.offset - PAYLOAD_START}"


def stored(code: int, name: str) -> str:
    """The same field of a row of raw_events. Takes some ten times as long an event as a column that numpy has cut out."""
    return of_payload(field(code, name))


def of_payload(sql: str) -> str:
    """An expression over columns of `told` as one over the payload of raw_events."""
    return _COLUMN.sub(lambda match: _slice(*_parts(match[0])), sql)


def _slice(kind: str, offset: int) -> str:
    size, sql = _TYPES[kind]
    whole = f"payload[{offset + 1}:{offset + size}]::BIT::{sql}"  # SQL counts from 1; DuckDB takes bits as the number's own, big-endian
    return f"({whole}::DOUBLE)" if kind == "float32" else f"({whole}::BIGINT)"


def named_in(expressions: Iterable[str]) -> tuple[str, ...]:
    """The columns of fields that these expressions name."""
    return tuple(dict.fromkeys(match[0] for sql in expressions for match in _COLUMN.finditer(sql)))


def cut(payload: npt.NDArray[np.uint8], columns: Iterable[str]) -> dict[str, pa.Array]:
    """These columns of so many payloads (N x 16 bytes)."""
    return {column: pa.array(_cut(payload, *_parts(column))) for column in columns}


def _cut(payload: npt.NDArray[np.uint8], kind: str, offset: int) -> npt.NDArray[np.generic]:
    size, _ = _TYPES[kind]
    bare = np.ascontiguousarray(payload[:, offset : offset + size]).view(np.dtype(kind).newbyteorder(">"))[:, 0]
    with np.errstate(invalid="ignore"):  # a payload may hold a signalling NaN; what is no number counts as impossible
        return bare.astype(np.float64 if kind == "float32" else np.int64)


def _parts(column: str) -> tuple[str, int]:
    kind, _, offset = column.partition("_at_")
    return kind, int(offset)


def shortest(expression: str) -> str:
    """A 32-bit float as the shortest number that names it, which is what the JSON eras write: 16.71, not 16.709999."""
    return f"{expression}::FLOAT::VARCHAR::DOUBLE"


def word(expression: str, words: Mapping[int, str]) -> str:
    """A number as a word; one without a word becomes `other N`."""
    cases = " ".join(f"WHEN {number} THEN '{name}'" for number, name in words.items())
    return f"CASE {expression} {cases} ELSE concat('other ', {expression}) END"


def impossible(code: int) -> dict[str, str]:
    """What no field of this code can mean, by what is wrong: SQL that is true there."""
    return {f"{name}: outside {bounds}": _outside(field(code, name), bounds) for name, bounds in BOUNDS.get(code, {}).items()}


def _outside(expression: str, bounds: Bounds) -> str:
    also = "".join(f" OR {expression} = {word}" for word in bounds.also)
    return f"NOT coalesce(isfinite({expression}::DOUBLE) AND ({expression} BETWEEN {bounds.least} AND {bounds.most}{also}), false)"
