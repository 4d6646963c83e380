"""Convert pump events between the JSON API (bff) and records, without loss either way.

An answer of `pump-logs` is `{events, clockChanges}`; an event is `{deviceAssignmentId, eventCode, sequenceGroup, sequenceNumber,
pumpDateTime, eventProperties, estimatedDateTime}`. A record holds code, time, sequence number and payload; the device, the group and the
record's source nibble are the envelope's and the wire's own, so they are given or refused, never dropped in silence. In every public
event `estimatedDateTime` is `pumpDateTime` with a `Z` behind it, so it is written that way.

Payload bytes that no member covers are written as `spareB6`-style members where they are not 0, and read back. A code without a layout is
written as sixteen of them: what the service writes for such codes is not known publicly.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from tandem import clock, members
from tandem.events import EVENTS, RECORD_LENGTH, Field, bare_fields, fields_of, spare_name
from tandem.records import Column, Records
from tfx.errors import FormatError
from tfx.jsonbody import Json

Event = dict[str, Json]

_HEADER: Final = (("sequenceNumber", 0xFFFFFFFF), ("sequenceGroup", (1 << 63) - 1))
_LAST_CODE: Final = 0x0FFF
_NAMES: Final = frozenset(field.name for event in EVENTS.values() for field in event.fields) | {field.name for field in bare_fields()}
"""Every name a property is known by."""
_ABSENT_IS_ZERO: Final = ("json", "spare")  # origins of members older answers may lack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventColumns:
    """The events of one code, by the column, in the order of the answer.

    `index`: where each is in the list. `properties`: name -> column, as `Records.columns` gives them (bit masks as numbers); empty for
    a code without a layout. `extras`: index -> the members the layout does not know, so that none is lost.
    """

    code: int
    index: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.uint32]
    sequence: npt.NDArray[np.uint32]
    group: npt.NDArray[np.int64]
    properties: Mapping[str, Column]
    extras: Mapping[int, Mapping[str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An event that cannot be read: where it is in the list, and why. The reason names members and never values."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What a list of events came to: columns per code, and the events that could not be read."""

    columns: Mapping[int, EventColumns]
    rejected: tuple[Rejected, ...]


# --- records -> JSON


def events_from_records(records: Records, *, device_assignment_id: str, sequence_group: int = 0) -> list[Event]:
    """The events as the bff writes them, in the records' order.

    Raises FormatError for what JSON cannot say: a source nibble other than 0 (Bluetooth records; drop it first with
    `with_header(source=0)`), or a float that is not finite.
    """
    if records.source.any():
        raise FormatError("records with a source other than 0 have no JSON form; clear it with Records.with_header(source=0)")
    properties: list[dict[str, Json]] = [{}] * len(records)
    for code, which, group in records.groups():
        for place, written in zip(which.tolist(), _properties(code, group), strict=True):
            properties[place] = written
    times = clock.texts(records.seconds)
    header = zip(records.code.tolist(), records.sequence.tolist(), times, properties, strict=True)
    return [
        {
            "deviceAssignmentId": device_assignment_id,
            "eventCode": code,
            "sequenceGroup": sequence_group,
            "sequenceNumber": sequence,
            "pumpDateTime": moment,
            "eventProperties": written,
            "estimatedDateTime": f"{moment}Z",
        }
        for code, sequence, moment, written in header
    ]


def _properties(code: int, group: Records) -> list[dict[str, Json]]:
    columns = group.columns(code)
    fields = fields_of(code)
    names = [field.name for field in fields]
    try:
        values = [members.written(columns[field.name], field) for field in fields]
    except FormatError as e:
        raise FormatError(f"event {code}: {e}") from e
    rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    unnamed = EVENTS[code].unnamed if code in EVENTS else ()
    spares = group.rows[:, list(unnamed)]
    for row, column in np.argwhere(spares).tolist():
        rows[row][spare_name(unnamed[column])] = int(spares[row, column])
    return rows


# --- JSON -> columns


def parts_of_answer(answer: Json) -> tuple[list[Json], list[Json]]:
    """`events` and `clockChanges` of a pump-logs answer. Raises FormatError if it is not an object of these two lists and no more."""
    if not isinstance(answer, dict) or set(answer) != {"events", "clockChanges"}:
        raise FormatError("a pump-logs answer is an object with events and clockChanges; this is not")
    events, changes = answer["events"], answer["clockChanges"]
    if not isinstance(events, list) or not isinstance(changes, list):
        raise FormatError("events and clockChanges of a pump-logs answer are lists; these are not")
    return events, changes


def columns_from_events(events: Sequence[Json]) -> Reading:
    """The events by code and column. Never raises for what an event holds: one that cannot be read is in `rejected`.

    A member of origin `json` or `spare` that is absent counts as 0; any other absent one makes the event unreadable.
    """
    by_code: dict[int, dict[int, Event]] = defaultdict(dict)
    rejected: list[Rejected] = []
    for index, event in enumerate(events):
        code = event.get("eventCode") if isinstance(event, dict) else None
        if isinstance(event, dict) and type(code) is int and 0 <= code <= _LAST_CODE:
            by_code[code][index] = event
        else:
            rejected.append(Rejected(index=index, reason=f"event {index}: {_without_code(event)}"))
    columns = {}
    for code in sorted(by_code):
        try:
            columns[code] = _read(code, by_code[code])
        except FormatError:
            faulty = _faulty(code, by_code[code])
            rejected += faulty
            lost = {one.index for one in faulty}
            good = {index: event for index, event in by_code[code].items() if index not in lost}
            if good:
                columns[code] = _read(code, good)
    return Reading(columns=columns, rejected=tuple(sorted(rejected, key=lambda one: one.index)))


def _without_code(event: Json) -> str:
    if not isinstance(event, dict):
        return "not an object"
    is_whole = type(event.get("eventCode")) is int
    return _odd([event], "eventCode", f"not a whole number{f' from 0 to {_LAST_CODE}' if is_whole else ''}")


def _faulty(code: int, events: Mapping[int, Event]) -> list[Rejected]:
    """Those that cannot be read, found by halving: a few among many cost little."""
    try:
        _read(code, events)
    except FormatError as e:
        rows = list(events.items())
        if len(rows) == 1:
            index = rows[0][0]
            return [Rejected(index=index, reason=f"event {index} (code {code}): {e}")]
        middle = len(rows) // 2
        return _faulty(code, dict(rows[:middle])) + _faulty(code, dict(rows[middle:]))
    return []


def _read(code: int, events: Mapping[int, Event]) -> EventColumns:
    chosen = list(events.values())
    header = {name: _header(chosen, name, most) for name, most in _HEADER}
    try:
        seconds = clock.seconds_of_texts([event.get("pumpDateTime") for event in chosen])
    except FormatError as e:
        raise FormatError(_odd(chosen, "pumpDateTime", str(e))) from e
    every = [_object(event) for event in chosen]
    fields = fields_of(code) if code in EVENTS else ()
    properties = {field.name: _column(every, field) for field in fields}
    return EventColumns(
        code=code,
        index=np.array(list(events), np.int64),
        seconds=seconds,
        sequence=header["sequenceNumber"].astype(np.uint32),
        group=header["sequenceGroup"],
        properties=properties,
        extras=_extras(events, every, properties),
    )


def _object(event: Event) -> dict[str, Json]:
    value = event.get("eventProperties")
    if not isinstance(value, dict):
        raise FormatError(_odd([event], "eventProperties", "not an object"))
    return value


def _odd(events: Iterable[Event], name: str, problem: str) -> str:
    """What is wrong with a member of these events: that it is not there, or the problem."""
    return f"{name}: {problem if all(name in event for event in events) else 'missing'}"


def _header(events: list[Event], name: str, most: int) -> npt.NDArray[np.int64]:
    values = [event.get(name) for event in events]
    if not set(map(type, values)) <= {int}:
        raise FormatError(_odd(events, name, "not a whole number"))
    try:
        column = np.array(values, np.int64)
    except OverflowError as e:
        raise FormatError(f"{name}: not a whole number from 0 to {most}") from e
    if len(column) and (column.min() < 0 or column.max() > most):
        raise FormatError(f"{name}: not a whole number from 0 to {most}")
    return column


def _column(every: list[dict[str, Json]], field: Field) -> Column:
    try:
        values = list(map(itemgetter(field.name), every))
    except KeyError as e:
        if field.origin not in _ABSENT_IS_ZERO:
            raise FormatError(f"property {field.name}: missing") from e
        values = [one.get(field.name, 0) for one in every]
    try:
        return members.read(values, field)
    except FormatError as e:
        raise FormatError(f"property {field.name}: {e}") from e


def _extras(index: Iterable[int], every: list[dict[str, Json]], known: Mapping[str, Column]) -> dict[int, dict[str, Json]]:
    rows = zip(index, every, strict=True)
    # A strange member may stand where a known one is absent: hence the keys are compared, not their number.
    return {place: {name: one[name] for name in one if name not in known} for place, one in rows if not one.keys() <= known.keys()}


# --- JSON -> records


def records_from_events(events: Sequence[Json]) -> Records:
    """The records these events were, in their order, source 0.

    The device and the sequence group stay behind: a record has no room for them. Raises FormatError, naming the event and the
    property, if anything else of an event would not fit or would be lost.
    """
    reading = columns_from_events(events)
    if reading.rejected:
        raise FormatError(reading.rejected[0].reason)
    rows = np.empty((len(events), RECORD_LENGTH), np.uint8)
    for code, columns in reading.columns.items():
        built = Records.build(code=code, seconds=columns.seconds, sequence=columns.sequence, columns=columns.properties)
        rows[columns.index] = built.rows
        _write_spares(rows, code, columns.extras)
    return Records(rows=rows)


def _write_spares(rows: npt.NDArray[np.uint8], code: int, extras: Mapping[int, Mapping[str, Json]]) -> None:
    known = EVENTS.get(code)
    spares = {spare_name(offset): offset for offset in known.unnamed} if known else {field.name: field.offset for field in bare_fields()}
    least = 1 if known else 0  # a spare the layout does not name is written only where it is not 0
    for index, given in extras.items():
        for name, value in given.items():
            # A name of no layout may be a person's own.
            where = f"event {index} (code {code}), property {name if name in _NAMES else 'of another name'}"
            if name not in spares:
                raise FormatError(f"{where}: not in the layout of that code, so a record cannot hold it")
            if type(value) is not int or not least <= value <= 0xFF:  # noqa: PLR2004  # one byte
                raise FormatError(f"{where}: not a whole number from {least} to 255, so a record cannot hold it")
            rows[index, spares[name]] = value
        if not known and len(given) != len(spares):
            raise FormatError(f"event {index} (code {code}): a code without a layout is sixteen spares, not {len(given)} members")
