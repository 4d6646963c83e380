"""Sanitize pump events in JSON: by column where there are many, one by one only where something is odd. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, groupby
from operator import is_not, itemgetter
from types import MappingProxyType
from typing import Final, cast

from sanitizer.places.members import stranger
from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Rule
from sanitizer.replacements.devices import LAST_GROUP, LAST_SEQUENCE, Device, group_of
from sanitizer.replacements.fields import KNOWN_CODES, LAST_CODE, UNKNOWN_CODE, Context, Way, layout, way
from sanitizer.replacements.leaves import blank, is_blank
from tfx.jsonbody import Json
from tfx.tables import Row, Table, columns_of, one_shape, put, whole, with_columns

LISTS: Final = ("events", "clockChanges")
ENVELOPE: Final = (
    "deviceAssignmentId",
    "eventCode",
    "sequenceGroup",
    "sequenceNumber",
    "pumpDateTime",
    "eventProperties",
    "estimatedDateTime",
)
_WITHOUT_ZONE: Final = len("2024-07-01T00:00:00")
_NONE: Final[Mapping[str, Table]] = MappingProxyType({})
_UUID = Rule(word="uuid")
_DATE = Rule(word="date")
_SPARE = re.compile(r"(?:spare|reserved)[A-D]\d{1,2}\Z")


def pump_logs(visitor: Visitor, device: Device, value: Json, place: str, tables: Mapping[str, Table] = _NONE) -> Json:
    """A `pump-logs` answer: `{events, clockChanges}`; `tables` has those of its lists that a survey has taken apart."""
    if not isinstance(value, dict):
        return value if is_blank(value) else visitor.unknown(value, place, "not a pump-logs answer")
    out: Row = {}
    for key, item in value.items():
        if key in LISTS and isinstance(item, list):
            out[key] = _Rows(visitor, device, f"{place}.{key}").changed(tables.get(key) or Table.of(item))
        else:
            out |= stranger(visitor, key, item, f"{place}.", len(out) + 1)
    return out


class _Rows:
    """One list of events. What is odd is reported once per list and place, however many events show it."""

    __slots__ = ("_context", "_dated", "_device", "_noted", "_place", "_stand_ins", "_visitor")

    def __init__(self, visitor: Visitor, device: Device, place: str) -> None:
        self._visitor, self._device, self._place = visitor, device, place
        self._context = Context(device=device, moments=device.moments(visitor.run.epoch.days))
        self._noted: set[tuple[str, str]] = set()
        self._stand_ins: dict[str, Json] = {}
        self._dated: tuple[list[str], list[str | None]] = [], []

    def changed(self, table: Table) -> list[Json]:
        """The events in their order."""
        rows = table.rows
        if table.names is not None:
            return list(self._of_shape(table.names, rows, table.columns))
        shapes: dict[tuple[str, ...] | None, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            shapes[tuple(row) if isinstance(row, dict) else None].append(index)
        # In the order of the events and not of their shapes, for some of these may be alike when they are clean.
        self._devices([row["deviceAssignmentId"] for row in rows if isinstance(row, dict) and "deviceAssignmentId" in row])
        out: list[Json] = [{}] * len(rows)
        for names, places in shapes.items():
            chosen = [rows[index] for index in places]
            columns = Table.of(chosen).columns if names else {}
            for index, row in zip(places, self._of_shape(names, chosen, columns), strict=True):
                out[index] = row
        return out

    def _of_shape(self, names: tuple[str, ...] | None, rows: list[Json], columns: Mapping[str, list[Json]]) -> Sequence[Json]:
        if names is None:
            if not all(map(is_blank, rows)):
                self._visitor.run.unkept.value(rows)
                self._note("", "an event that is not an object")
            return [blank(row) for row in rows] if self._visitor.changes else rows
        for name in names:
            if name not in ENVELOPE:
                self._visitor.run.unkept.value({name: columns[name]})
                self._note(f".{self._visitor.name(name)}", "a member without a rule")
        kept = [name for name in names if name in ENVELOPE]
        done = {name: self._header(name, columns) for name in kept if name != "eventProperties"}
        if "eventProperties" in columns:
            done["eventProperties"] = self._properties(columns.get("eventCode", [-1] * len(rows)), columns["eventProperties"])
        if not self._visitor.changes:
            return rows
        return cast("list[Json]", with_columns(cast("list[Row]", rows), columns, {name: done[name] for name in kept}))

    def _note(self, place: str, kind: str) -> None:
        if (place, kind) not in self._noted:
            self._noted.add((place, kind))
            self._visitor.note(f"{self._place}[]{place}", kind)

    def _remark(self, place: str, kind: str) -> None:
        if (place, kind) not in self._noted:
            self._noted.add((place, kind))
            self._visitor.remark(f"{self._place}[]{place}", kind)

    def _blanked(self, place: str, kind: str, values: Iterable[Json]) -> None:
        """Say that values which are no such thing go; what says nothing is at home everywhere."""
        said = [value for value in values if not is_blank(value)] if self._visitor.changes else []
        if said:
            self._visitor.run.unkept.value(said)
            self._note(place, f"{kind}; blanked")

    # --- the envelope

    def _header(self, name: str, columns: Mapping[str, list[Json]]) -> list[Json]:
        values = columns[name]
        if name == "deviceAssignmentId":
            self._devices(values)
            self._visitor.count("uuid", f"{self._place}[].{name}", len(values))
            return [self._stand_ins[text] for text in _texts(values)] if self._visitor.changes else values
        if name in ("pumpDateTime", "estimatedDateTime"):
            return self._settled(f".{name}", values, self._dates(name, values), "a date outside the synthetic window")
        if name == "sequenceNumber":
            groups = columns.get("sequenceGroup", [0] * len(values))
            return self._settled(f".{name}", values, self._sequences(groups, values), "a sequence number that is not rebased")
        if name == "sequenceGroup":
            places = self._device.groups()
            inside = values
            if not (whole(values, LAST_GROUP) and all(places[group] == group for group in set(cast("list[int]", values)))):
                inside = [places[value] if _is_whole(value, LAST_GROUP) else blank(value) for value in values]  # type: ignore[index]
                self._blanked(f".{name}", "not a sequence group", _strange(values, LAST_GROUP))
            return self._settled(f".{name}", values, inside, "a sequence group that is not rebased")
        return self._settled(f".{name}", values, self._codes(values), "not the code of a known event")

    def _devices(self, values: list[Json]) -> None:
        place = f"{self._place}[].deviceAssignmentId"
        for text in dict.fromkeys(_texts(values)):
            if text not in self._stand_ins:
                self._stand_ins[text] = self._visitor.leaf(_UUID, text, place)
                self._visitor.run.devices.append(str(self._stand_ins[text]))
                self._visitor.count("uuid", place, -1)  # the events are counted

    def _codes(self, values: list[Json]) -> list[Json]:
        if set(map(type, values)) == {int} and KNOWN_CODES.issuperset(cast("list[int]", values)):
            return values
        for code in sorted({value for value in values if _is_whole(value, LAST_CODE)} - {*KNOWN_CODES, UNKNOWN_CODE}):  # type: ignore[type-var]  # whole numbers, every one
            if self._visitor.changes:
                self._remark(".eventCode", f"event {code} is unknown to tfx; {UNKNOWN_CODE} stands for it, and its payload is zeroed")
        self._blanked(".eventCode", "not an event code", _strange(values, LAST_CODE))
        return [(value if value in KNOWN_CODES else UNKNOWN_CODE) if type(value) is int else blank(value) for value in values]

    def _dates(self, name: str, values: list[Json]) -> list[Json]:
        self._visitor.count("date", f"{self._place}[].{name}", len(values))
        texts = _texts(values)
        before, moved = self._dated
        if texts != before:  # mostly both times of an event are one, or one but for the letter that says UTC
            if set(map(len, before)) == {_WITHOUT_ZONE} and None not in moved and texts == [f"{text}Z" for text in before]:
                moved = cast("list[str | None]", texts) if moved is before else [f"{text}Z" for text in moved]
            else:
                moved = self._visitor.run.epoch.column(texts, self._context.moments.is_unset)
            self._dated = texts, moved
        if moved is texts:
            return values
        if None in moved:
            self._blanked(f".{name}", "not a date", compress(values, (text is None for text in moved)))
        return [blank(value) if text is None else text for value, text in zip(values, moved, strict=True)]

    def _sequences(self, groups: list[Json], values: list[Json]) -> list[Json]:
        self._visitor.count("sequence", f"{self._place}[].sequenceNumber", len(values))
        numbered, grouped = whole(values, LAST_SEQUENCE), whole(groups, LAST_GROUP)
        if numbered and grouped and grouped.count(grouped[0]) == len(grouped):
            return cast("list[Json]", self._device.sequences(grouped[0], numbered))
        self._blanked(".sequenceNumber", "not a sequence number", _strange(values, LAST_SEQUENCE))
        out: list[Json] = []
        for group, numbers in _by_group(groups, values):
            usable = [number if _is_whole(number, LAST_SEQUENCE) else 0 for number in numbers]
            rebased = self._device.sequences(group, usable)  # type: ignore[arg-type]  # whole numbers, every one
            out += [one if type(number) is int else blank(number) for number, one in zip(numbers, rebased, strict=True)]
        return out

    def _settled(self, place: str, before: Sequence[Json], after: Sequence[Json], kind: str) -> list[Json]:
        """What was worked out; the checking visitor reports a difference and leaves all as it is."""
        if not self._visitor.changes:
            # Of the same type too: false equals 0, and 30.0 equals 30.
            if before is not after and (list(before) != list(after) or list(map(type, before)) != list(map(type, after))):
                self._note(place, kind)
            after = before
        return after if isinstance(after, list) else list(after)

    # --- eventProperties

    def _properties(self, codes: Sequence[Json], values: list[Json]) -> list[Json]:
        shapes = _shapes(codes, values)
        out: list[Json] = [{}] * len(values) if self._visitor.changes else values
        for shape, (places, rows) in shapes.items():
            if shape is None:
                if any(not is_blank(row) if self._visitor.changes else row != {} for row in rows):
                    self._visitor.run.unkept.value(rows)
                    self._note(".eventProperties", "properties of no known event")
                continue
            done = self._of_code(int(str(shape[0])), shape[1], cast("list[Row]", rows))
            for index, row in zip(places, done, strict=True) if self._visitor.changes else ():
                out[index] = row
        return out

    def _of_code(self, code: int, names: tuple[str, ...], rows: list[Row]) -> list[Json]:
        out = list(map(dict.copy, rows)) if self._visitor.changes else rows
        for name, values in zip(names, columns_of(rows), strict=True):
            found = self._property(code, name, values)
            if not self._visitor.changes:
                continue
            if found is None:
                for row in out:
                    del row[name]
            elif found is not values and any(map(is_not, found, values)):
                put(out, name, found)
        return list(out)

    def _property(self, code: int, name: str, values: Sequence[Json]) -> list[Json] | None:
        """The changed column, or None where the member goes: bytes nobody can explain are zero, and the bff leaves zero spares out."""
        known = way(self._visitor.run.policy, code, name)
        if known is not None:
            return self._field(known, code, name, values)
        spare = _SPARE.match(name) is not None
        if spare and not layout(code):
            return self._spare(code, name, values)
        if not self._visitor.changes:
            self._note(f".eventProperties.{self._visitor.name(name)}", f"a property event {code} does not have")
            return list(values)
        if not spare:
            self._visitor.run.unkept.value({name: list(values)})
            self._note(f".eventProperties.{self._visitor.name(name)}", f"a property event {code} does not have; removed")
        self._visitor.count("property dropped", f"{self._place}[].eventProperties", len(values))
        return None

    def _spare(self, code: int, name: str, values: Sequence[Json]) -> list[Json]:
        self._visitor.count("zero", f"{self._place}[].eventProperties.{name} of event {code}", len(values))
        return self._settled(
            f".eventProperties.{name}",
            values,
            [0 if isinstance(value, bool) else blank(value) for value in values],
            "a payload byte that is not zero",
        )

    def _field(self, known: Way, code: int, name: str, values: Sequence[Json]) -> list[Json]:
        change, what = known.column, known.treatment
        where = f"{self._place}[].eventProperties.{name} of event {code}"
        if what == "keep":
            self._visitor.count_kept(known.domain, where, len(values))
        else:
            self._visitor.count(what, where, len(values))
        found = change(values, self._context)
        place = f".eventProperties.{name}"
        if found is None:
            found = []
            for value in values:
                one = change([value], self._context)
                if one is None and not is_blank(value):
                    self._visitor.run.unkept.value(value)
                    self._note(place, f"not what event {code} can hold there" + ("; blanked" if self._visitor.changes else ""))
                found.append(one[0] if one else blank(value) if self._visitor.changes else value)
        after: list[Json] = found  # type: ignore[assignment]  # columns of Json in, columns of Json out
        return self._settled(place, values, after, f"{_SAYS[what]} (event {code})")


_SAYS: Final = {
    "keep": "outside its domain",
    "zero": "not zero",
    "counter": "a device counter that links",
    "bolus": "a bolus id that is not rebased",
    "date": "a date outside the synthetic window",
}


def _by_group(groups: list[Json], values: list[Json]) -> Iterator[tuple[int, list[Json]]]:
    """Runs of sequence numbers of one group, in their order; mostly there is one. What is no group counts as the first."""
    numbers = map(group_of, groups)
    for group, run in groupby(zip(numbers, values, strict=True), key=itemgetter(0)):
        yield group, [value for _, value in run]


def _strange(values: Iterable[Json], most: int) -> Iterator[Json]:
    return (value for value in values if not _is_whole(value, most))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else str(value)


def _texts(values: Sequence[Json]) -> list[str]:
    # A set of types tells what most columns are.
    return cast("list[str]", values) if set(map(type, values)) <= {str} else [_text(value) for value in values]


Shape = tuple[Json, tuple[str, ...]]
"""A code, and the names of the members of its properties."""


def _shapes(codes: Sequence[Json], values: Sequence[Json]) -> dict[Shape | None, tuple[list[int], list[Json]]]:
    """The properties of each code and each set of member names, with their places in the list; None for what is none."""
    shapes: dict[Shape | None, tuple[list[int], list[Json]]] = defaultdict(lambda: ([], []))
    by_code: dict[Json, list[int]] = defaultdict(list)
    for index, code_there in enumerate(whole(codes, LAST_CODE) or ()):
        by_code[code_there].append(index)
    # Mostly all events of a code are alike; then names are compared, not looked up.
    for code, places in by_code.items() or ((None, [*range(len(values))]),):
        rows = list(map(values.__getitem__, places))
        names = one_shape(rows)
        if names is not None and code is not None:
            shapes[code, names] = places, rows
            continue
        for index, value in zip(places, rows, strict=True):
            of = codes[index]
            there = shapes[(of, tuple(value)) if isinstance(value, dict) and _is_whole(of, LAST_CODE) else None]
            there[0].append(index)
            there[1].append(value)
    return dict(sorted(shapes.items(), key=lambda found: found[1][0][0]))


def _is_whole(value: Json, most: int) -> bool:
    return type(value) is int and 0 <= value <= most
