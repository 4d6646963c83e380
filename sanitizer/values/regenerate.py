"""Compute every amount of a clean recording again, with either visitor: one changes amounts, the other checks them. Pure.

The whole recording is read for its structure first, because doses of one window act in the next; then each amount is computed from the
structure. No original amount is read on the way.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from sanitizer.places.contents import Content, content, stored_content
from sanitizer.places.pumplogs import LISTS
from sanitizer.places.pumprecords import records_of
from sanitizer.places.visitors import Visitor
from sanitizer.values.amounts import AMOUNTS, SETTINGS
from sanitizer.values.settings import changed_settings
from sanitizer.values.structure import Amounts, Carrier, JsonEvents, RecordEvents, Rows, joined
from sanitizer.values.therapy import amounts
from tandem.endpoints import locate
from tfx.codec import encoded
from tfx.exchange import Exchange, Response
from tfx.jsonbody import nearest_style, write
from tfx.stored import Stored, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tape:
    """One list of events on the recording, and where it is."""

    exchange: int
    place: str
    carrier: Carrier


def regenerated(visitor: Visitor, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """The exchanges with every amount made from their structure; under the checking visitor, as they are.

    The rewriting visitor may write into the bodies of these exchanges: they are those that the rules have just made.
    """
    opened = [_opened(number, exchange) for number, exchange in enumerate(exchanges, 1)]
    pumps: dict[str, list[_Tape]] = defaultdict(list)
    records: dict[int, RecordEvents] = {}
    for number, one in enumerate(opened, 1):
        visitor.run.exchange = number
        if one is None:
            continue
        if one.name in SETTINGS:
            _settled(visitor, one)
        for place, carrier in _carriers(visitor, one):
            pumps[one.pump].append(_Tape(exchange=number, place=place, carrier=carrier))
            if isinstance(carrier, RecordEvents):
                records[number] = carrier
    for tapes in pumps.values():
        _retold(visitor, tapes)
    visitor.run.exchange = 0
    if not visitor.changes:
        return exchanges
    return tuple(
        exchange if one is None else _written(exchange, one, records.get(number))
        for number, (exchange, one) in enumerate(zip(exchanges, opened, strict=True), 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Opened:
    """A JSON answer that may hold amounts; `pump` is the last identifier of its path."""

    name: str
    pump: str
    response: Response | Stored
    found: Content


def _opened(number: int, exchange: Exchange) -> _Opened | None:
    place, stored = locate(exchange.request.method, exchange.request.url), plain(exchange)
    response = stored or exchange.response
    if place is None or response.status >= HTTPStatus.BAD_REQUEST:
        return None
    name = place.endpoint.name
    if name not in SETTINGS and name not in ("pump-logs", "pump-events"):
        return None
    where = f"#{number} response body"
    found = stored_content(stored, where) if stored else content(response.headers, exchange.response.body, where)
    if found.kind != "json":
        return None
    pump = list(place.path_values.values())[-1].strip("{}").replace("-", "").lower()
    return _Opened(name=name, pump=pump, response=response, found=found)


def _carriers(visitor: Visitor, one: _Opened) -> Iterator[tuple[str, Carrier]]:
    value = one.found.value
    special = visitor.run.policy.special.get(one.name, "")
    if special == "records":
        yield "response body[]", RecordEvents(records_of(visitor.run.exchange, value))
    elif special == "events" and isinstance(value, dict):
        for name in LISTS:
            listed = value.get(name)
            if isinstance(listed, list):
                yield f"response body.{name}[].eventProperties", JsonEvents(listed)


def _settled(visitor: Visitor, one: _Opened) -> None:
    for place, is_other in changed_settings(SETTINGS[one.name], one.found.value, changes=visitor.changes):
        _tell(visitor, "setting", f"response body.{place}", 1, is_other=is_other)


def _retold(visitor: Visitor, tapes: Sequence[_Tape]) -> None:
    """One pump's events with the amounts of one therapy."""
    parts: dict[int, list[tuple[_Tape, Rows]]] = defaultdict(list)
    for tape in tapes:
        for code, rows in tape.carrier.read().items():
            parts[code].append((tape, rows))
    log, places = {}, {}
    for code, found in sorted(parts.items()):
        log[code], places[code] = joined([rows for _, rows in found])
    for code, made in amounts(log).items():
        for (tape, _), which in zip(parts[code], places[code], strict=True):
            visitor.run.exchange = tape.exchange
            own: Amounts = {name: column[which] for name, column in made.items()}
            for name, number, is_other in tape.carrier.write(code, own, changes=visitor.changes):
                _tell(visitor, AMOUNTS[code][name], f"{tape.place}.{name} of event {code}", number, is_other=is_other)


def _tell(visitor: Visitor, kind: str, place: str, number: int, *, is_other: bool) -> None:
    if number:
        visitor.count(kind, place, number)
    if is_other and not visitor.changes:
        visitor.note(place, "an amount that the structure does not give, on a cassette that says its values are synthetic")


def _written(exchange: Exchange, one: _Opened, records: RecordEvents | None) -> Exchange:
    before, found = one.response, one.found
    if isinstance(before, Stored):  # its value was changed in place
        return exchange
    value = records.records.to_base64() if records else found.value
    body = encoded(before.headers, write(value) if found.is_exact else write(value, nearest_style(found.text)))
    return exchange.replacing(response=replace(before, headers=before.headers.measured(str(len(body))), body=body))
