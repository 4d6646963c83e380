"""The structure of a pump's events, and where their amounts are: one view of JSON and 26-byte records. Pure.

Reading gives codes, times, numbers and flags, never an amount; so what is made from it cannot depend on one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from sanitizer.replacements.devices import LAST_SEQUENCE, group_of
from sanitizer.values.amounts import AMOUNTS, FACTS
from sanitizer.values.numbers import Whole
from tandem import clock
from tandem.events import EVENTS, Field
from tandem.members import written
from tandem.records import Records
from tfx.errors import FormatError
from tfx.jsonbody import Json

Amounts = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Events of one code: `seconds` on the pump's clock, group and sequence number, and `facts`, every field that is no amount.

    Bit masks are numbers; a member that is absent or blank counts as 0.
    """

    seconds: Whole
    group: Whole
    sequence: Whole
    facts: Mapping[str, Whole]

    def __len__(self) -> int:
        return len(self.seconds)


class Carrier(Protocol):
    """Events as they stand in one answer."""

    def read(self) -> Mapping[int, Rows]:
        """The structure of those that hold amounts, by code."""

    def write(self, code: int, amounts: Amounts, *, changes: bool) -> Iterator[tuple[str, int, bool]]:
        """Put amounts in, in the order of `read`, or compare: each field's name, how many places hold one, whether any was another."""


class JsonEvents:
    """A list of events of the bff, written to in place."""

    __slots__ = ("_chosen",)

    def __init__(self, listed: list[Json]) -> None:
        self._chosen: dict[int, list[tuple[dict[str, Json], dict[str, Json]]]] = defaultdict(list)
        for row in listed:
            if not isinstance(row, dict):
                continue
            code, properties = row.get("eventCode"), row.get("eventProperties")
            if type(code) is int and code in AMOUNTS and isinstance(properties, dict):
                self._chosen[code].append((row, properties))

    def read(self) -> Mapping[int, Rows]:
        """See `Carrier`."""
        return {code: _rows(code, chosen) for code, chosen in self._chosen.items()}

    def write(self, code: int, amounts: Amounts, *, changes: bool) -> Iterator[tuple[str, int, bool]]:
        """See `Carrier`."""
        every = [properties for _, properties in self._chosen[code]]
        fields = {field.name: field for field in EVENTS[code].fields}
        for name, column in amounts.items():
            places, is_other = 0, False
            for properties, value in zip(every, written(column.astype(fields[name].type), fields[name]), strict=True):
                before = properties.get(name)
                if type(before) is int or type(before) is float:  # a blank of another type says nothing
                    places += 1
                    is_other = is_other or before != value or type(before) is not type(value)
                    if changes:
                        properties[name] = value
            yield name, places, is_other


def _rows(code: int, chosen: Sequence[tuple[dict[str, Json], dict[str, Json]]]) -> Rows:
    every = [properties for _, properties in chosen]
    return Rows(
        seconds=_seconds([row.get("pumpDateTime") for row, _ in chosen]),
        group=np.array([group_of(row.get("sequenceGroup")) for row, _ in chosen], np.int64),
        sequence=np.array([_whole(row.get("sequenceNumber"), 0, LAST_SEQUENCE) for row, _ in chosen], np.int64),
        facts={field.name: _facts(every, field) for field in FACTS[code]},
    )


def _seconds(texts: Sequence[Json]) -> Whole:
    try:
        return clock.seconds_of_texts(texts).astype(np.int64)
    except FormatError:
        return np.array([_moment(text) for text in texts], np.int64)


def _moment(text: Json) -> int:
    try:
        return clock.seconds_of(datetime.fromisoformat(str(text)).replace(tzinfo=None, microsecond=0))
    except (ValueError, FormatError):
        return 0


def _facts(every: Sequence[dict[str, Json]], field: Field) -> Whole:
    low, high = field.bounds
    values = [one.get(field.name, 0) for one in every]
    if field.meaning == "bitmask":
        values = [_mask(value) for value in values]
    if set(map(type, values)) <= {int}:
        with suppress(OverflowError):
            column = np.array(values, np.int64)
            return np.where((column >= low) & (column <= high), column, 0)
    return np.array([_whole(value, low, high) for value in values], np.int64)


def _whole(value: Json, low: int, high: int) -> int:
    return value if type(value) is int and low <= value <= high else 0


_WIDEST: Final = 32


def _mask(value: Json) -> int:
    return sum(1 << bit for bit in value if type(bit) is int and 0 <= bit < _WIDEST) if isinstance(value, list) else 0


class RecordEvents:
    """A stream of records; `records` is what it has become."""

    __slots__ = ("_places", "records")

    def __init__(self, records: Records) -> None:
        self.records = records
        self._places = {code: which for code, which, _ in records.groups() if code in AMOUNTS}

    def read(self) -> Mapping[int, Rows]:
        """See `Carrier`."""
        return {code: self._rows(code, self.records.take(which)) for code, which in self._places.items()}

    def _rows(self, code: int, chosen: Records) -> Rows:
        columns = chosen.columns(code)
        return Rows(
            seconds=chosen.seconds.astype(np.int64),
            group=np.zeros(len(chosen), np.int64),
            sequence=chosen.sequence.astype(np.int64),
            facts={field.name: columns[field.name].astype(np.int64) for field in FACTS[code]},
        )

    def write(self, code: int, amounts: Amounts, *, changes: bool) -> Iterator[tuple[str, int, bool]]:
        """See `Carrier`."""
        before = self.records.columns(code)
        other = self.records.with_columns(code, amounts)
        after = other.columns(code)
        if changes:
            self.records = other
        for name in amounts:
            yield name, len(after[name]), before[name].tobytes() != after[name].tobytes()


def joined(parts: Sequence[Rows]) -> tuple[Rows, list[npt.NDArray[np.intp]]]:
    """Every event once, in the order of time, and for each part where its events are in that; windows overlap, and doses count once."""
    names = list(parts[0].facts)
    tables = [np.column_stack([one.seconds, one.group, one.sequence, *(one.facts[name] for name in names)]) for one in parts]
    table, inverse = np.unique(np.concatenate(tables), axis=0, return_inverse=True)
    columns = list(table.T)
    rows = Rows(seconds=columns[0], group=columns[1], sequence=columns[2], facts=dict(zip(names, columns[3:], strict=True)))
    return rows, np.split(inverse.reshape(-1), np.cumsum([len(one) for one in parts])[:-1])
