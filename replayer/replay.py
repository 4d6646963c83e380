"""Answer requests from one cassette, and record what was used, missed and blocked."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import cast
from urllib.parse import unquote, urlsplit

from replayer.faults import Plan, Struck
from replayer.guard.hook import GUARD
from replayer.guard.ways import kind_of, way
from replayer.matching import access
from replayer.matching.bound import signs_in
from replayer.matching.content_encoding import negotiated
from replayer.matching.credentials import Credentials
from replayer.matching.denials import Denials
from replayer.matching.index import Entry, Index, made
from replayer.matching.keys import DEFAULT_PORTS, Question
from replayer.matching.ledger import Ledger
from replayer.matching.miss import report
from replayer.matching.words import label
from replayer.stacks.caller import caller
from replayer.stacks.outcome import outcome
from replayer.usage.tally import Tally
from replayer.windows.spans import Windows, understood
from tandem.eras import Era
from tandem.faults import Fault, is_on_the_way, late
from tfx.cassette import Cassette
from tfx.errors import HangError, MismatchError
from tfx.exchange import Request, Response
from tfx.stored import Laid

__tracebackhide__ = True  # pytest --showlocals would print the live request


class Replay(Tally):
    """One run against a cassette. Thread-safe. Its repr, like every message it makes, holds no live value."""

    def __init__(
        self,
        cassette: Cassette,
        *,
        strict_windows: bool = False,
        faults: Iterable[Fault | str] = (),
        as_era: str | None = None,
        signed_in: bool = False,
        behind: "Replay | None" = None,
        tell: Callable[[str, str], None] | None = None,
    ) -> None:
        """`faults` go wrong as `tandem.faults` spells them, such as `pump-logs:2:500`; `as_era` makes the cassette one of that era first.

        `signed_in`: the cookies and tokens of the cassette count as handed out. `behind` is asked for what this cassette lacks. `tell`
        hears every event at once as a kind (`used`, `miss`, `struck`, `refused`) and its words; a child process reports through it.
        """
        self._gone: Callable[[Question, Era], Response | None] = lambda _asked, _era: None
        self._understood: Callable[[Question, Era], Question] = lambda question, _era: question
        if as_era is not None and as_era != cassette.era:
            from replayer.eras import convert as eras  # codecs of both wires: loaded where they are wanted

            cassette, self._gone, self._understood = eras.as_era(cassette, as_era), eras.gone, understood
        self.cassette, self._behind = cassette, behind
        self._index = Index(cassette)
        self._origins = {address.origin for address in self._index.addresses.values()}
        self.credentials: Credentials = behind.credentials if behind else Credentials()
        self.credentials.learn(self._index.sign_in, signed_in=signed_in)
        self._ledger = Ledger(cassette.name, self._index.entries, signed_in=signed_in)
        self._windows = None if strict_windows else Windows(cassette.name, self._index.era, self._index.entries)
        plan = Plan(faults, self._index.recorded, self.renew)
        super().__init__(cassette.name, self._index.entries, plan, tell)
        self._denials = Denials(self._index, self._ledger, self.credentials, note=self._note, renew=self.renew)

    def __repr__(self) -> str:
        return f"Replay({self.cassette.name}: {len(self._used)} of {len(self._index.entries)} exchanges used, {len(self.misses)} missed)"

    def answer(self, request: Request) -> Response:
        """What the service said to this request when it was recorded.

        Raises:
            MismatchError: it is not on the cassette, its answers are used up, or values that must agree do not.
            Struck: a fault replaces the response; the HTTP library's patch turns it into what its client meets live.
        """
        found = outcome(partial(self._answer, request))
        if isinstance(found, Exception):
            del request
            raise found
        return found

    def _answer(self, request: Request) -> Response:
        question = self._understood(self._index.question(request), self._index.era)
        with self._lock:
            try:
                return self._answered(question)
            except MismatchError as error:
                if self._behind is not None and self._behind.knows(question):
                    return self._behind.answer(request)
                # Who swallows the error would not know where to look.
                first, end, rest = str(error).partition("\n")
                words = f"{first}{f', at {place}' if (place := caller()) else ''}{end}{rest}"
                self._misses.append(words)
                self._tell("miss", words)
                raise

    def holds(self, url: str) -> bool:
        """Whether the cassette, or one behind it, has anything of the host of this URL."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, ''))}"
        return origin in self._origins or (self._behind is not None and self._behind.holds(url))

    def knows(self, question: Question) -> bool:
        """Whether it has an answer to this now, or another cassette behind it."""
        with self._lock:
            try:
                self._ledger.check(question)
                found = self._index.peek(question, self._verdict(question)) is not None or self._derived(question) is not None
            except MismatchError:
                found = False
        return found or (self._behind is not None and self._behind.knows(question))

    def _answered(self, question: Question) -> Response:
        self._ledger.check(question)
        verdict = self._verdict(question)
        if self._plan.faults:
            instead = self._struck(question, verdict)
            if instead is not None:
                return instead
        return self._recorded(question, verdict)

    def renew(self) -> None:
        """Let the recorded sign-in answer once more, for who signs in again after the token has expired."""
        with self._lock:
            self._index.rewind(lambda question: signs_in(question.place))
        if self._behind is not None:
            self._behind.renew()

    def _recorded(self, question: Question, verdict: str) -> Response:
        wrong = self._denials.wrong(question) if verdict == access.ALLOWED and question.endpoint in ("authorize", "token") else None
        if wrong is not None:
            return wrong
        entry = self._index.take(question, verdict)
        if entry is not None:
            self._mark(entry.number)
            return negotiated(question, entry.exchange.request.headers, self._settled(question, entry))
        refused = self._refusal(question, verdict)
        if refused is not None:
            return refused
        derived = self._windows.answer(question, self._mark, self._index.state, partial(self._failed, question)) if self._windows else None
        if derived is not None:
            return negotiated(question, None, derived)
        raise MismatchError(
            report(
                question,
                self._index.candidates(),
                self._used,
                cassette=self.cassette.name,
                verdict=verdict,
                state=self._index.state,
                era=self._index.era.name,
                strict=self._windows is None,
                allow=way(GUARD.player, kind_of(urlsplit(question.origin).netloc)),
            ),
        )

    def _verdict(self, question: Question) -> str:
        place = question.place
        if place is not None and place.region not in (None, self.cassette.region):
            return access.ALLOWED  # at the other cloud nothing was recorded: a miss says more than its 401 or 403 would
        verdict = access.verdict(question, self._index.era)
        if verdict != access.ALLOWED or place is None or self._index.era.name not in place.endpoint.eras:
            return verdict
        return self.credentials.verdict(question)

    def _settled(self, question: Question, entry: Entry) -> Response:
        """The recorded answer to this client; what it hands out, or refuses from now on, is noted."""
        response = entry.exchange.response  # made anew each time
        self.credentials.settle(question, response)
        if self._index.ends_token(entry):
            self.credentials.refuse(question)
        return self._ledger.settle(question, response)

    def _refusal(self, question: Question, verdict: str) -> Response | None:
        """What the service says to who is not signed in, of another era or asks wrongly; None if it takes the question."""
        if verdict != access.ALLOWED:
            return self._denials.denied(question, verdict)
        if self.credentials.was_sent_away(question):
            return self._index.sign_in_page() or access.sign_in_page()
        if self._behind is not None and self._behind.knows(question):
            return None
        refused = self._windows.refusal(question, self._index.state) if self._windows else None
        if refused is None:
            return self._gone(question, self._index.era)
        why, response = refused
        self._note(f"{label(question)} was answered with 400: {why}")
        return response

    def _note(self, words: str) -> None:
        if words not in self._refused:
            self._refused[words] = None
            self._tell("refused", words)

    def _failed(self, question: Question, entry: Entry) -> Response | None:
        """What went wrong when this was recorded, once."""
        failure = self._index.take_failure(entry)
        if failure is None:
            return None
        self._mark(failure.number)
        return self._settled(question, failure)

    def _struck(self, question: Question, verdict: str) -> Response | None:
        """What a fault makes of this request; None if it is answered as recorded."""
        entry = self._index.peek(question, verdict)
        derived = None if entry or verdict != access.ALLOWED else self._derived(question, self._mark)
        if entry is None and derived is None:
            return None
        idle = self._plan.idle
        kind = self._plan.next(question)
        for fault in set(idle).difference(self._plan.idle):
            self._tell("struck", fault)
        if kind is None:
            return None
        if is_on_the_way(kind):
            if kind == "drip" or not entry:
                raise Struck(kind, self._recorded(question, verdict), self._hang)
            taken = (partial(self._taken, question, verdict),) if late(kind) is not None else ()
            raise Struck(kind, self._peeked(question, entry), self._hang, *taken)
        return self._plan.answer(kind, question, self._peeked(question, entry) if entry else cast("Response", derived))

    def _derived(self, question: Question, mark: Callable[[int], None] = lambda _number: None) -> Response | None:
        """What is answered from recorded windows, or refused by what they show."""
        if self._windows is None:
            return None
        refused = self._windows.refusal(question, self._index.state)
        return refused[1] if refused else self._windows.answer(question, mark, self._index.state)

    def _peeked(self, question: Question, entry: Entry) -> Response:
        self._mark(entry.number)
        return negotiated(question, entry.exchange.request.headers, entry.exchange.response)

    def _taken(self, question: Question, verdict: str) -> Response:
        with self._lock:
            return self._recorded(question, verdict)

    def _hang(self) -> HangError:
        words = "the client set no timeout, and would wait forever for an answer that a fault withholds; give its requests a timeout"
        with self._lock:
            self._misses.append(words)
            self._tell("miss", words)
        return HangError(words)

    def look_through(self) -> None:
        """Make every recorded answer once, so that a fault of the cassette is found before a program meets it.

        Raises:
            CassetteError: an exchange cannot be answered with.
        """
        for entry in self._index.entries:
            if not isinstance(entry.exchange.unmade, Laid):  # that it can be made was seen when the cassette was opened
                made(entry.exchange, entry.number)
        if self._windows:
            self._windows.look_through()

    @property
    def chain(self) -> tuple[Cassette, ...]:
        """This cassette and those behind it."""
        return (self.cassette, *(self._behind.chain if self._behind else ()))

    @property
    def public(self) -> frozenset[str]:
        """Texts of requests that stand on these cassettes, and what was handed out: values in them are not secret."""
        requests = [exchange.request for cassette in self.chain for exchange in cassette.exchanges]
        texts = {unquote(one.url) for one in requests} | {value for one in requests for _, value in one.headers}
        return frozenset(texts | {one.body.decode("utf-8", "replace") for one in requests} | self.credentials.public)
