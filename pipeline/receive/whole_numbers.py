"""Whole numbers that JSON spells with a point or an exponent: 110.0 and 1.1e2 are the number 110. Pure.

No public event has one; a service in another language might.
"""

from functools import lru_cache
from typing import Final

from tandem.events import fields_of
from tfx.jsonbody import Json

_EXACT: Final = 1 << 53  # beyond it a float may have been another whole number
_HEADER: Final = frozenset(("eventCode", "sequenceGroup", "sequenceNumber"))


def with_whole_numbers(event: Json) -> Json:
    """The event with whole numbers where its layout has them; the same object where it has them already, or is no event."""
    if not isinstance(event, dict):
        return event
    event = _whole(event, _HEADER)
    code, properties = event.get("eventCode"), event.get("eventProperties")
    if type(code) is not int or not isinstance(properties, dict):
        return event
    whole = _whole(properties, _fields(code))
    return event if whole is properties else event | {"eventProperties": whole}


def _whole(said: dict[str, Json], names: frozenset[str]) -> dict[str, Json]:
    found = {name: int(value) for name, value in said.items() if type(value) is float and name in names and _is_whole(value)}
    return said | found if found else said


def _is_whole(value: float) -> bool:
    return value.is_integer() and abs(value) < _EXACT


@lru_cache(maxsize=4096)
def _fields(code: int) -> frozenset[str]:
    return frozenset(field.name for field in fields_of(code) if field.type != "float32")
