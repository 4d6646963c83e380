"""What happens to each field of a pump event: read from its mark in tandem and the policy's table of marks, never listed by hand. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from struct import Struct
from typing import Final, Literal

from sanitizer.devices import MOST_BOLUS_IDS, Device
from sanitizer.moments import Moments
from sanitizer.policy import Policy
from tandem.events import EVENTS, Field

Treatment = Literal["keep", "zero", "date", "counter", "bolus"]

MS_OF_DAY: Final = 86_400_000
_COUNTER_STAYS: Final = frozenset({0, 0xFFFFFFFF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a column of values is changed with."""

    device: Device
    moments: Moments
    most_float: float


Column = Callable[[Sequence[object], Context], "list[object] | None"]
"""The changed values, or None where one is not what the field can hold: then each is looked at alone."""


def treatment(policy: Policy, field: Field) -> Treatment:
    """What the policy does to a field: by its name, as a spare, or by its mark."""
    marks = policy.marks
    word = marks.get(field.name) or (marks["spare"] if field.origin == "spare" else marks[field.mark or "none"])
    assert word in ("keep", "zero", "date", "counter", "bolus"), f"tandem-source.toml, [marks]: {word} is no treatment"
    return word  # type: ignore[return-value]  # the assertion above says so


@cache
def layout(code: int) -> dict[str, Field]:
    """The fields of a code by name; none for a code without a layout."""
    return {field.name: field for field in EVENTS[code].fields} if code in EVENTS else {}


def column_of(policy: Policy, field: Field) -> Column:
    """How a column of this field's JSON values is changed."""
    what = treatment(policy, field)
    if what == "keep":
        return _bits(field) if field.meaning == "bitmask" else _floats if field.type == "float32" else _whole(field)
    if what == "date":
        # A date of no known sort cannot be moved, so it goes.
        return _DATES.get(field.time, _zeros)
    return {"zero": _zeros, "counter": _counters, "bolus": _boluses}[what]


def _ints(values: Sequence[object]) -> list[int] | None:
    # Exactly int: true is not 1, and 1.0 is not 1.
    return values if set(map(type, values)) <= {int} else None  # type: ignore[return-value]  # the set says so


def _whole(field: Field) -> Column:
    low, high = field.bounds

    def column(values: Sequence[object], _context: Context) -> list[object] | None:
        found = _ints(values)
        return list(found) if found is not None and (not found or (low <= min(found) and max(found) <= high)) else None

    return column


def _floats(values: Sequence[object], context: Context) -> list[object] | None:
    if not set(map(type, values)) <= {int, float}:
        return None
    most = context.most_float
    for value in set(values):
        assert isinstance(value, int | float)
        if not -most <= value <= most or (type(value) is float and not _is_float32(value)):
            return None
    return list(values)


def _is_float32(value: float) -> bool:
    """Whether a number is the shortest text of a 32-bit float: more digits would hold more than a pump can say."""
    raw = _FLOAT32.pack(value)
    single = _FLOAT32.unpack(raw)[0]
    for digits in range(6, 10):
        text = float(f"{single:.{digits}g}")
        if _FLOAT32.pack(text) == raw:
            return text == value
    return False


_FLOAT32: Final = Struct("<f")


def _bits(field: Field) -> Column:
    width = field.width * 8

    def column(values: Sequence[object], _context: Context) -> list[object] | None:
        for value in values:
            if not isinstance(value, list) or not set(map(type, value)) <= {int} or sorted(set(value)) != value:
                return None
            if value and not (value[0] >= 0 and value[-1] < width):
                return None
        return list(values)

    return column


def _zeros(values: Sequence[object], _context: Context) -> list[object]:
    return [[] if isinstance(value, list) else "" if isinstance(value, str) else 0 for value in values]


def _counters(values: Sequence[object], _context: Context) -> list[object] | None:
    found = _ints(values)
    return None if found is None else [value if value in _COUNTER_STAYS else 1 for value in found]


def _boluses(values: Sequence[object], context: Context) -> list[object] | None:
    found = _ints(values)
    if found is None or (found and not (min(found) >= 0 and max(found) <= MOST_BOLUS_IDS)):
        return None
    return list(context.device.boluses(found))


def _stored(values: Sequence[object]) -> list[int] | None:
    found = _ints(values)
    return found if found is not None and (not found or (min(found) >= 0 and max(found) <= 0xFFFFFFFF)) else None  # noqa: PLR2004


def _seconds(values: Sequence[object], context: Context) -> list[object] | None:
    found = _stored(values)
    return None if found is None else list(context.moments.seconds(found))


def _days(values: Sequence[object], context: Context) -> list[object] | None:
    found = _stored(values)
    return None if found is None else list(context.moments.days(found))


def _unix(values: Sequence[object], context: Context) -> list[object] | None:
    found = _stored(values)
    return None if found is None else list(context.moments.unix(found))


def _times_of_day(values: Sequence[object], _context: Context) -> list[object] | None:
    found = _ints(values)
    return list(found) if found is not None and all(0 <= value < MS_OF_DAY for value in found) else None


_DATES: Final[dict[str, Column]] = {
    "pump_seconds": _seconds,
    "pump_days": _days,
    "unix_wall": _unix,
    "ms_of_day": _times_of_day,
}
