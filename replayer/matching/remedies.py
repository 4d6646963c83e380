"""The advice given for a request that is not on the cassette. Pure."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from replayer.matching import shapes
from replayer.matching.differences import Candidate, Difference, differences, is_derivable
from replayer.matching.keys import Question, text
from tandem.asked import FORMS
from tandem.eras import CURRENT
from tandem.regions import HOSTS, REGIONS, client_id_of
from tfx.exchange import State

__tracebackhide__ = True  # pytest --showlocals would print the live request

_SHOWN: Final = 5
_DATE: Final = FORMS["pump-events"].pattern
_OF_DAY: Final = ("T00:00:00Z", "T23:59:59Z")
"""The first and the last instant of a day, after its date."""
_CLIENTS: Final = {client_id_of(region, era): (era, name) for name, region in REGIONS.items() for era in (CURRENT, "2025")} | {
    region.client_id: (CURRENT, name) for name, region in REGIONS.items()
}
"""Client id to the era and the region it is of; one that never changed is of the current era."""


def remedy(
    question: Question,
    nearest: Candidate | None,
    verdict: str,
    cassette: str,
    *,
    state: State = "start",
    era: str = "",
    strict: bool = False,
    others: Sequence[Candidate] = (),
    allow: str = "",
) -> str:
    """What to do next; `others` are all exchanges of the cassette, `era` is its own, `allow` lets another host through."""
    if urlsplit(question.origin).netloc not in HOSTS:
        let = f", or let it through: {allow}" if allow else ""
        return f"tfx has only Tandem Source to answer with; let the program leave it out{let}"
    if nearest and (stranger := _stranger(question, nearest.question)):
        return stranger
    again = f"record it again with: tfx record {cassette}"
    if era and question.place and era not in question.place.endpoint.eras:
        then = max(question.place.endpoint.eras)
        return f"serve a client of that time the cassette as of then: --as-era {then}, in tests as_era={then!r}"
    if question.place is None and (nearest is None or nearest.question.path != question.path):
        return f"tfx knows no such path of the service; put it right, or, if it is a new one, {again}"
    every = list(differences(question, nearest, verdict, state)) if nearest else []
    if nearest and all(map(is_derivable, every)) and every and question.endpoint in FORMS:
        return _window(question, nearest.question, again, strict=strict)
    return _nearly(question, nearest, every[0] if every else None, again, others) if nearest else again


def live(question: Question, nearest: Candidate | None, era: str) -> str:
    """What the live service would say, where it probably has nothing; published only for the paths of old eras, so it is never answered."""
    if urlsplit(question.origin).netloc not in HOSTS:
        return ""
    if era and question.place and era not in question.place.endpoint.eras:
        return f"404, since this path belongs to era {' and '.join(sorted(question.place.endpoint.eras))}; but none was recorded"
    other = nearest.question.place if nearest else None
    is_other = question.place and other and question.place.endpoint is other.endpoint and question.place.path_values != other.path_values
    return "most likely a 404, but none was recorded" if question.place is None or is_other else ""


def _nearly(question: Question, nearest: Candidate, found: Difference | None, again: str, others: Sequence[Candidate]) -> str:
    """Of a request that was recorded but for its first difference."""
    if found is None:
        terms = f'"replay": {{"repeat": "last"}} on #{nearest.number}'
        return f"ask once less, or let the answer repeat: {terms}, then tfx sanitize --edited FILE;\n    or {again}"
    if found.place == "method":
        return f"ask with {nearest.question.method}, or, if the service takes both, {again}"
    if found.place == "state":
        return f'ask first for an exchange that leads to {nearest.terms.when} ("then" on the cassette), or {again}'
    if found.place.startswith("path.") and question.endpoint == nearest.question.endpoint:
        return f"{_recorded(question, found.place.removeprefix('path.'), others)}, or {again}"
    return again


def _recorded(question: Question, name: str, others: Sequence[Candidate]) -> str:
    """Which values of a place in the path the cassette holds; they are public."""
    places = (one.question.place for one in others if one.question.endpoint == question.endpoint)
    held = list(dict.fromkeys(place.path_values[name] for place in places if place and name in place.path_values))
    more = "" if len(held) <= _SHOWN else f" and {len(held) - _SHOWN} more"
    return f"ask for {name} {' or '.join(map(shapes.recorded, held[:_SHOWN]))}{more}, which the cassette holds"


def _window(question: Question, recorded: Question, again: str, *, strict: bool) -> str:
    """What is wrong with the days that were asked for, where nothing else is."""
    form = FORMS[question.endpoint]
    for name, of_day in zip(form.keys, _OF_DAY, strict=True):
        value, held = (next(iter(one.values(name)), "") for one in (question, recorded))
        # What was recorded may be wrong itself, with the service's 400.
        is_example = form.moment(held) is not None
        example, told = (held, f"recorded: {held}") if is_example else (form.example, f"such as {form.example}")
        if _DATE.match(value) and form.pattern is not _DATE:
            time = held[10:] if is_example else of_day
            return f"query.{name} is a date, and the service takes {form.words} only: ask for {value}{time} ({told})"
        if form.moment(value) is None and form.pattern.match(value):
            return f"query.{name} is not an existing day or time; write {form.words} ({told})"
        if form.moment(value) is None:
            return f"query.{name} is not one of the service's {form.words}, and is refused with 400; write it as {example}"
    first, last = form.ends(question.values)
    if first and last and last < first:
        return f"the window ends before it begins; put the earlier of the two into {form.keys[0]}, the later into {form.keys[1]}"
    if strict:
        return "strict_windows answers the recorded windows alone; ask for one of them, or leave strict_windows out (--strict-windows)"
    return f"ask inside the recorded days (with freeze, today is the cassette's), or {again}"


def _stranger(question: Question, recorded: Question) -> str:
    """What to do with a client of another cloud or another time; nothing if it is neither."""
    mine, theirs = (one.place.region if one.place else None for one in (question, recorded))
    era, region = _client(question) or ("", mine)
    recorded_era, recorded_region = _client(recorded) or ("", theirs)
    if region and recorded_region and region != recorded_region:
        return f"the client is of region {region} and the cassette of region {recorded_region}; configure the client, or record that region"
    if era and recorded_era and era != recorded_era:
        return f"the client id is that of era {era}; serve it the cassette as of that era: --as-era {era}, in tests as_era={era!r}"
    return ""


def _client(one: Question) -> tuple[str, str] | None:
    """The era and the region of the client id a request presents, if it is a known one."""
    pairs = (*one.query, *(one.body if isinstance(one.body, tuple) else ()))
    return next((_CLIENTS[text(value)] for name, value in pairs if name == b"client_id" and value and text(value) in _CLIENTS), None)
