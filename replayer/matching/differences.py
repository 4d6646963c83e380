"""Where a request differs from a recorded one, by path, in words that are safe to print. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from replayer.matching import shapes
from replayer.matching.keys import Pair, Question, compared_json, compared_pairs, text
from replayer.matching.words import WORDS, host_word, method_word
from tandem.eras import ERAS
from tfx.exchange import State, Terms
from tfx.jsonbody import Json

__tracebackhide__ = True  # pytest --showlocals would print the live request

EVENT_KEYS: Final = frozenset(era.events_key for era in ERAS.values())
_NAMES: Final = shapes.WINDOW_KEYS | EVENT_KEYS | {"pumperId", "prompt", "client_secret", "refresh_token"}


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
    verdict: str


def differences(question: Question, candidate: Candidate, verdict: str = "allowed", state: State | None = None) -> Iterator[Difference]:
    """Every place that differs, from the outside in."""
    other = candidate.question
    ignored = frozenset(candidate.terms.ignore)
    if question.method != other.method:
        yield Difference(place="method", recorded=other.method, asked=method_word(question.method))
    if question.origin != other.origin:
        yield Difference(place="url.host", recorded=host_word(other.origin), asked=host_word(question.origin))
    if "path" not in ignored:
        yield from _path_differences(question, other, ignored)
    if "query" not in ignored:
        ours, theirs = (compared_pairs(one, one.query, "query", ignored) for one in (question, other))
        yield from sorted(_pair_differences("query", ours, theirs), key=is_derivable)
    if question.media != other.media and "header.content-type" not in ignored:
        yield Difference(place="header.content-type", recorded=shapes.recorded(other.media), asked=shapes.shape(question.media))
    if "body" not in ignored:
        yield from _body_differences(question, other, ignored)
    if verdict != candidate.verdict:
        yield Difference(place="header", recorded=candidate.verdict, asked=verdict)
    if state is not None and candidate.terms.when not in ("", state):
        yield Difference(place="state", recorded=candidate.terms.when, asked=state)


def is_derivable(difference: Difference) -> bool:
    """Whether it is of days or event codes: others than recorded may be derived (`replayer/windows`), so a request fails for them last."""
    return difference.place.removeprefix("query.") in shapes.WINDOW_KEYS | EVENT_KEYS


def _path_differences(question: Question, other: Question, ignored: frozenset[str]) -> Iterator[Difference]:
    if question.place and other.place and question.endpoint == other.endpoint:
        for name, value in other.place.path_values.items():
            mine = question.place.path_values[name]
            if mine != value and f"path.{name}" not in ignored:
                yield Difference(place=f"path.{name}", recorded=shapes.recorded(value), asked=shapes.shape(mine))
    elif question.path != other.path:
        theirs = "/".join(map(text, other.path))
        words = "/".join(word if word in WORDS else shapes.shape(word) if word else "" for word in map(text, question.path))
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


def _body_differences(question: Question, other: Question, ignored: frozenset[str]) -> Iterator[Difference]:
    if isinstance(question.body, tuple) and isinstance(other.body, tuple):
        ours, theirs = (compared_pairs(one, one.body, "body", ignored) for one in (question, other) if isinstance(one.body, tuple))
        yield from _pair_differences("body", ours, theirs)
    elif isinstance(question.body, list) and isinstance(other.body, list):
        yield from _json_differences("body", compared_json(question, ignored), compared_json(other, ignored))
    elif question.body != other.body:
        kinds = [{tuple: "<form>", list: "<json>"}.get(type(one.body), "<bytes>" if one.body else "<nothing>") for one in (other, question)]
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
