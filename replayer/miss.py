"""What is said of a request that is not on the cassette: the nearest exchanges, the first difference of each, the way to repair. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from replayer import shapes
from replayer.keys import Pair, Question, compared_json, compared_pairs, text
from tandem.endpoints import ENDPOINTS
from tandem.eras import CURRENT, ERAS
from tandem.regions import HOSTS, REGIONS, client_id_of
from tfx.exchange import State, Terms
from tfx.jsonbody import Json

__tracebackhide__ = True  # pytest --showlocals would print the live request

NEAREST: Final = 3
SHOWN: Final = 2
"""How many differences are shown of each."""
_WORDS: Final = frozenset(word for endpoint in ENDPOINTS for word in endpoint.path.split("/"))
_CLIENTS: Final = {client_id_of(region, era): (era, name) for name, region in REGIONS.items() for era in (CURRENT, "2025")} | {
    region.client_id: (CURRENT, name) for name, region in REGIONS.items()
}
"""Client id to the era and the region it is of; one that never changed is of the current era."""
_NAMES: Final = shapes.WINDOW_KEYS | {era.events_key for era in ERAS.values()} | {"pumperId", "prompt", "client_secret", "refresh_token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where a request and a recorded one differ, in words that are safe to print."""

    place: str
    recorded: str
    asked: str

    def __str__(self) -> str:
        return f"{self.place}: recorded {self.recorded}, asked {self.asked}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Candidate:
    """A recorded exchange as the report needs it; `number` counts from 1."""

    number: int
    question: Question
    terms: Terms
    door: str


def report(
    asked: Question, candidates: Sequence[Candidate], used: Mapping[int, str], *, cassette: str, door: str, state: State = "start"
) -> str:
    """One paragraph: what was asked, what is nearest, what to do next. `used`: who asked for an exchange first (`file:line` or blank)."""
    ranked = nsmallest(
        NEAREST,
        ((distance(asked, candidate), candidate.number, candidate) for candidate in candidates),
        key=lambda row: (row[0], row[1]),
    )
    lines = [f"no exchange on {cassette} answers {label(asked)}"]
    for _, number, candidate in ranked:
        lines.append(f"nearest: #{number} {label(candidate.question)} ({_use(number, used)}): {_shown(asked, candidate, door, state)}")
    lines.append(remedy(asked, ranked[0][2] if ranked else None, door, cassette, state))
    return "; ".join(lines)


def _use(number: int, used: Mapping[int, str]) -> str:
    if number not in used:
        return "not used yet"
    return f"already used by {used[number]}" if used[number] else "already used"


def _shown(asked: Question, candidate: Candidate, door: str, state: State) -> str:
    found = list(islice(differences(asked, candidate, door, state), SHOWN + 1))
    if not found:
        return "the same request, but its answers are used up"
    return " and ".join(map(str, found[:SHOWN])) + (" and more" if len(found) > SHOWN else "")


def remedy(asked: Question, nearest: Candidate | None, door: str, cassette: str, state: State = "start") -> str:
    """What to do next."""
    if urlsplit(asked.origin).netloc not in HOSTS:
        return "tfx has only Tandem Source to answer with; allow the host where a test needs it (loopback), or let the program leave it out"
    if nearest and (stranger := _stranger(asked, nearest.question)):
        return stranger
    found = next(differences(asked, nearest, door, state), None) if nearest else None
    again = f"record it again with: tfx record {cassette}"
    if nearest and found is None:
        terms = f'"replay": {{"repeat": "last", "ignore": []}} on #{nearest.number}'
        return f"{again}, or let the answer repeat: {terms}, then tfx sanitize --edited FILE"
    if nearest and found and found.place == "state":
        return f'ask first for an exchange that leads to {nearest.terms.when} ("then" on the cassette), or {again}'
    if found and found.place.removeprefix("query.") in shapes.WINDOW_KEYS:
        return f"ask inside the recorded days (with --freeze, today is the cassette's), or {again}"
    return again


def _stranger(asked: Question, recorded: Question) -> str:
    """What to do with a client of another cloud or another time; nothing if it is neither."""
    mine, theirs = (one.place.region if one.place else None for one in (asked, recorded))
    era, region = _client(asked) or ("", mine)
    recorded_era, recorded_region = _client(recorded) or ("", theirs)
    if region and recorded_region and region != recorded_region:
        return f"the client is of region {region} and the cassette of region {recorded_region}; tell the client so, or record that region"
    if era and recorded_era and era != recorded_era:
        return f"the client id is that of era {era}; serve it the cassette as of that era: --as-era {era}, in tests as_era={era!r}"
    return ""


def _client(one: Question) -> tuple[str, str] | None:
    """The era and the region of the client id a request presents, if it is a known one."""
    pairs = (*one.query, *(one.body if isinstance(one.body, tuple) else ()))
    return next((_CLIENTS[text(value)] for name, value in pairs if name == b"client_id" and value and text(value) in _CLIENTS), None)


def distance(asked: Question, candidate: Candidate) -> tuple[bool, bool, bool, int]:
    """How far a recorded request is: another service first, then host, then endpoint, then the number of differences."""
    other = candidate.question
    count = sum(1 for _ in differences(asked, candidate, candidate.door))
    same_place = asked.endpoint == other.endpoint if asked.place or other.place else asked.path == other.path
    return (not same_place, asked.origin != other.origin, asked.method != other.method, count)


def differences(asked: Question, candidate: Candidate, door: str = "open", state: State | None = None) -> Iterator[Difference]:
    """Every place that differs, from the outside in."""
    other = candidate.question
    ignored = frozenset(candidate.terms.ignore)
    if asked.method != other.method:
        yield Difference(place="method", recorded=other.method, asked=method_word(asked.method))
    if asked.origin != other.origin:
        yield Difference(place="url.host", recorded=host_word(other.origin), asked=host_word(asked.origin))
    if "path" not in ignored:
        yield from _path_differences(asked, other, ignored)
    if "query" not in ignored:
        ours, theirs = (compared_pairs(one, one.query, "query", ignored) for one in (asked, other))
        # Other days may be derived (`windows.py`), so days are the last thing a request fails for.
        yield from sorted(_pair_differences("query", ours, theirs), key=lambda one: one.place.removeprefix("query.") in shapes.WINDOW_KEYS)
    if asked.media != other.media and "header.content-type" not in ignored:
        yield Difference(place="header.content-type", recorded=shapes.recorded(other.media), asked=shapes.shape(asked.media))
    if "body" not in ignored:
        yield from _body_differences(asked, other, ignored)
    if door != candidate.door:
        yield Difference(place="header", recorded=candidate.door, asked=door)
    if state is not None and candidate.terms.when not in ("", state):
        yield Difference(place="state", recorded=candidate.terms.when, asked=state)


def label(question: Question) -> str:
    """Method and path template; the identifiers in a path and unknown words never appear."""
    host = host_word(question.origin)
    if question.place:
        return f"{question.method} {host}{question.place.endpoint.path}"
    words = "/".join(word if word in _WORDS else "<text>" for word in map(text, question.path))
    return f"{method_word(question.method)} {host}{words}"


def host_word(origin: str) -> str:
    """A host of the service by name; any other may be somebody's own and is not named."""
    scheme, _, host = origin.partition("://")
    if host not in HOSTS:
        return "<a host that is not Tandem Source's>"
    return host if scheme == "https" else f"<{'http' if scheme == 'http' else 'other scheme'}>://{host}"


def method_word(method: str) -> str:
    """A method by name if it is one."""
    return method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "<another method>"


def _path_differences(asked: Question, other: Question, ignored: frozenset[str]) -> Iterator[Difference]:
    if asked.place and other.place and asked.endpoint == other.endpoint:
        for name, value in other.place.path_values.items():
            mine = asked.place.path_values[name]
            if mine != value and f"path.{name}" not in ignored:
                yield Difference(place=f"path.{name}", recorded=shapes.recorded(value), asked=shapes.shape(mine))
    elif asked.path != other.path:
        theirs = "/".join(map(text, other.path))
        words = "/".join(word if word in _WORDS else shapes.shape(word) if word else "" for word in map(text, asked.path))
        yield Difference(place="url.path", recorded=shapes.recorded(theirs), asked=words)


def _pair_differences(where: str, ours: tuple[Pair, ...], theirs: tuple[Pair, ...]) -> Iterator[Difference]:
    known = list(dict.fromkeys(name for name, _ in theirs))
    for name in known:
        mine = [value for key, value in ours if key == name]
        other = [value for key, value in theirs if key == name]
        if mine != other:
            place = f"{where}.{text(name)}"
            first = next((value for value, old in zip(mine, other, strict=False) if value != old), mine[0] if mine else None)
            how_often = f" ({len(mine)} times)" if len(mine) != len(other) and mine else ""
            sent = _sent(place, first) if mine else shapes.ABSENT
            yield Difference(place=place, recorded=_words(other), asked=sent + how_often)
    for name, value in ours:
        if name not in known:
            # A name the API does not have may itself be a value.
            word = text(name) if text(name) in _NAMES else "<another name>"
            yield Difference(place=f"{where}.{word}", recorded=shapes.ABSENT, asked=_sent(f"{where}.{word}", value))


def _sent(place: str, value: bytes | None) -> str:
    return shapes.NO_VALUE if value is None else shapes.asked(place, text(value))


def _words(values: list[bytes | None]) -> str:
    return shapes.recorded(" and ".join(shapes.NO_VALUE if value is None else text(value) or shapes.BLANK for value in values))


def _body_differences(asked: Question, other: Question, ignored: frozenset[str]) -> Iterator[Difference]:
    if isinstance(asked.body, tuple) and isinstance(other.body, tuple):
        ours, theirs = (compared_pairs(one, one.body, "body", ignored) for one in (asked, other) if isinstance(one.body, tuple))
        yield from _pair_differences("body", ours, theirs)
    elif isinstance(asked.body, list) and isinstance(other.body, list):
        yield from _json_differences("body", compared_json(asked, ignored), compared_json(other, ignored))
    elif asked.body != other.body:
        kinds = [{tuple: "<form>", list: "<json>"}.get(type(one.body), "<bytes>" if one.body else "<nothing>") for one in (other, asked)]
        yield Difference(place="body", recorded=kinds[0], asked=kinds[1])


def _json_differences(place: str, ours: Json, theirs: Json) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in theirs.items():
            if name not in ours:
                yield Difference(place=f"{place}.{name}", recorded=shapes.recorded(value), asked=shapes.ABSENT)
            else:
                yield from _json_differences(f"{place}.{name}", ours[name], value)
        for _ in [name for name in ours if name not in theirs]:
            yield Difference(place=f"{place}.<another name>", recorded=shapes.ABSENT, asked="<a value>")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (mine, value) in enumerate(zip(ours, theirs, strict=True)):
            yield from _json_differences(f"{place}[{index}]", mine, value)
    elif type(ours) is not type(theirs) or ours != theirs:
        yield Difference(place=place, recorded=shapes.recorded(theirs), asked=shapes.shape(ours))
