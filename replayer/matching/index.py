"""The index of a cassette: canonical key -> queue of exchanges, constant time in their number. Pure, apart from its queues."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from replayer.matching import access
from replayer.matching.credentials import SignIn, token_of
from replayer.matching.differences import Candidate
from replayer.matching.keys import Address, Key, Question, at_its_host, checked_ignore, key, question_of
from tandem.eras import ERAS, Era
from tfx import codec
from tfx.cassette import Cassette
from tfx.collecting import uncollected
from tfx.errors import CassetteError, FormatError, RefusedError
from tfx.exchange import Exchange, Request, Response, State

__tracebackhide__ = True  # pytest --showlocals would print the live request


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry:
    """An exchange with its number (from 1, as in every message) and where its request goes."""

    number: int
    exchange: Exchange
    address: Address
    verdict: str

    @property
    def question(self) -> Question:
        """Its request taken apart: anew each time, for many are never looked at."""
        return question_of(self.exchange.request)

    @property
    def is_failure(self) -> bool:
        """Whether the service failed a request that had all it takes."""
        return self.verdict == access.ALLOWED and self.exchange.status >= 400  # noqa: PLR2004  # HTTP's errors


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
        # Whichever of the twins says so: who reads the file sees the word on the one, and not which comes last.
        repeat = next((one.exchange.terms.repeat for one in reversed(self.entries) if one.exchange.terms.repeat != "once"), "once")
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
    """Every exchange of a cassette, ready to be asked for. Not thread-safe: `replay.Replay` holds the lock."""

    __slots__ = ("_has_states", "_loose", "_spelled", "_strict", "addresses", "entries", "era", "sign_in", "state")

    @uncollected()
    def __init__(self, cassette: Cassette) -> None:
        if cassette.era not in ERAS:
            raise CassetteError(f"{cassette.name} is of an era this tfx does not know; it knows {', '.join(ERAS)}")
        self.era = ERAS[cassette.era]
        self.state: State = "start"
        self.addresses: dict[tuple[str, str], Address] = {}
        self._strict: dict[tuple[State, Key], Queue] = {}
        self._spelled: dict[str, tuple[str, str, Queue]] = {}
        self._loose: dict[tuple[str, ...], dict[tuple[State, Key], Queue]] = {}
        self._has_states = any(exchange.terms.when for exchange in cassette.exchanges)
        self.sign_in = SignIn.of(cassette)
        verdicts = _Verdicts(self.era, self.sign_in)
        self.entries = tuple([self._entry(number, exchange, verdicts) for number, exchange in enumerate(cassette.exchanges, start=1)])

    def _entry(self, number: int, exchange: Exchange, verdicts: "_Verdicts") -> Entry:
        terms, request = exchange.terms, exchange.request
        question = question_of(request, self.addresses)
        # One object for equal addresses: of ten thousand exchanges most go to the same few.
        question.address = self.addresses.setdefault((request.method, request.url.partition("?")[0]), question.address)
        entry = Entry(number=number, exchange=exchange, address=question.address, verdict=verdicts.verdict(question, exchange))
        ignore = checked_ignore(terms.ignore, number) if terms.ignore else ()
        queues = self._loose.setdefault(ignore, {}) if ignore else self._strict
        place = (terms.when, key(question, ignore, verdict=entry.verdict))
        queue = queues.get(place)
        if queue is None:
            queue = queues[place] = Queue()
        if question.url and not ignore and not self._has_states:
            self._spelled[question.url] = (question.method, entry.verdict, queue)
        queue.entries.append(entry)
        return entry

    def question(self, request: Request) -> Question:
        """A request taken apart, by what is known of the recorded ones."""
        return question_of(at_its_host(request), self.addresses)

    def take(self, question: Question, verdict: str) -> Entry | None:
        """The next recorded answer to this question in the state there is; it may lead to another."""
        for queue in self._queues(question, verdict):
            found = queue.take()
            if found:
                self.state = found.exchange.terms.then or self.state
                return found
        return None

    def peek(self, question: Question, verdict: str) -> Entry | None:
        """What `take` would give, left where it is."""
        return next(filter(None, (queue.peek() for queue in self._queues(question, verdict))), None)

    def take_failure(self, entry: Entry) -> Entry | None:
        """The failure that the question of `entry` meets next, if nobody has met it yet; what repeats is no news."""
        queue = next((queue for queue in self._queues(entry.question, entry.verdict) if queue.peek()), None)
        if queue is None or queue.position == len(queue.entries) or not queue.entries[queue.position].is_failure:
            return None
        return self.take(entry.question, entry.verdict)

    def is_known(self, question: Question, verdict: str) -> bool:
        """Whether this was recorded, used up or not."""
        return any(True for _ in self._queues(question, verdict))

    def is_spent(self, question: Question, verdict: str) -> bool:
        """Whether this was recorded, and every answer to it given."""
        queues = list(self._queues(question, verdict))
        return bool(queues) and all(queue.position >= len(queue.entries) for queue in queues)

    def rewind(self, belongs: Callable[[Question], bool]) -> None:
        """Let the answers to such questions be given once more."""
        for queues in (self._strict, *self._loose.values()):
            for queue in queues.values():
                if belongs(queue.entries[0].question):
                    queue.rewind()

    def _queues(self, question: Question, verdict: str) -> Iterator[Queue]:
        """Those of the state there is before those of any, the strict before the loosened."""
        # Most requests are spelled as one was recorded, and then need not be taken apart: hashing a key alone reads some twenty objects.
        method, known, spelled = self._spelled.get(question.url or "", ("", "", None))
        if spelled and method == question.method and known == verdict:
            yield spelled
            keys: list[tuple[dict[tuple[State, Key], Queue], Key]] = []
        else:
            keys = [(self._strict, key(question, verdict=verdict))]
        if self._loose:
            keys += [(queues, key(question, ignore, verdict=verdict)) for ignore, queues in self._loose.items()]
        states: tuple[State, ...] = (self.state, "") if self._has_states else ("",)
        for state in states:
            for queues, sought in keys:
                queue = queues.get((state, sought))
                if queue:
                    yield queue

    def ends_token(self, entry: Entry) -> bool:
        """Whether an answer refuses a token that nothing recorded later was answered for."""
        if entry.exchange.status != HTTPStatus.UNAUTHORIZED or not access.wants_token(entry.address.place):
            return False
        token = token_of(entry.exchange.request.headers)
        if not token:
            return False
        later = (one.exchange for one in self.entries[entry.number :])
        return not any(one.status != HTTPStatus.UNAUTHORIZED and token_of(one.request.headers) == token for one in later)

    def of(self, endpoint: str) -> Iterator[Question]:
        """The recorded questions to an endpoint."""
        return (entry.question for entry in self.entries if entry.address.place and entry.address.place.endpoint.name == endpoint)

    def sign_in_page(self) -> Response | None:
        """The sign-in page as recorded, if it was."""
        found = (entry for entry in self.entries if entry.address.place and entry.address.place.endpoint.name == "sso-page")
        return next((made(entry.exchange, entry.number) for entry in found if entry.exchange.status == HTTPStatus.OK), None)

    def recorded(self, endpoint: str, status: int) -> Response | None:
        """The first answer with this status that the endpoint gave; else that any gave."""
        found = [entry for entry in self.entries if entry.exchange.status == status]
        found.sort(key=lambda entry: entry.question.endpoint != endpoint)
        return made(found[0].exchange, found[0].number) if found else None

    def candidates(self) -> list[Candidate]:
        """Every exchange as a miss report needs it."""
        return [
            Candidate(number=entry.number, question=entry.question, terms=entry.exchange.terms, verdict=entry.verdict)
            for entry in self.entries
        ]


class _Verdicts:
    """The verdicts of recorded requests: many of them go to one place with the same headers, and are looked at once."""

    __slots__ = ("_era", "_known", "_sign_in")

    def __init__(self, era: Era, sign_in: SignIn) -> None:
        self._era, self._sign_in = era, sign_in
        self._known: dict[tuple[int, int, int], str] = {}

    def verdict(self, question: Question, exchange: Exchange) -> str:
        """The verdict on a recorded request."""
        # By identity: addresses and, as they are read from a file, headers are shared, and live as long as the cassette does.
        place = (id(question.address), id(question.headers), exchange.status)
        if place not in self._known:
            self._known[place] = self._judged(question, exchange)
        return self._known[place]

    def _judged(self, question: Question, exchange: Exchange) -> str:
        verdict = access.verdict(question, self._era)
        if verdict != access.ALLOWED:
            # Only where the recorded headers would have been refused does the answer decide.
            return access.recorded_verdict(question, self._era, exchange.status)
        if question.endpoint == "authorize" and self._sign_in.is_without_session(exchange):
            return access.NO_SESSION
        refused = exchange.status == HTTPStatus.UNAUTHORIZED and self._sign_in.grants and access.wants_token(question.place)
        return access.STRANGE_TOKEN if refused and token_of(question.headers) not in self._sign_in.tokens else access.ALLOWED
