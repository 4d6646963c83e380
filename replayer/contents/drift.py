"""Differences between two cassettes: endpoints, statuses, shapes of requests and responses; never their values. Pure.

Ids, dates and numbers of events differ between any two recordings and are no drift. A shape is a path and the JSON types seen there;
list elements share one path (`pumps[].serialNumber`), pump events one per event code (`events[399].eventProperties.rate`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from replayer.matching.keys import Question, question_of
from replayer.matching.words import label
from tfx import codec
from tfx.cassette import Cassette
from tfx.errors import FormatError
from tfx.exchange import Exchange
from tfx.jsonbody import Json, parse

Shapes = Mapping[str, frozenset[str]]
Kind = Literal["added", "removed", "changed"]
_ITEM: Final = re.compile(r"\[\d*\]\Z")
_SENT: Final = re.compile(r"(query|body)\b")
_FAILED: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference: `where` is a request, `what` the place in it or its answer, `detail` the types on both sides."""

    kind: Kind
    where: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.where} {self.what}{f' ({self.detail})' if self.detail else ''}".rstrip()


def drift(old: Cassette, new: Cassette) -> tuple[Drift, ...]:
    """Every difference: what each is a recording of first, then endpoint by endpoint."""
    before, after = _by_endpoint(old), _by_endpoint(new)
    found = [
        _of_the_whole(what, *told) for what, told in (("era", (old.era, new.era)), ("region", (old.region, new.region))) if len({*told}) > 1
    ]
    for name in sorted(before.keys() | after.keys()):
        if name not in after or name not in before:
            found.append(Drift(kind="removed" if name in before else "added", where=name, what="the request itself"))
        else:
            found.extend(_changes(name, before[name], after[name]))
    return tuple(found)


def service_drift(old: Cassette, new: Cassette) -> tuple[Drift, ...]:
    """What changed in the service between a cassette and a recording made now to compare with it.

    Left out is what hangs on the person, the days and the client: types of events and items of lists that only one side has, members of an
    object that is null on the other, JSON types that only the cassette saw, failures that passed; and within one era what was sent, and
    requests to known endpoints that only one of the two clients made.
    """
    found: list[Drift] = []
    is_same_era = old.era == new.era
    if not is_same_era:
        found.append(_of_the_whole("era", old.era, new.era))
    before, after = _by_endpoint(_without_failures(old)), _by_endpoint(_without_failures(new))
    known = {
        label(question)
        for one in (old, new)
        for question in (question_of(exchange.request) for exchange in one.exchanges)
        if question.place
    }
    for name in sorted(before.keys() | after.keys()):
        if name in before and name in after:
            changes = (one for one in _changes(name, before[name], after[name]) if not _is_chance(one, before[name], after[name]))
            found.extend(one for one in changes if not (is_same_era and _SENT.match(one.what)))
        elif not is_same_era or name not in known:
            found.append(Drift(kind="removed" if name in before else "added", where=name, what="the request itself"))
    return tuple(found)


def _of_the_whole(what: str, before: str, after: str) -> Drift:
    return Drift(kind="changed", where="the service", what=what, detail=f"{before} before, {after} now")


def _without_failures(cassette: Cassette) -> Cassette:
    return replace(cassette, exchanges=tuple(one for one in cassette.exchanges if one.status < _FAILED))


def _is_chance(one: Drift, before: Shapes, after: Shapes) -> bool:
    if one.kind == "changed":
        return after[one.what] < before[one.what]
    # A member can only be missing from an object that is there.
    parent = one.what.rpartition(".")[0]
    return bool(_ITEM.search(one.what)) or any(parent in side and "object" not in side[parent] for side in (before, after))


def _by_endpoint(cassette: Cassette) -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = {}
    for exchange in cassette.exchanges:
        question = question_of(exchange.request)
        shapes = found.setdefault(label(question), {})
        for place, kind in _places(question, exchange):
            shapes[place] = shapes.get(place, frozenset()) | {kind}
    return found


def _places(question: Question, exchange: Exchange) -> Iterator[tuple[str, str]]:
    response = exchange.response
    yield "status", str(response.status)
    yield from ((f"query.{name.decode(errors='replace')}", "text") for name, _ in question.query)
    if isinstance(question.body, tuple):
        yield from ((f"body.{name.decode(errors='replace')}", "text") for name, _ in question.body)
    elif isinstance(question.body, list):
        yield from _shapes("body", question.body[0])
    answer = f"answer {response.status}"
    yield f"{answer} content type", response.headers.get("content-type").partition(";")[0].strip().lower() or "none"
    try:
        yield from _shapes(f"{answer} body", parse(codec.decoded(response.headers, response.body)))
    except FormatError:
        yield f"{answer} body", "not JSON" if response.body else "empty"


def _shapes(place: str, value: Json) -> Iterator[tuple[str, str]]:
    yield place, _kind(value)
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _shapes(f"{place}.{name}", member)
    elif isinstance(value, list):
        for item in value:
            code = item.get("eventCode") if isinstance(item, dict) else None
            yield from _shapes(f"{place}[{code if isinstance(code, int) else ''}]", item)


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    # Whether a number has a fraction is a matter of its value: 30 and 30.5 are the same field.
    return {int: "number", float: "number", str: "text", dict: "object", list: "list"}[type(value)]


def _changes(where: str, before: Shapes, after: Shapes) -> Iterator[Drift]:
    for place in _outermost(before.keys() - after.keys()):
        yield Drift(kind="removed", where=where, what=place)
    for place in _outermost(after.keys() - before.keys()):
        yield Drift(kind="added", where=where, what=place)
    for place in sorted(before.keys() & after.keys()):
        if before[place] != after[place]:
            detail = f"{' or '.join(sorted(before[place]))} before, {' or '.join(sorted(after[place]))} now"
            yield Drift(kind="changed", where=where, what=place, detail=detail)


def _outermost(places: Iterable[str]) -> list[str]:
    """The places that do not lie inside another one of these: a new object is one line, not one per member."""
    ordered = sorted(places)
    return [place for place in ordered if not any(place.startswith((f"{outer}.", f"{outer}[")) for outer in ordered if outer != place)]
