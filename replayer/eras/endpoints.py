"""Make the exchanges of each endpoint for another era: the table of `convert.py`. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

import numpy as np
import orjson

from replayer.eras.recordings import OK, One, Tape
from replayer.matching.ledger import with_body
from replayer.windows.spans import Window, asked_window, spans
from tandem import pumplists
from tandem.bff import events_from_records, parts_of_answer, records_from_events
from tandem.endpoints import BY_NAME
from tandem.eras import Era
from tandem.events import EVENTS
from tandem.records import Records
from tandem.regions import REGIONS, client_id_of
from tfx import codec
from tfx.errors import CassetteError, FormatError
from tfx.exchange import Exchange, Request, Response
from tfx.jsonbody import Json

__tracebackhide__ = True

CLOCK_CHANGES: Final = frozenset({13, 14})
_OWN: Final = frozenset({400, 403})
"""Statuses that say something about the question, as its era put it."""
_BODY_MARKS: Final = ("ETag", "Content-MD5", "Digest", "Last-Modified")
_DAY: Final = timedelta(days=1)

Maker = Callable[[One, Tape], Iterable[Exchange]]


def kept(one: One, _tape: Tape) -> Iterator[Exchange]:
    """As recorded."""
    yield one.exchange


def _signed_in(one: One, tape: Tape) -> Iterator[Exchange]:
    """The sign-in of another client: its id in the question, and as the audience of the token it gets."""
    old, new = (client_id_of(REGIONS[tape.region], era.name) for era in (tape.old, tape.new))
    request, response = one.exchange.request, one.exchange.response
    moved = replace(request, url=request.url.replace(old, new), body=request.body.replace(old.encode(), new.encode()))
    token = pumplists.members(one.answer(), "id_token") if one.question.endpoint == "token" and response.status == OK else None
    if isinstance(token, str) and old != new:
        response = _answer(response, codec.decoded(response.headers, response.body).replace(token.encode(), _for(token, old, new).encode()))
    yield one.exchange.replacing(request=moved, response=response)


def _for(token: str, old: str, new: str) -> str:
    from tfx.signing import claims_of, header_of, sign

    claims = claims_of(token)
    return sign({**claims, "aud": new if claims.get("aud") == old else claims.get("aud")}, header=header_of(token))


def _metadata(one: One, tape: Tape) -> Iterator[Exchange]:
    made = pumplists.metadata_of(one.answer(), tape.device_ids) if one.exchange.status == OK else None
    yield from _moved(one, tape, "pump-event-metadata", made)


def _pumper(one: One, tape: Tape) -> Iterator[Exchange]:
    made = pumplists.pumper_of(one.answer(), tape.person, tape.assignment_ids) if one.exchange.status == OK else None
    yield from _moved(one, tape, "pumper", made)


def _moved(one: One, tape: Tape, endpoint: str, made: Json) -> Iterator[Exchange]:
    if one.exchange.status in _OWN or one.question.place is None:
        return
    url = BY_NAME[endpoint].url(REGIONS[tape.region], pumperId=one.question.place.path_values["pumperId"])
    response = one.exchange.response if made is None else _answer(one.exchange.response, orjson.dumps(made))
    yield _exchange(one, url, response)


def _records(one: One, tape: Tape) -> Iterator[Exchange]:
    """`pumpevents` of `pump-logs`: the events of the whole days it holds, clock changes among them."""
    window = _days(asked_window(one.question, tape.old))
    place = one.question.place
    if window is None or place is None or one.exchange.status in _OWN:
        return
    places = {"pumperId": one.question.values("pumperId")[0], "tconnectDeviceId": str(tape.device_ids[place.path_values["assignmentId"]])}
    url = BY_NAME["pump-events"].url(REGIONS[tape.region], **places)
    query = {"minDate": f"{window.first:%Y-%m-%d}", "maxDate": f"{window.last:%Y-%m-%d}"}
    codes, response = window.codes, one.exchange.response
    if response.status == OK:
        records, lost = _recorded(one, window)
        if lost:
            codes = (codes if codes is not None else frozenset(EVENTS) | frozenset(records.code.tolist())) - lost
        response = _answer(response, records.to_body())
    yield _exchange(one, f"{url}?{urlencode(query | _codes(tape.new, codes))}", response)


def _recorded(one: One, window: Window) -> tuple[Records, frozenset[int]]:
    """The records of an answer inside a window, and the codes whose events have no place in a record."""
    try:
        events, changes = parts_of_answer(one.answer())
    except FormatError as error:
        raise CassetteError(f"exchange #{one.number} answers pump-logs with something that is not events; record it again") from error
    first, last = f"{window.first:%Y-%m-%dT%H:%M:%S}", f"{window.last:%Y-%m-%dT%H:%M:%S}"
    wanted = [event for event in (*events, *changes) if first <= str(pumplists.members(event, "pumpDateTime")) <= last]
    unique = list({orjson.dumps(event): event for event in wanted}.values())
    by_code: dict[Json, list[Json]] = {}
    for event in unique:
        by_code.setdefault(pumplists.members(event, "eventCode"), []).append(event)
    whole = [(code, group) for code, group in by_code.items() if window.codes is None or code in window.codes]
    lost, kept = set[int](), [Records.join(())]
    for code, group in whole:
        try:
            kept.append(records_from_events(group))
        except FormatError as error:
            if not isinstance(code, int):
                raise CassetteError(f"exchange #{one.number} holds an event without a code; record it again") from error
            lost.add(code)
    records = Records.join(kept)
    # The service answers in the order of writing.
    return records.take(records.sequence.argsort(kind="stable")), frozenset(lost)


def _logs(one: One, tape: Tape) -> Iterator[Exchange]:
    """`pump-logs` of `pumpevents`; the clock changes are those of every recorded window, for the whole history was not recorded."""
    window, place = asked_window(one.question, tape.old), one.question.place
    if window is None or place is None or one.exchange.status in _OWN or not _is_wanted(one, window, tape):
        return
    device = place.path_values["tconnectDeviceId"]
    assignment, response = tape.assignment_ids[device], one.exchange.response
    if response.status == OK:
        changes = Records.join([_read(other) for other in tape.of("pump-events") if other.question.path == one.question.path])
        records = _read(one)
        response = _answer(
            response,
            orjson.dumps(
                {
                    "events": _events(_without_changes(records, wanted=False), assignment),
                    "clockChanges": _events(_unique(_without_changes(changes, wanted=True)), assignment),
                }
            ),
        )
    url = BY_NAME["pump-logs"].url(REGIONS[tape.region], assignmentId=assignment)
    query = {"pumperId": place.path_values["pumperId"], "startDate": f"{window.first:%Y-%m-%d}T00:00:00Z"}
    query |= {"endDate": f"{window.last:%Y-%m-%d}T23:59:59Z"}
    yield _exchange(one, f"{url}?{urlencode(query | _codes(tape.new, window.codes))}", response)


def _read(one: One) -> Records:
    try:
        return Records.from_body(codec.decoded(one.exchange.response.headers, one.exchange.response.body))
    except FormatError as error:
        raise CassetteError(f"exchange #{one.number} answers pumpevents with something that is not records; record it again") from error


def _without_changes(records: Records, *, wanted: bool) -> Records:
    return records.take(np.isin(records.code, sorted(CLOCK_CHANGES)) == wanted)


def _unique(records: Records) -> Records:
    _, first = np.unique(records.sequence, return_index=True)
    return records.take(first)


def _events(records: Records, assignment: str) -> list[dict[str, Json]]:
    return events_from_records(records.with_header(source=0), device_assignment_id=assignment)


def _renamed(one: One, tape: Tape) -> Iterator[Exchange]:
    """`pump-logs` of the other json era: the key of the event codes has another name, and may be honoured or not."""
    window = asked_window(one.question, tape.old)
    if window is None or one.exchange.status in _OWN or not _is_wanted(one, window, tape):
        return
    url, _, _ = one.exchange.request.url.partition("?")
    query = {name: one.question.values(name)[0] for name in ("pumperId", "startDate", "endDate")}
    yield _exchange(one, f"{url}?{urlencode(query | _codes(tape.new, window.codes))}", one.exchange.response)


def _is_wanted(one: One, window: Window, tape: Tape) -> bool:
    """Whether a window fits an era that returns every code whatever was requested; if another window has it all, it need not.

    Raises:
        CassetteError: some codes are all there is of it.
    """
    if window.codes is None or tape.new.filters_events:
        return True
    others = (
        asked_window(other.question, tape.old) for other in tape.of(one.question.endpoint) if other.question.path == one.question.path
    )
    whole = spans(other for other in others if other and other.codes is None)
    if any(span.first <= window.first and window.last <= span.last for span in whole):
        return False
    raise CassetteError(
        f"exchange #{one.number} holds only some event codes of {window}, and the service of {tape.new.name} returned all of them "
        "whatever was asked; missing are the other codes of that window: record it without naming codes"
    )


def _days(window: Window | None) -> Window | None:
    """The whole days of a window; None if it holds none."""
    if window is None:
        return None
    first = datetime.combine(window.first.date(), datetime.min.time())
    first += _DAY if first < window.first else timedelta()
    end = datetime.combine((window.last + timedelta(seconds=1)).date(), datetime.min.time())
    return replace(window, first=first, last=end - timedelta(seconds=1)) if end > first else None


def _codes(era: Era, codes: frozenset[int] | None) -> dict[str, str]:
    return {} if codes is None else {era.events_key: ",".join(map(str, sorted(codes)))}


def _exchange(one: One, url: str, response: Response) -> Exchange:
    request: Request = replace(one.exchange.request, url=url)
    return one.exchange.replacing(request=request, response=response)


def _answer(response: Response, plain: bytes) -> Response:
    headers = response.headers.without(*_BODY_MARKS)
    return with_body(replace(response, headers=headers), codec.encoded(headers, plain))


_SIGN_IN: Final[Mapping[str, Maker]] = MappingProxyType({"authorize": _signed_in, "token": _signed_in})
MAKERS: Final[Mapping[tuple[str, str], Mapping[str, Maker]]] = MappingProxyType(
    {
        ("json", "binary"): {**_SIGN_IN, "pumper": _metadata, "pump-logs": _records},
        ("binary", "json"): {**_SIGN_IN, "pump-event-metadata": _pumper, "pump-events": _logs},
        ("json", "json"): {**_SIGN_IN, "pump-logs": _renamed},
    }
)
"""Wire of the recording and wire wanted -> endpoint -> how its exchanges are made; an endpoint that is not there is kept."""
