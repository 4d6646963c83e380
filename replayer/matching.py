"""The index of a cassette: canonical key -> queue of exchanges, constant time in their number. Pure but for its queues."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from replayer import doors
from replayer.keys import Key, Question, checked_ignore, key, question
from replayer.miss import Candidate
from tandem.eras import ERAS
from tfx import codec
from tfx.cassette import Cassette
from tfx.errors import CassetteError, FormatError, RefusedError
from tfx.exchange import Exchange, Response, State

__tracebackhide__ = True  # pytest --showlocals would print the live request


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry:
    """An exchange with its number (from 1, as in every message) and its request taken apart."""

    number: int
    exchange: Exchange
    question: Question
    door: str


@dataclass(slots=True, repr=False)
class Queue:
    """The answers to one question in the order they were recorded."""

    entries: list[Entry] = field(default_factory=list)
    position: int = 0

    def take(self) -> Entry | None:
        """The next answer; when all are used, what the last one's terms say: nothing, the same again, or from the start."""
        if self.position < len(self.entries):
            self.position += 1
            return self.entries[self.position - 1]
        repeat = self.entries[-1].exchange.terms.repeat
        if repeat == "last":
            return self.entries[-1]
        if repeat == "cycle":
            self.position = 1
            return self.entries[0]
        return None

    def peek(self) -> Entry | None:
        """What `take` would give, left where it is."""
        before = self.position
        found = self.take()
        self.position = before
        return found

    def rewind(self) -> None:
        """Start again."""
        self.position = 0


def made(exchange: Exchange, number: int) -> Response:
    """The answer of an exchange, seen to be one that HTTP can carry and its coding undone.

    Raises:
        CassetteError: it is not; `number` (from 1) names it.
    """
    try:
        response = exchange.response
        codec.decoded(response.headers, response.body)
    except (FormatError, RefusedError, AssertionError, AttributeError, KeyError, TypeError, ValueError):
        # Not chained: what the low-level error quotes may be what somebody put there.
        raise CassetteError(f"exchange #{number} holds an answer that cannot be made; record the cassette again") from None
    return response


class Index:
    """Every exchange of a cassette, ready to be asked for. Not thread-safe: `session.Replay` holds the lock."""

    __slots__ = ("_loose", "_strict", "entries", "era", "state")

    def __init__(self, cassette: Cassette) -> None:
        if cassette.era not in ERAS:
            raise CassetteError(f"{cassette.name} is of an era this tfx does not know; it knows {', '.join(ERAS)}")
        self.era = ERAS[cassette.era]
        self.entries = tuple(self._entry(number, exchange) for number, exchange in enumerate(cassette.exchanges, start=1))
        self.state: State = "start"
        self._strict: dict[tuple[State, Key], Queue] = {}
        self._loose: dict[tuple[str, ...], dict[tuple[State, Key], Queue]] = {}
        for entry in self.entries:
            ignore = checked_ignore(entry.exchange.terms.ignore, entry.number)
            queues = self._loose.setdefault(ignore, {}) if ignore else self._strict
            place = (entry.exchange.terms.when, key(entry.question, ignore, door=entry.door))
            queues.setdefault(place, Queue()).entries.append(entry)

    def take(self, asked: Question, door: str) -> Entry | None:
        """The next recorded answer to this question in the state there is; it may lead to another."""
        found = next(filter(None, (queue.take() for queue in self._queues(asked, door))), None)
        if found:
            self.state = found.exchange.terms.then or self.state
        return found

    def peek(self, asked: Question, door: str) -> Entry | None:
        """What `take` would give, left where it is."""
        return next(filter(None, (queue.peek() for queue in self._queues(asked, door))), None)

    def rewind(self, belongs: Callable[[Question], bool]) -> None:
        """Let the answers to such questions be given once more."""
        for queues in (self._strict, *self._loose.values()):
            for queue in queues.values():
                if belongs(queue.entries[0].question):
                    queue.rewind()

    def _queues(self, asked: Question, door: str) -> Iterator[Queue]:
        """Those of the state there is before those of any, the strict before the loosened."""
        keys = [(self._strict, key(asked, door=door)), *((queues, key(asked, ignore, door=door)) for ignore, queues in self._loose.items())]
        for state in (self.state, ""):
            for queues, sought in keys:
                queue = queues.get((state, sought))
                if queue:
                    yield queue

    def recorded(self, endpoint: str, status: int) -> Response | None:
        """The first answer with this status that the endpoint gave; else that any gave."""
        found = [entry for entry in self.entries if entry.exchange.status == status]
        found.sort(key=lambda entry: entry.question.endpoint != endpoint)
        return made(found[0].exchange, found[0].number) if found else None

    def candidates(self) -> list[Candidate]:
        """Every exchange as a miss report needs it."""
        return [
            Candidate(number=entry.number, question=entry.question, terms=entry.exchange.terms, door=entry.door) for entry in self.entries
        ]

    def _entry(self, number: int, exchange: Exchange) -> Entry:
        asked = question(exchange.request)
        closed = doors.door(asked, self.era)
        # Only where the recorded headers would not have opened the door does the answer decide (and only then is it made).
        door = closed if closed == doors.OPEN else doors.recorded_door(asked, self.era, exchange.status)
        return Entry(number=number, exchange=exchange, question=asked, door=door)
