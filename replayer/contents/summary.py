"""Summarise a cassette: exchanges, pump events by code, time span, the rules that made it. Pure."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from replayer.matching.index import made
from replayer.matching.keys import Question, question_of, text
from replayer.matching.words import label
from tandem.events import EVENTS
from tfx import codec
from tfx.cassette import Cassette
from tfx.errors import CassetteError, FormatError
from tfx.exchange import Exchange, Response
from tfx.jsonbody import Json, parse
from tfx.plural import plural

CLOCK_CHANGES: Final = (13, 14)
"""The codes of events that a window's answer tells beside its events, in `clockChanges`."""


_OF_EVENTS: Final = ("pump-logs", "pump-events")


def totals(found: "Contents") -> str:
    """How many pump events there are, of how many types, and the time they span."""
    changes = sum(found.codes[code] for code in CLOCK_CHANGES)
    where = "beside the events of" if any(line.endpoint == "pump-logs" for line in found.lines) else "with"
    aside = f" ({plural(changes, 'clock change')} among them, which the service returns {where} every window)" if changes else ""
    span = f", from {found.first} to {found.last} (pump wall clock)" if found.first else ""
    return f"{plural(found.codes.total(), 'pump event')} of {plural(len(found.codes), 'type')}{aside}{span}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One exchange as it is listed; `query` is as recorded, percent-decoded, without the pumper's id; `bytes` as sent."""

    number: int
    endpoint: str
    request: str
    query: str
    status: int
    bytes: int
    events: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """`codes` counts each pump event once, however many windows hold it; `first` and `last` are pump wall clock, ISO, or empty.

    Clock changes count, but do not stretch the span: the service tells all since the pump left the factory, whatever the window.
    """

    lines: tuple[Line, ...]
    codes: Counter[int]
    first: str
    last: str


def contents(cassette: Cassette) -> Contents:
    """Read every exchange once.

    Raises:
        CassetteError: an answer about pump events holds something else.
    """
    seen: dict[tuple[str, int, int], tuple[int, str]] = {}
    lines = []
    for number, exchange in enumerate(cassette.exchanges, start=1):
        question = question_of(exchange.request)
        found = _found(number, question, made(exchange, number))
        seen.update({(_pump(question), *one[:2]): one[2:] for one in found})
        lines.append(_line(number, question, exchange, _listed(question, found)))
    times = sorted(when for code, when in seen.values() if code not in CLOCK_CHANGES)
    return Contents(
        lines=tuple(lines),
        codes=Counter(code for code, _ in seen.values()),
        first=times[0] if times else "",
        last=times[-1] if times else "",
    )


def events_in(number: int, exchange: Exchange) -> int | None:
    """How many pump events an exchange lists, clock changes aside; None if it is about something else.

    Raises:
        CassetteError: an answer about pump events holds something else.
    """
    question = question_of(exchange.request)
    return _listed(question, _found(number, question, made(exchange, number))) if question.endpoint in _OF_EVENTS else None


def _listed(question: Question, found: list[tuple[int, int, int, str]]) -> int | None:
    if question.endpoint not in _OF_EVENTS:
        return None
    return sum(one[2] not in CLOCK_CHANGES for one in found) if question.endpoint == "pump-logs" else len(found)


def name_of(code: int) -> str:
    """The name of an event code, or that it has none."""
    return EVENTS[code].name if code in EVENTS else "(no published layout)"


def machine_readable(cassette: Cassette, found: Contents) -> str:
    """The same as one JSON object."""
    return json.dumps(
        {
            "name": cassette.name,
            "era": cassette.era,
            "region": cassette.region,
            "clock": cassette.clock.isoformat(),
            "policy": cassette.policy,
            "values": cassette.values,
            "exchanges": [
                {"number": line.number, "request": line.request, "query": line.query, "status": line.status, "bytes": line.bytes}
                | ({} if line.events is None else {"events": line.events})
                for line in found.lines
            ],
            "events": {str(code): {"name": name_of(code), "count": count} for code, count in sorted(found.codes.items())},
            "span": [found.first, found.last] if found.first else None,
            "rules": dict(cassette.rules),
        },
        indent=2,
    )


def _line(number: int, question: Question, exchange: Exchange, events: int | None) -> Line:
    query = "&".join(f"{text(name)}={text(value or b'')}" for name, value in question.query if name != b"pumperId")
    response = exchange.response
    return Line(
        number=number,
        endpoint=question.endpoint or "(unknown)",
        request=label(question),
        query=query,
        status=response.status,
        bytes=len(response.body),
        events=events,
    )


def _pump(question: Question) -> str:
    return "/".join(question.place.path_values.values()) if question.place else ""


def _found(number: int, question: Question, response: Response) -> list[tuple[int, int, int, str]]:
    try:
        return list(_events(question, response))
    except (FormatError, AttributeError, KeyError, TypeError, ValueError):
        # Not chained: what the low-level error quotes may be what somebody put there.
        raise CassetteError(
            f"exchange #{number} answers {label(question)} with something that is not pump events; record the cassette again"
        ) from None


def _events(question: Question, response: Response) -> Iterator[tuple[int, int, int, str]]:
    """Sequence group, sequence number, code and wall clock of every pump event in an answer."""
    if response.status != 200:  # noqa: PLR2004  # HTTP's OK
        return
    body = codec.decoded(response.headers, response.body)
    if question.endpoint == "pump-logs":
        for event in _list(parse(body)):
            yield (
                _whole(event["sequenceGroup"]),
                _whole(event["sequenceNumber"]),
                _whole(event["eventCode"]),
                str(event["pumpDateTime"]),
            )
    elif question.endpoint == "pump-events":
        from tandem.clock import texts  # numpy, and only old cassettes need it
        from tandem.records import Records

        records = Records.from_body(body)
        whens = texts(records.seconds)
        rows = zip(records.sequence.tolist(), records.code.tolist(), whens, strict=True)
        yield from ((0, sequence, code, when) for sequence, code, when in rows)


def _whole(value: Json) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _list(value: Json) -> list[dict[str, Json]]:
    if not isinstance(value, dict):
        return []
    return [event for name in ("events", "clockChanges") for event in cast("list[dict[str, Json]]", value.get(name) or [])]
