"""Decode the service's event responses of every era into arrays of records. Pure.

Nothing here raises because of a response's content. What cannot be read becomes a `Reject` with the raw text, for the quarantine; reasons
and details name places, never values.
"""

import binascii
import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import pybase64

from pipeline.receive import jsontext
from pipeline.receive.framing import believed
from pipeline.receive.jsontext import Twice
from pipeline.receive.whole_numbers import with_whole_numbers
from pipeline.store.reasons import HOLES, Reason, of_event
from tandem.bff import columns_from_events, records_from_events
from tandem.eras import Era
from tandem.events import EVENTS, RECORD_LENGTH
from tandem.records import Records
from tandem.windows import Window
from tfx.errors import FormatError
from tfx.jsonbody import Json

NO_GROUP: Final = 0
"""The sequence group of era 2025, which knew none; every group ever seen in the json eras is 0 too."""

_MORE: Final = re.compile("next|more|cursor|continu|truncat|partial|incomplete", re.IGNORECASE)
"""Members beside the lists that, unless empty, say that there is more of them somewhere, as another list does: no era has any."""
_LISTS: Final = ("events", "clockChanges")
_MEMBERS: Final = frozenset(
    ("deviceAssignmentId", "eventCode", "sequenceGroup", "sequenceNumber", "pumpDateTime", "eventProperties", "estimatedDateTime")
)

_LAST_GROUP: Final = 0x7FFFFFFF

Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something received that is no event: `raw` as it came, or None where raw_events keeps the record of that identity."""

    reason: Reason
    detail: str
    raw: bytes | None
    group: int | None = None
    sequence: int | None = None
    code: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Records of one device with the sequence group of each. No slots: the columns of the header are read out of the records once."""

    records: Records
    groups: Groups

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def codes(self) -> npt.NDArray[np.uint16]:
        """Event codes."""
        return self.records.code

    @cached_property
    def seconds(self) -> npt.NDArray[np.uint32]:
        """Seconds since 2008 on the pump's wall clock."""
        return self.records.seconds

    @cached_property
    def sequence(self) -> npt.NDArray[np.uint32]:
        """Sequence numbers."""
        return self.records.sequence

    @property
    def keys(self) -> npt.NDArray[np.int64]:
        """Group and sequence number in one number: the identity within a device."""
        return (self.groups << 32) | self.sequence

    @cached_property
    def group_numbers(self) -> tuple[int, ...]:
        """The sequence groups there are: one, as far as anybody has seen."""
        if len(self) and (self.groups == self.groups[0]).all():
            return (int(self.groups[0]),)
        return tuple(np.unique(self.groups).tolist())

    @classmethod
    def join(cls, parts: Sequence["Batch"]) -> "Batch":
        """All records of the parts, one part after the other."""
        return cls(records=Records.join(part.records for part in parts), groups=np.concatenate([part.groups for part in parts]))

    def take(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Batch":
        """The records at these positions, or where this mask is true."""
        return Batch(records=self.records.take(which), groups=self.groups[which])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Received:
    """One answer, read: the events it held (any number of times), and what could not be read."""

    era: str
    batch: Batch
    rejects: tuple[Reject, ...] = ()

    @property
    def has_hole(self) -> bool:
        """Whether events of its days are missing for sure: nothing could be read, or it is not whole records to its end."""
        return any(reject.reason in HOLES for reject in self.rejects)


def joined(answers: Sequence[Received]) -> Received:
    """Answers of one era and device as one, in their order."""
    if len(answers) == 1:
        return answers[0]
    rejects = tuple(reject for answer in answers for reject in answer.rejects)
    return Received(era=answers[0].era, batch=Batch.join([answer.batch for answer in answers]), rejects=rejects)


def received(era: Era, body: bytes, *, device: str | None = None, window: Window | None = None) -> Received:
    """Read the answer of `pumpevents` or of `pump-logs`, as the era has it.

    `device` is the assignment id asked for (json eras); events of another one are rejected. `window` is the days asked for: by them a
    stream of records (era 2025) is found out of step.
    """
    return _from_records(era, body, window) if era.wire == "binary" else _from_events(era, body, device)


# --- era 2025: a JSON string of base64 of records


def _from_records(era: Era, body: bytes, window: Window | None) -> Received:
    stream = _stream(body)
    if stream is None:
        return _unreadable(era, body, "the answer is not a JSON string of base64")
    end = believed(stream, window) * RECORD_LENGTH
    records = Records.parse(memoryview(stream)[:end])
    rejects = (_rest(stream[end:]),) if len(stream) > end else ()
    return Received(era=era.name, batch=Batch(records=records, groups=np.full(len(records), NO_GROUP, np.int64)), rejects=rejects)


def _rest(tail: bytes) -> Reject:
    if len(tail) < RECORD_LENGTH:
        return Reject(reason=Reason.TRUNCATED, detail=f"{len(tail)} of {RECORD_LENGTH} bytes", raw=tail)
    return Reject(reason=Reason.BROKEN, detail=f"{len(tail):,} bytes in which no record can be told from the next", raw=tail)


def _stream(body: bytes) -> bytes | None:
    """The bytes of a JSON string of base64; None where it is something else."""
    try:
        if len(body) > 1 and body[:1] == body[-1:] == b'"' and b"\\" not in body:  # nothing is escaped: the text is between the quotes
            return pybase64.b64decode(memoryview(body)[1:-1], validate=True)
        text: object = orjson.loads(body)
        return pybase64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (orjson.JSONDecodeError, binascii.Error, ValueError):
        return None


# --- json eras: objects of events


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
def _from_events(era: Era, body: bytes, device: str | None) -> Received:
    try:
        try:
            return _read(era, body, jsontext.read(body), device)
        except RecursionError:
            return _read(era, body, jsontext.read(jsontext.shallow(body)), device)
    except (ValueError, RecursionError):
        return _unreadable(era, body, "the answer is not JSON")


def _read(era: Era, body: bytes, answer: object, device: str | None) -> Received:
    lists = [answer.get(name, [] if name == "clockChanges" else None) for name in _LISTS] if isinstance(answer, dict) else []
    events: list[Json] = [event for found in lists if isinstance(found, list) for event in found]
    if not isinstance(answer, dict) or not all(isinstance(found, list) for found in lists):
        return _unreadable(era, body, "the answer is not an object with lists of events and clockChanges")
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


def _unreadable(era: Era, body: bytes, detail: str) -> Received:
    nothing = Batch(records=Records.join(()), groups=np.empty(0, np.int64))
    return Received(era=era.name, batch=nothing, rejects=(Reject(reason=Reason.UNREADABLE, detail=detail, raw=body),))
