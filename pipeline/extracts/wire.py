"""Fields of a stored event as SQL over its 16 `payload` bytes, placed by `tandem.events`. Pure."""

from collections.abc import Mapping
from typing import Final

from tandem.events import PAYLOAD_START, fields_of

_TYPES: Final = {
    "uint8": (1, "UTINYINT"), "int8": (1, "TINYINT"), "uint16": (2, "USMALLINT"), "int16": (2, "SMALLINT"), "uint32": (4, "UINTEGER"),
    "int32": (4, "INTEGER"), "float32": (4, "FLOAT"),
}  # fmt: skip


def field(code: int, name: str) -> str:
    """The field as stored: no scale applied, bit masks as numbers, whole numbers as BIGINT."""
    found = next(one for one in fields_of(code) if one.name == name)
    size, kind = _TYPES[found.type]
    first = found.offset - PAYLOAD_START + 1  # SQL counts from 1
    whole = f"payload[{first}:{first + size - 1}]::BIT::{kind}"  # DuckDB takes bits as the number's own, big-endian, floats too
    return f"({whole}::DOUBLE)" if kind == "FLOAT" else f"({whole}::BIGINT)"


def rounded(expression: str) -> str:
    """To a millionth: 32-bit floats carry no more, pumps deliver thousandths."""
    return f"round({expression}, 6)"


def word(expression: str, words: Mapping[int, str]) -> str:
    """A number as a word; one without a word becomes `other N`."""
    cases = " ".join(f"WHEN {number} THEN '{name}'" for number, name in words.items())
    return f"CASE {expression} {cases} ELSE concat('other ', {expression}) END"


def outside(expression: str, low: float, high: float) -> str:
    """True where a number is none, or beyond these bounds."""
    return f"NOT coalesce(isfinite({expression}::DOUBLE) AND {expression} BETWEEN {low} AND {high}, false)"
