"""What on a cassette could narrow down whose it is, and how many of the given cassettes share it (k-anonymity). Pure."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, cast

from sanitizer.places.contents import content
from sanitizer.places.members import walk
from sanitizer.places.visitors import Checker
from sanitizer.policy.policy import Policy, Rule
from sanitizer.run import Run
from tandem.endpoints import locate
from tandem.events import EVENTS
from tfx.cassette import Cassette
from tfx.jsonbody import Json

Left = dict[str, Json]

ACCOUNT: Final = ("pumper", "pumpers", "pump-event-metadata")
"""Endpoints that tell about a person and the pumps: whatever the policy keeps of their responses narrows down whose they are."""

KINDS: Final = (
    (re.compile(r"modelN|partNum"), "pump model"),
    (re.compile(r"softwareVersion|algorithm"), "software version"),
    (re.compile(r"\.profiles\."), "profiles"),
    (re.compile(r"[wW]eight|control[iI][qQ]|basal[iI][qQ]|TotalDaily"), "closed loop and body"),
    (re.compile(r"\.settings\.|GlucoseThreshold"), "alerts and limits"),
    (re.compile(""), "person and uploads"),
)
"""The path of a kept member -> what it tells; the first that fits, so that nothing kept is left out."""

_TIME_CHANGED: Final = 13
_MARKED: Final = {"V": "versions in events", "W": "body data in events"}
_KEEPING: Final = frozenset({"keep", "words", "country"})
_SUCCESS: Final = range(200, 300)
_INDEX = re.compile(r"\[\d+\]")


class _Collecting(Checker):
    """The checking visitor, and remembers what the policy keeps."""

    __slots__ = ("kept",)

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.kept: list[tuple[str, Json]] = []

    def leaf(self, rule: Rule, value: Json, place: str) -> Json:
        if rule.word in _KEEPING and value not in (None, ""):
            self.kept.append((_INDEX.sub("[]", place.removeprefix("response body").removeprefix(".")), value))
        return value


def left_in(cassette: Cassette, rules: Policy) -> Left:
    """What is left: what it tells -> where -> the values there, in their order; the clock's changes tell of time zone and travel."""
    account: dict[str, list[tuple[str, Json]]] = {}
    events: dict[tuple[str, str], dict[str, Json]] = defaultdict(dict)
    changes = 0
    for exchange in cassette.exchanges:
        place = locate(exchange.request.method, exchange.request.url)
        if place is None or exchange.response.status not in _SUCCESS:
            continue
        name = place.endpoint.name
        body = content(exchange.response.headers, exchange.response.body, "the answer").value
        if name in ACCOUNT:
            account[name] = _kept(rules, cassette, name, body)  # asked again, it says the same
        for code, row in _events(rules.special.get(name, ""), body):
            changes += code == _TIME_CHANGED
            for kind, member in _marked(code, row):
                events[kind, f"event {code} {member}"][json.dumps(row[member])] = row[member]
    found: dict[str, dict[str, Json]] = defaultdict(dict)
    for name, kept in account.items():
        for path, value in kept:
            values = found[_kind(path)].setdefault(f"{name} {path}", [])
            assert isinstance(values, list)
            values.append(value)
    for (kind, where), told in events.items():
        found[kind][where] = list(told.values())
    if changes:
        found["time zone and travel"]["times the clock was set"] = [changes]
    return {kind: dict(places) for kind, places in sorted(found.items())}


def _marked(code: int, row: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    return ((_MARKED[one.mark], one.name) for one in EVENTS[code].fields if one.mark in _MARKED and one.name in row)


def _kept(rules: Policy, cassette: Cassette, name: str, body: Json) -> list[tuple[str, Json]]:
    visitor = _Collecting(Run(policy=rules, clock=cassette.clock))
    walk(visitor, rules.bodies[name, "response"], body, "response body")
    return visitor.kept


def _kind(path: str) -> str:
    return next(kind for pattern, kind in KINDS if pattern.search(path))


def _events(special: str, body: Json) -> Iterator[tuple[int, Mapping[str, Json]]]:
    """Code and fields of each event with a layout, of either era."""
    if special == "events" and isinstance(body, dict):
        for name in ("events", "clockChanges"):
            for row in cast("list[Mapping[str, Json]]", body.get(name, [])):
                code, properties = row.get("eventCode"), row.get("eventProperties")
                if isinstance(code, int) and code in EVENTS and isinstance(properties, dict):
                    yield code, properties
    elif special == "records":
        from tandem.records import Records

        for code, _, group in Records.from_base64(str(body)).groups():
            if code in EVENTS:
                columns = {name: column.tolist() for name, column in group.columns(code).items()}
                for index in range(len(group)):
                    yield code, {name: column[index] for name, column in columns.items()}


def crowd(left: Mapping[str, Left]) -> dict[str, Json]:
    """How many of the cassettes share what is left, of each kind and of all together: k, at least 1; none where nothing of it is left."""
    if len(left) < 2:  # noqa: PLR2004  # k of k-anonymity
        return {"says": "One cassette alone says nothing about the crowd its person is in; name several to have k."}
    kinds = sorted({kind for one in left.values() for kind in one})
    found: dict[str, Json] = {
        "says": f"k is how many of these {len(left)} cassettes share just that. Two cassettes of one account count as two, and of people "
        "outside these files they tell nothing, for no table of how common a pump or its software is stands behind them: k = 1 is no "
        "proof that somebody is alone, nor is k = 5 that he is not."
    }
    for kind in kinds:
        found[kind] = _k({name: one[kind] for name, one in left.items() if kind in one})
    return found | {"all together": _k({name: one for name, one in left.items() if one})}


def _k(told: Mapping[str, object]) -> Json:
    texts = {name: json.dumps(one, sort_keys=True) for name, one in told.items()}
    among = list(texts.values())
    return {name: among.count(text) for name, text in texts.items()}
