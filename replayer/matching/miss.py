"""The message for a request that is not on the cassette: the nearest exchanges, the differences, what to do. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Final
from urllib.parse import urlsplit

from replayer.matching.differences import Candidate, Difference, differences, is_derivable
from replayer.matching.keys import Question
from replayer.matching.remedies import live, remedy
from replayer.matching.words import NEXT, host_word, label
from tandem.regions import HOSTS
from tfx.exchange import State

__tracebackhide__ = True  # pytest --showlocals would print the live request

NEAREST: Final = 3
SHOWN: Final = 3
"""How many differences are shown of each."""


def report(
    question: Question,
    candidates: Sequence[Candidate],
    used: Mapping[int, str],
    *,
    cassette: str,
    verdict: str,
    state: State = "start",
    era: str = "",
    strict: bool = False,
    allow: str = "",
) -> str:
    """Some short lines: what was asked, what is nearest and where it differs, what to do next.

    `used`: who asked for an exchange first (`file:line` or blank); `strict`: other days than were recorded are not derived;
    `era`: the one of the service that is replayed; `allow`: what lets a host through that is not the service's.
    """
    ranked = nsmallest(
        NEAREST,
        ((distance(question, candidate), candidate.number, candidate) for candidate in candidates),
        key=lambda row: (row[0], row[1]),
    )
    is_ours = urlsplit(question.origin).netloc in HOSTS
    ranked = [row for row in ranked if is_ours or row[-1].question.origin == question.origin]
    # Who asks for the wrong pump need not hear of the sign-in; where nothing of the endpoint was recorded, one that is near is enough.
    near = [candidate for (elsewhere, *_), _, candidate in ranked if not elsewhere] or [candidate for *_, candidate in ranked[:1]]
    lines = [f"no exchange on {cassette} answers {label(question)}"]
    if not near and not is_ours:
        lines.append(f"  url.host: asked {host_word(question.origin)}")  # what is near elsewhere has nothing to do with it
    for candidate in near:
        lines.append(f"  nearest: #{candidate.number} {label(candidate.question)} ({_use(candidate.number, used)})")
        found = list(differences(question, candidate, verdict, state))
        lines += [f"    {words}" for words in _shown(found, strict=strict)]
    nearest = near[0] if near else None
    if said := live(question, nearest, era):
        lines.append(f"  live: {said}")
    said = remedy(question, nearest, verdict, cassette, state=state, era=era, strict=strict, others=candidates, allow=allow)
    return "\n".join(lines) + NEXT + said


def _use(number: int, used: Mapping[int, str]) -> str:
    if number not in used:
        return "not used yet"
    return f"already used by {used[number]}" if used[number] else "already used"


def _shown(found: Sequence[Difference], *, strict: bool) -> Iterator[str]:
    if not found:
        yield "the same request, but its answers are used up"
    telling = found if strict else [one for one in found if not is_derivable(one)] or found
    yield from map(str, telling[:SHOWN])
    if len(telling) > SHOWN:
        yield f"and {len(telling) - SHOWN} more"


def distance(question: Question, candidate: Candidate) -> tuple[bool, bool, bool, int]:
    """How far a recorded request is: another service first, then host, then endpoint, then the number of differences."""
    other = candidate.question
    count = sum(1 for _ in differences(question, candidate, candidate.verdict))
    same_place = question.endpoint == other.endpoint if question.place or other.place else question.path == other.path
    return (not same_place, question.origin != other.origin, question.method != other.method, count)
