"""Counters of one pump, rebased by a constant: the smallest sequence number seen becomes 1, and so does the first bolus id. Pure.

A survey over the whole recording comes before the first change, because the smallest number need not come first on the wire.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sanitizer.moments import Moments, unset_until
from tandem.events import EVENTS

MOST_BOLUS_IDS = 0xFFFF
BOLUS_CODES = frozenset(code for code, event in EVENTS.items() if any(one.name == "bolusId" for one in event.fields))
DATE_CHANGED = 14


@dataclass(slots=True, kw_only=True)
class Device:
    """What a survey found out about one pump. `first` is the smallest sequence number of each sequence group."""

    first: dict[int, int] = field(default_factory=dict)
    first_bolus: tuple[int, int, int] | None = None
    changes: list[tuple[int, int]] = field(default_factory=list)

    def meet(self, group: int, sequence: int) -> None:
        """A sequence number of a group."""
        self.first[group] = min(sequence, self.first.get(group, sequence))

    def meet_bolus(self, group: int, sequence: int, bolus: int) -> None:
        """A bolus id, and the event it stands on; 0 is no bolus."""
        if bolus and (self.first_bolus is None or (group, sequence) < self.first_bolus[:2]):
            self.first_bolus = (group, sequence, bolus)

    def sequences(self, group: int, values: Sequence[int]) -> list[int]:
        """Rebased sequence numbers of one group."""
        less = self.first.get(group, 1) - 1
        return [value - less for value in values]

    def boluses(self, values: Sequence[int]) -> list[int]:
        """Rebased bolus ids: a ring of 65535, 0 left out."""
        less = self.first_bolus[2] if self.first_bolus else 1
        return [value and (value - less) % MOST_BOLUS_IDS + 1 for value in values]

    def moments(self, shift: int) -> Moments:
        """How its dates move."""
        return Moments(shift=shift, unset_until=unset_until(self.changes))


def survey(device: Device, rows: Iterable[object]) -> None:
    """Meet every event of a bff list; what is no event is left for the rules to refuse."""
    for row in rows:
        if not isinstance(row, dict):
            continue
        code, group, sequence = row.get("eventCode"), row.get("sequenceGroup"), row.get("sequenceNumber")
        if type(code) is not int or type(group) is not int or type(sequence) is not int:
            continue
        device.meet(group, sequence)
        if code in BOLUS_CODES or code == DATE_CHANGED:
            _look_closer(device, code, group, sequence, row.get("eventProperties"))


def _look_closer(device: Device, code: int, group: int, sequence: int, properties: object) -> None:
    if not isinstance(properties, dict):
        return
    if code == DATE_CHANGED:
        before, after = properties.get("datePrior"), properties.get("dateAfter")
        if type(before) is int and type(after) is int:
            device.changes.append((before, after))
        return
    bolus = properties.get("bolusId")
    if type(bolus) is int:
        device.meet_bolus(group, sequence, bolus)
