"""Rebase the counters of one pump: sequence numbers start at 1, wide gaps are narrowed, bolus ids are numbered again. Pure.

A survey over the whole recording comes before the first change, because the smallest number need not come first on the wire.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count, pairwise
from operator import sub
from typing import Final, TypeGuard, cast

from sanitizer.replacements.moments import Moments, unset_until
from tandem.events import EVENTS
from tfx.jsonbody import Json
from tfx.tables import Table, whole

LAST_GROUP = (1 << 63) - 1
MOST_BOLUS_IDS = 0xFFFF
LAST_SEQUENCE = 0xFFFFFFFF
WIDEST_GAP = 99
"""How far two neighbouring sequence numbers of a cassette are apart at most. Ungapped days of the stand-in show up to 9; what is wider is a
time nobody asked for or a filter, whose width tells when, or one number that is none of the pump's. Order and identity stay."""
BOLUS_CODES = frozenset(code for code, event in EVENTS.items() if any(one.name == "bolusId" for one in event.fields))
DATE_CHANGED = 14


@dataclass(slots=True, kw_only=True)
class Device:
    """What a survey found out about one pump. `numbers` are the sequence numbers of each sequence group."""

    numbers: dict[int, set[int]] = field(default_factory=dict)
    rebased: dict[int, dict[int, int] | int] = field(default_factory=dict)
    first_bolus: tuple[int, int, int] | None = None
    bolus_ids: set[int] = field(default_factory=set)
    rebased_boluses: dict[int, int] = field(default_factory=dict)
    changes: list[tuple[int, int]] = field(default_factory=list)

    def meet(self, group: int, sequences: Iterable[int]) -> None:
        """Sequence numbers of a group."""
        self.numbers.setdefault(group, set()).update(sequences)
        self.rebased.pop(group, None)

    def meet_bolus(self, group: int, sequence: int, bolus: int) -> None:
        """A bolus id, and the event it stands on; 0 is no bolus."""
        if not bolus:
            return
        self.bolus_ids.add(bolus)
        self.rebased_boluses.clear()
        if self.first_bolus is None or (group, sequence) < self.first_bolus[:2]:
            self.first_bolus = (group, sequence, bolus)

    def sequences(self, group: int, values: list[int]) -> list[int]:
        """Rebased sequence numbers of one group, in the order they had (the list itself where none changes); 0 is a blank."""
        if group not in self.rebased:
            self.rebased[group] = _narrowed(self.numbers.get(group, ()))
        by = self.rebased[group]
        if isinstance(by, int):
            return [value and value - by for value in values] if by else values
        return [by.get(value, 0) for value in values]

    def groups(self) -> dict[int, int]:
        """Each sequence group's place among those met, counted from 0: the pump starts a new one each time its log is reset."""
        return {group: place for place, group in enumerate(sorted(self.numbers))}

    def boluses(self, values: Sequence[int]) -> list[int]:
        """Bolus ids counted from 1, in the order they have behind the first on a ring of 65535; 0 is no bolus."""
        if not self.rebased_boluses:
            first = self.first_bolus[2] if self.first_bolus else 1
            ring = sorted(self.bolus_ids, key=lambda bolus: (bolus - first) % MOST_BOLUS_IDS)
            self.rebased_boluses.update(zip(ring, count(1)))
        return [self.rebased_boluses.get(value, 0) for value in values]

    def moments(self, shift: int) -> Moments:
        """How its dates move."""
        return Moments(shift=shift, unset_until=unset_until(self.changes))


def group_of(value: object) -> int:
    """The sequence group as it was sent; what is no group counts as the first, which is what its blank says."""
    return value if type(value) is int and 0 < value <= LAST_GROUP else 0


def _narrowed(met: Iterable[int]) -> dict[int, int] | int:
    """What becomes of each number, or what all are less by where no gap is too wide."""
    numbers = sorted(met)
    numbers = numbers[bisect_right(numbers, 0) : bisect_right(numbers, LAST_SEQUENCE)]
    if not numbers:
        return {}
    if max(map(sub, numbers[1:], numbers), default=0) <= WIDEST_GAP:
        return numbers[0] - 1
    steps = (min(after - before, WIDEST_GAP) for before, after in pairwise(numbers))
    return dict(zip(numbers, accumulate(steps, initial=1), strict=True))


def survey(device: Device, rows: list[Json], table: Table | None = None) -> Table:
    """Meet every event of a bff list, and give it taken apart; what is no event is left for the rules to blank."""
    table = table or Table.of(rows)
    columns = table.columns
    groups, sequences = columns.get("sequenceGroup"), columns.get("sequenceNumber")
    numbered, grouped = whole(sequences or (), _LAST_INTEGER), whole(groups or (), LAST_GROUP)
    if numbered is None or grouped is None:
        _survey_rows(device, rows)
        return table
    codes, properties = columns.get("eventCode", ()), columns.get("eventProperties", ())
    for index in [index for index, code in enumerate(codes[: len(properties)]) if type(code) is int and code in _TELLING]:
        _look_closer(device, cast("int", codes[index]), grouped[index], numbered[index], properties[index])
    if grouped.count(grouped[0]) == len(grouped):
        device.meet(grouped[0], numbered)
        return table
    met: dict[int, set[int]] = defaultdict(set)
    for group, sequence in zip(grouped, numbered, strict=True):
        met[group].add(sequence)
    for group, numbers in met.items():
        device.meet(group, numbers)
    return table


_LAST_INTEGER: Final = (1 << 64) - 1


def _survey_rows(device: Device, rows: Iterable[object]) -> None:
    """Event by event, where they are not alike."""
    events = [row for row in rows if isinstance(row, dict)]
    groups = [group_of(row.get("sequenceGroup")) for row in events]
    sequences = [value if type(value := row.get("sequenceNumber")) is int else 0 for row in events]
    met: dict[int, set[int]] = defaultdict(set)
    for group, sequence in zip(groups, sequences, strict=True):
        met[group].add(sequence)
    for row, group, sequence in zip(events, groups, sequences, strict=True):
        code = row.get("eventCode")
        if type(code) is int and code in _TELLING:
            _look_closer(device, code, group, sequence, row.get("eventProperties"))
    for group, numbers in met.items():
        device.meet(group, numbers)


_TELLING: Final = BOLUS_CODES | {DATE_CHANGED}


def _look_closer(device: Device, code: int, group: int, sequence: int, properties: object) -> None:
    if not isinstance(properties, dict):
        return
    if code == DATE_CHANGED:
        before, after = properties.get("datePrior"), properties.get("dateAfter")
        if _is_number(before) and _is_number(after):
            device.changes.append((before, after))
        return
    bolus = properties.get("bolusId")
    if _is_number(bolus) and bolus <= MOST_BOLUS_IDS:
        device.meet_bolus(group, sequence, bolus)


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= LAST_SEQUENCE
