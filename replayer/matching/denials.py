"""The refusals of the service itself: no token, no session, a spent code, a query that authorize does not take."""

from collections.abc import Callable

from replayer.matching import access
from replayer.matching.credentials import Credentials
from replayer.matching.index import Index
from replayer.matching.keys import Question
from replayer.matching.ledger import Ledger
from replayer.matching.words import label
from tfx.exchange import Response

__tracebackhide__ = True  # pytest --showlocals would print the live request


class Denials:
    """Who is refused what, in one replay. Not thread-safe: `replay.Replay` holds the lock."""

    __slots__ = ("_credentials", "_index", "_ledger", "_note", "_renew")

    def __init__(
        self, index: Index, ledger: Ledger, credentials: Credentials, *, note: Callable[[str], None], renew: Callable[[], None]
    ) -> None:
        """`note` hears each refusal in words; `renew` lets the recorded sign-in answer once more, for a token that has just expired."""
        self._index, self._ledger, self._credentials = index, ledger, credentials
        self._note, self._renew = note, renew

    def denied(self, question: Question, verdict: str) -> Response | None:
        """What the service says to a request with this verdict; None if that is not known."""
        if verdict == access.NO_SESSION:
            return self._sent_away(question)
        if verdict == access.STRANGE_TOKEN and self._credentials.has_just_expired(question):
            self._renew()
        self._say(question, verdict)
        return access.refusal(verdict, question.headers.get("accept-encoding"))

    def wrong(self, question: Question) -> Response | None:
        """What the service says to a query or a code it does not take, if it is certain."""
        if question.endpoint == "token":
            if not self._ledger.is_spent or not self._index.is_spent(question, access.ALLOWED):
                return None
            self._say(question, access.SPENT_CODE)
            return access.spent()
        # What is compared and was not recorded stays a miss.
        location = self._ledger.fault(question) if self._index.is_known(question, access.ALLOWED) else None
        if location is None:
            return None
        self._say(question, access.WRONG_QUERY)
        return access.sent_away(location)

    def _sent_away(self, question: Question) -> Response | None:
        if not self._is_known_client(question):
            return None
        self._say(question, access.NO_SESSION)
        return access.sent_away(self._credentials.sent_away(question))

    def _is_known_client(self, question: Question) -> bool:
        # The service refuses an unknown client before it checks anything else; that is not on the cassette.
        client = [question.values(name) for name in ("client_id", "redirect_uri")]
        return client in [[one.values(name) for name in ("client_id", "redirect_uri")] for one in self._index.of("authorize")]

    def _say(self, question: Question, verdict: str) -> None:
        self._note(f"{label(question)} was answered with {access.REASONS[verdict]}")
