"""Cut pump events out of recorded bodies and join them again byte for byte: JSON, and binary of era 2025. Pure.

A lane holds the events of one recorded answer in its order. Cutting a window takes the events of several lanes, drops what two of them
both hold, keeps the order the service uses (by sequence or by time, whichever every recorded answer shows) and filters.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol, cast

from tfx.errors import CassetteError
from tfx.jsonbody import Json

__tracebackhide__ = True  # pytest --showlocals would print the live request

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = " \t\r\n"
_EPOCH: Final = datetime(2008, 1, 1)  # noqa: DTZ001  # pump wall clocks carry no zone


class Lane(Protocol):
    """The events of one recorded answer, or of several joined."""

    def joined(self, lanes: Sequence["Lane"]) -> "Lane":
        """This lane with the events of all these lanes (this one among them), each once, in the service's order."""

    def cut(self, events: "Lane", first: datetime, last: datetime, codes: frozenset[int] | None) -> bytes:
        """A body in the manner of this lane, with those of `events` that fall between `first` and `last` and have these codes."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JsonEvent:
    """One event: what it is found by, and its text as recorded."""

    identity: tuple[int, int]
    when: datetime
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JsonLane:
    """`{events: [...], clockChanges: [...]}` as text before the first event, the events, the text between two, the text after."""

    before: str
    events: tuple[JsonEvent, ...]
    between: str
    after: str

    def joined(self, lanes: Sequence[Lane]) -> "JsonLane":
        """See `Lane.joined`."""
        ours = [one for one in lanes if isinstance(one, JsonLane)]
        between = next((one.between for one in ours if one.between), "")
        return JsonLane(before=self.before, events=tuple(_merged(ours)), between=between, after=self.after)

    def cut(self, events: Lane, first: datetime, last: datetime, codes: frozenset[int] | None) -> bytes:
        """See `Lane.cut`."""
        assert isinstance(events, JsonLane)
        chosen = [one.text for one in events.events if first <= one.when <= last and (codes is None or one.code in codes)]
        return f"{self.before}{(self.between or events.between or ',').join(chosen)}{self.after}".encode()


def _merged(lanes: Sequence[JsonLane]) -> list[JsonEvent]:
    if len(lanes) == 1:
        return list(lanes[0].events)
    joined: list[JsonEvent] = []
    seen: set[str] = set()
    for lane in lanes:
        # Only what another window repeats is dropped, and only if it is the very same text.
        joined += [one for one in lane.events if one.text not in seen]
        seen.update(one.text for one in lane.events)
    if all(_rises([one.identity for one in lane.events]) for lane in lanes):
        joined.sort(key=lambda one: one.identity)
    elif all(_rises([one.when for one in lane.events]) for lane in lanes):
        joined.sort(key=lambda one: one.when)
    return joined


def _rises(values: Sequence[tuple[int, int]] | Sequence[datetime]) -> bool:
    return all(earlier <= later for earlier, later in pairwise(values))  # type: ignore[operator]  # one kind at a time


def lane(body: bytes, where: str) -> JsonLane:
    """The lane of a bff pump-logs body.

    Raises:
        CassetteError: the body is not that; `where` names the exchange.
    """
    try:
        return _split(body.decode("utf-8"))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CassetteError(f"exchange {where} answers pump-logs with something that is not events; record the cassette again") from error


def _split(text: str) -> JsonLane:
    for name, start in _members(text):
        if name == "events":
            spans = list(_elements(text, start))
            opening = _skip(text, start) + 1
            begin, end = (spans[0][0], spans[-1][1]) if spans else (opening, opening)
            between = text[spans[0][1] : spans[1][0]] if len(spans) > 1 else ""
            events = tuple(_event(text[one:two], value) for one, two, value in spans)
            return JsonLane(before=text[:begin], events=events, between=between, after=text[end:])
    raise ValueError("no events")


def _event(text: str, value: Json) -> JsonEvent:
    event = cast("dict[str, int]", value)
    when = datetime.fromisoformat(cast("dict[str, str]", value)["pumpDateTime"])
    if when.tzinfo is not None or any(type(event[name]) is not int for name in ("sequenceGroup", "sequenceNumber", "eventCode")):
        raise ValueError("no event")
    return JsonEvent(identity=(event["sequenceGroup"], event["sequenceNumber"]), when=when, code=event["eventCode"], text=text)


def _members(text: str) -> Iterator[tuple[str, int]]:
    """The names of the outermost object and where their values start."""
    at = _skip(text, 0)
    if text[at] != "{":
        raise ValueError("no object")
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        yield name, at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _elements(text: str, at: int) -> Iterator[tuple[int, int, Json]]:
    """Where each element of a list starts and ends, and its value."""
    at = _skip(text, at)
    if text[at] != "[":
        raise ValueError("no list")
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield at, end, value
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RecordLane:
    """A JSON string holding base64 of 26-byte records."""

    records: object

    def joined(self, lanes: Sequence[Lane]) -> "RecordLane":
        """See `Lane.joined`."""
        import numpy as np

        from tandem.records import Records

        parts = [cast("Records", one.records) for one in lanes if isinstance(one, RecordLane)]
        joined = Records.join(parts)
        # Only what another window repeats is dropped, and only if it is the very same record.
        rows = np.ascontiguousarray(joined.rows).view(np.dtype((np.void, joined.rows.shape[1]))).ravel()
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        _, first_place, which = np.unique(rows, return_index=True, return_inverse=True)
        joined = joined.take(owner == owner[first_place[which.ravel()]])
        if all(bool(np.all(np.diff(part.sequence.astype(np.int64)) >= 0)) for part in parts):
            joined = joined.take(np.argsort(joined.sequence, kind="stable"))
        return RecordLane(records=joined)

    def cut(self, events: Lane, first: datetime, last: datetime, codes: frozenset[int] | None) -> bytes:
        """See `Lane.cut`."""
        import numpy as np

        from tandem.records import Records

        assert isinstance(events, RecordLane)
        records = cast("Records", events.records)
        seconds = records.seconds.astype(np.int64)
        keep = (seconds >= _seconds(first)) & (seconds <= _seconds(last))
        if codes is not None:
            keep &= np.isin(records.code, sorted(codes))
        return records.take(keep).to_body()


def legacy_lane(body: bytes, where: str) -> RecordLane:
    """The lane of a pumpevents body.

    Raises:
        CassetteError: the body is not that; `where` names the exchange.
    """
    from tandem.records import Records
    from tfx.errors import FormatError

    try:
        return RecordLane(records=Records.from_body(body))
    except FormatError as error:
        raise CassetteError(f"exchange {where} answers pumpevents with something that is not records; record it again") from error


def _seconds(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(seconds=1)
