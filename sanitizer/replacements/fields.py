"""What happens to each field of a pump event: follows from its mark in tandem and the policy's table of marks. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, repeat
from math import isfinite
from operator import lt
from typing import Final, Literal, cast

from sanitizer.policy.policy import Policy, Range
from sanitizer.replacements.devices import MOST_BOLUS_IDS, Device
from sanitizer.replacements.moments import Moments
from tandem.events import CODES_WITHOUT_LAYOUT, DEFAULT_CODES, EVENTS, IDENTITY_CODES, Field

Treatment = Literal["keep", "zero", "date", "counter", "bolus"]

LAST_CODE: Final = 0x0FFF
"""The largest event code (twelve bits); four digits identify nobody."""
KNOWN_CODES: Final = frozenset((*EVENTS, *DEFAULT_CODES, *CODES_WITHOUT_LAYOUT, *IDENTITY_CODES))
"""The codes somebody has named."""
UNKNOWN_CODE: Final = LAST_CODE
"""Stands for every code that nobody has named."""
MS_OF_DAY: Final = 86_400_000
SECOND: Final = 1000
"""Milliseconds: behind the second nothing stays, here as in a text (`sanitizer.replacements.epoch.settled`)."""
_COUNTER_STAYS: Final = frozenset({0, 0xFFFFFFFF})
_COUNTERS: Final = _COUNTER_STAYS | {1}
"""What a counter is on a cassette."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a column of values is changed with."""

    device: Device
    moments: Moments


Column = Callable[[Sequence[object], Context], "list[object] | None"]
"""The changed values (the list itself where none changes), or None where one is not what the field can hold: then each is looked at."""


def treatment(policy: Policy, field: Field) -> Treatment:
    """What the policy does to a field: by its name, as a spare, or by its mark."""
    marks = policy.marks
    word = marks.get(field.name) or (marks["spare"] if field.origin == "spare" else marks[field.mark or "none"])
    assert word in ("keep", "zero", "date", "counter", "bolus"), f"tandem-source.toml, [marks]: {word} is no treatment"
    return word  # type: ignore[return-value]  # the assertion above says so


def ranges(policy: Policy, field: Field) -> tuple[Range, ...]:
    """Where the values of a kept field may lie, or the bits of a mask.

    By its name, its unit or its meaning in the policy's table, else as wide as its type, where that is a byte.
    """
    found = policy.bounds.get(domain(policy, field))
    if found is None:
        assert field.width == 1, f"the policy's [bounds]: none for {field.name}, which could hold an identifier"
        return ((0, 7),) if field.meaning == "bitmask" else (field.bounds,)
    if field.type == "float32" or field.meaning == "bitmask":
        return found
    least, most = field.bounds
    inside = tuple((max(low, least), min(high, most)) for low, high in found)
    # A number with a unit says "none" with all its bits set; a state has no need to.
    return (*inside, (most, most)) if field.unit and field.type.startswith("u") else inside


def bits_of(inside: tuple[Range, ...]) -> frozenset[int]:
    """The bits that a mask may have set."""
    return frozenset(bit for low, high in inside for bit in range(int(low), int(high) + 1))


def domain(policy: Policy, field: Field) -> str:
    """What the values of a kept field are held against, by the name it has in the policy; else the field's own type."""
    return next((key for key in (field.name, field.unit, field.meaning) if key in policy.bounds), field.type)


@cache
def layout(code: int) -> dict[str, Field]:
    """The fields of a code by name; none for a code without a layout."""
    return {field.name: field for field in EVENTS[code].fields} if code in EVENTS else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a policy does to one field: how a column of its values is changed, the word for that, what kept values are held against."""

    column: Column
    treatment: Treatment
    domain: str


@lru_cache(maxsize=4096)
def way(policy: Policy, code: int, name: str) -> Way | None:
    """What happens to a property of an event, worked out once for every cassette; None for what is no field of it."""
    field = layout(code).get(name)
    if field is None:
        return None
    return Way(column=column_of(policy, field), treatment=treatment(policy, field), domain=domain(policy, field))


def column_of(policy: Policy, field: Field) -> Column:
    """How a column of this field's JSON values is changed."""
    what = treatment(policy, field)
    if what == "keep":
        inside = ranges(policy, field)
        return _bits(bits_of(inside)) if field.meaning == "bitmask" else _number(field, inside)
    if what == "date":
        # A date of no known sort cannot be moved, so it goes.
        return _DATES.get(field.time, _zeros)
    return {"zero": _zeros, "counter": _counters, "bolus": _boluses}[what]


def _ints(values: Sequence[object]) -> list[int] | None:
    # Exactly int: true is not 1, and 1.0 is not 1.
    return values if set(map(type, values)) <= {int} else None  # type: ignore[return-value]  # the set says so


def _number(field: Field, inside: tuple[Range, ...]) -> Column:
    is_real, places = field.type == "float32", places_of(field)

    def column(values: Sequence[object], _context: Context) -> list[object] | None:
        found = _reals(values, places) if is_real else _ints(values)
        return cast("list[object]", found) if found is not None and are_inside(found, inside) else None

    return column


PLACES: Final = 3
"""Digits behind the point of a kept real number: pumps dose in thousandths of a unit. What they compute (insulin on board) has 24 bits,
which hold a serial number and tell one person's copy from another's. See docs/decisions/float-digits.md."""


def places_of(field: Field) -> int:
    """Digits behind the point that a kept real number of a field has; a current is whole milliamperes, for it has more in front."""
    return 0 if field.unit == "mA" else PLACES


def are_inside(values: Sequence[float], inside: tuple[Range, ...]) -> bool:
    """Whether every value lies in one of the ranges; mostly the first holds them all."""
    if not values:
        return True
    low, high = inside[0]
    return (low <= min(values) and max(values) <= high) or all(any(low <= value <= high for low, high in inside) for value in set(values))


def _reals(values: Sequence[object], places: int) -> list[float] | None:
    """Numbers as the service writes those of a float32, with so many places: whole ones without a point."""
    if not set(map(type, values)) <= {int, float}:
        return None
    found = cast("list[float]", values)
    reals = list(filter(isfinite, {value for value in found if type(value) is float}))
    # One by one only if there is something to write otherwise: 30.0 equals 30, but is another spelling of it.
    if list(map(round, reals, repeat(places))) == reals and not any(map(float.is_integer, reals)):
        return found
    short = {value: _short(value, places) for value in reals}
    return [short.get(value, value) if type(value) is float else value for value in found]


def _short(value: float, places: int) -> float:
    rounded = round(value, places)
    return int(rounded) if rounded.is_integer() else rounded


def _bits(known: frozenset[int]) -> Column:
    def is_mask(bits: tuple[int, ...]) -> bool:
        return known.issuperset(bits) and all(map(lt, bits, bits[1:]))

    def column(values: Sequence[object], _context: Context) -> list[object] | None:
        if set(map(type, values)) != {list}:
            return None
        lists = cast("list[list[object]]", values)
        if not set(map(type, chain.from_iterable(lists))) <= {int}:
            return None
        masks = cast("set[tuple[int, ...]]", set(map(tuple, lists)))
        return cast("list[object]", lists) if all(map(is_mask, masks)) else None

    return column


def _zeros(values: Sequence[object], _context: Context) -> list[object]:
    types = set(map(type, values))
    if types == {int} and not any(values):
        return cast("list[object]", values)
    if types <= _NUMBERS:
        return [0] * len(values)
    return [[] if isinstance(value, list) else "" if isinstance(value, str) else 0 for value in values]


_NUMBERS: Final = frozenset({int, float})


def _counters(values: Sequence[object], _context: Context) -> list[object] | None:
    found = _ints(values)
    if found is None:
        return None
    return cast("list[object]", found) if _COUNTERS.issuperset(found) else [value if value in _COUNTER_STAYS else 1 for value in found]


def _boluses(values: Sequence[object], context: Context) -> list[object] | None:
    found = _ints(values)
    if found is None or (found and not (min(found) >= 0 and max(found) <= MOST_BOLUS_IDS)):
        return None
    return list(context.device.boluses(found))


def _stored(values: Sequence[object]) -> list[int] | None:
    found = _ints(values)
    return found if found is not None and (not found or (min(found) >= 0 and max(found) <= 0xFFFFFFFF)) else None  # noqa: PLR2004  # 32 bits


def _seconds(values: Sequence[object], context: Context) -> list[object] | None:
    found = _stored(values)
    return None if found is None else cast("list[object]", context.moments.seconds(found))


def _days(values: Sequence[object], context: Context) -> list[object] | None:
    found = _stored(values)
    return None if found is None else cast("list[object]", context.moments.days(found))


def _unix(values: Sequence[object], context: Context) -> list[object] | None:
    found = _stored(values)
    return None if found is None else cast("list[object]", context.moments.unix(found))


def _times_of_day(values: Sequence[object], _context: Context) -> list[object] | None:
    found = _ints(values)
    return [value - value % SECOND for value in found] if found is not None and all(0 <= value < MS_OF_DAY for value in found) else None


_DATES: Final[dict[str, Column]] = {
    "pump_seconds": _seconds,
    "pump_days": _days,
    "unix_wall": _unix,
    "ms_of_day": _times_of_day,
}
