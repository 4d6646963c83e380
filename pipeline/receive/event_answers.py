"""Answers of the JSON eras: objects with lists of events. Pure."""

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.receive import jsontext
from pipeline.receive.batch import Batch, Received, Reject, unreadable
from pipeline.receive.jsontext import Twice
from pipeline.receive.whole_numbers import with_whole_numbers
from pipeline.store.reasons import Reason, of_event
from tandem.bff import columns_from_events, records_from_events
from tandem.eras import Era
from tandem.events import EVENTS
from tandem.records import Records
from tfx.errors import FormatError
from tfx.jsonbody import Json

_MORE: Final = re.compile("next|more|cursor|continu|truncat|partial|incomplete", re.IGNORECASE)
"""Members beside the lists that, unless empty, say that there is more of them somewhere, as another list does: no era has any."""
_LISTS: Final = ("events", "clockChanges")
_MEMBERS: Final = frozenset(
    ("deviceAssignmentId", "eventCode", "sequenceGroup", "sequenceNumber", "pumpDateTime", "eventProperties", "estimatedDateTime")
)
_LAST_GROUP: Final = 0x7FFFFFFF


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python looks for cycles whenever many objects are made; JSON has none, and reading it takes a third of the time without looking."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def from_events(era: Era, body: bytes, device: str | None) -> Received:
    """The events of an answer that are events of this device, each a record."""
    try:
        try:
            return _read(era, body, jsontext.read(body), device)
        except RecursionError:
            return _read(era, body, jsontext.read(jsontext.shallow(body)), device)
    except (ValueError, RecursionError):
        return unreadable(era, body, "the answer is not JSON")


def _read(era: Era, body: bytes, answer: object, device: str | None) -> Received:
    lists = [answer.get(name, [] if name == "clockChanges" else None) for name in _LISTS] if isinstance(answer, dict) else []
    events: list[Json] = [event for found in lists if isinstance(found, list) for event in found]
    if not isinstance(answer, dict) or not all(isinstance(found, list) for found in lists):
        return unreadable(era, body, "the answer is not an object with lists of events and clockChanges")
    rejects = [*_beside(answer)]
    kept = _of_device(_plain_objects(events, rejects), device, rejects)
    kept, records = _readable(kept, rejects)
    groups = np.array([event["sequenceGroup"] for event in kept if isinstance(event, dict)], np.int64)
    fits = groups <= _LAST_GROUP
    rejects += [_reject(kept[place], "sequenceGroup: larger than any that was ever seen") for place in np.flatnonzero(~fits).tolist()]
    return Received(era=era.name, batch=Batch(records=records, groups=groups).take(fits), rejects=tuple(rejects))


def _beside(answer: Mapping[str, Json]) -> Iterator[Reject]:
    """What an answer says beside its lists, or lacks. The events are read all the same."""
    beside = {name: told for name, told in answer.items() if name not in _LISTS}
    raw = jsontext.spell(beside)
    if "clockChanges" not in answer:
        yield Reject(reason=Reason.INCOMPLETE, detail="clockChanges: missing", raw=raw)
    for name, told in beside.items():
        has_more = bool(told) and (isinstance(told, list) or _MORE.search(name) is not None)
        yield Reject(reason=Reason.INCOMPLETE if has_more else Reason.STRANGER, detail=_printable(f"{name}, beside the events"), raw=raw)


def _plain_objects(events: list[Json], rejects: list[Reject]) -> list[Json]:
    """Those in which no member stands twice."""
    if not any(_says_twice(event) for event in events):
        return events
    kept = []
    for event in events:
        if _says_twice(event):
            rejects.append(_reject(event, f"{'event' if isinstance(event, Twice) else 'eventProperties'}: a member is there twice"))
        else:
            kept.append(event)
    return kept


def _says_twice(event: Json) -> bool:
    return isinstance(event, Twice) or (isinstance(event, dict) and isinstance(event.get("eventProperties"), Twice))


def _of_device(events: list[Json], device: str | None, rejects: list[Reject]) -> list[Json]:
    if device is None or all([isinstance(event, dict) and event.get("deviceAssignmentId") == device for event in events]):  # noqa: C419  # faster
        return events
    kept = []
    for event in events:
        named = event.get("deviceAssignmentId") if isinstance(event, dict) else device
        if isinstance(named, str) and named.lower() == device.lower():
            kept.append(event)
        else:
            rejects.append(_reject(event, "deviceAssignmentId: not the device that was asked for"))
    return kept


def _readable(events: list[Json], rejects: list[Reject]) -> tuple[list[Json], Records]:
    """The events a record can hold, and their records."""
    try:
        if set().union(*(event for event in events if isinstance(event, dict))) <= _MEMBERS:
            return events, records_from_events(events)
    except FormatError:
        pass
    plain = [with_whole_numbers(event) for event in events]
    reading = columns_from_events(plain)
    faults = {one.index: one.reason for one in reading.rejected}
    rejects += [_reject(events[index], _plain(reason)) for index, reason in faults.items()]
    extras = {index: given for columns in reading.columns.values() if columns.code in EVENTS for index, given in columns.extras.items()}
    kept = [_without_strangers(event, extras.get(index, {}), rejects) for index, event in enumerate(plain) if index not in faults]
    return _fitting(kept, rejects)


def _without_strangers(event: Json, extras: Mapping[str, Json], rejects: list[Reject]) -> Json:
    """The event without members its layout does not know; the quarantine keeps it as it came. A new member costs no reading.

    A spare byte that is 0 is in the record anyway, named or not.
    """
    assert isinstance(event, dict)
    strangers = [name for name in extras if not name.startswith("spare")]
    dropped = {*strangers, *(name for name, value in extras.items() if value == 0)}
    if named := sorted({*strangers, *event.keys() - _MEMBERS}):
        rejects.append(replace(_reject(event, _printable(", ".join(named))), reason=Reason.STRANGER))
    if not dropped:
        return event
    properties = event["eventProperties"]
    assert isinstance(properties, dict)
    return event | {"eventProperties": {name: value for name, value in properties.items() if name not in dropped}}


def _fitting(events: list[Json], rejects: list[Reject]) -> tuple[list[Json], Records]:
    """Those that fit a record; the others are found by halving, so that a few among many cost little."""
    try:
        return events, records_from_events(events)
    except FormatError as e:
        if len(events) == 1:
            rejects.append(_reject(events[0], _plain(str(e))))
            return [], Records.join(())
    middle = len(events) // 2
    left, left_records = _fitting(events[:middle], rejects)
    right, right_records = _fitting(events[middle:], rejects)
    return left + right, Records.join((left_records, right_records))


def _plain(reason: str) -> str:
    """What is said of an event, without its place in the list, which differs from window to window: the field and what is wrong."""
    return _printable(re.sub(r"^event \d+(?: \(code \d+\))?[:,] (?:property (?!of another))?", "", reason))


def _printable(text: str) -> str:
    """The text with half surrogate pairs escaped: no column holds them."""
    return text.encode("utf-8", "backslashreplace").decode()


def _reject(event: Json, detail: str) -> Reject:
    said = event if isinstance(event, dict) else {}
    return Reject(
        reason=of_event(detail),
        detail=detail,
        raw=jsontext.spell(event),
        group=_small(said.get("sequenceGroup"), _LAST_GROUP),
        sequence=_small(said.get("sequenceNumber"), 0xFFFFFFFF),
        code=_small(said.get("eventCode"), 0x7FFFFFFF),
    )


def _small(value: Json, most: int) -> int | None:
    return value if type(value) is int and 0 <= value <= most else None
