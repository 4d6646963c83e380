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

    def denied(self, asked: Question, verdict: str) -> Response | None:
        """What the service says to a request with this verdict; None if that is not known."""
        if verdict == access.NO_SESSION:
            return self._sent_away(asked)
        if verdict == access.STRANGE_TOKEN and self._credentials.has_just_expired(asked):
            self._renew()
        self._say(asked, verdict)
        return access.refusal(verdict, asked.headers.get("accept-encoding"))

    def wrong(self, asked: Question) -> Response | None:
        """What the service says to a query or a code it does not take, if it is certain."""
        if asked.endpoint == "token":
            if not self._ledger.is_spent or not self._index.is_spent(asked, access.ALLOWED):
                return None
            self._say(asked, access.SPENT_CODE)
            return access.spent()
        # What is compared and was not recorded stays a miss.
        location = self._ledger.fault(asked) if self._index.is_known(asked, access.ALLOWED) else None
        if location is None:
            return None
        self._say(asked, access.WRONG_QUERY)
        return access.sent_away(location)

    def _sent_away(self, asked: Question) -> Response | None:
        if not self._is_known_client(asked):
            return None
        self._say(asked, access.NO_SESSION)
        return access.sent_away(self._credentials.sent_away(asked))

    def _is_known_client(self, asked: Question) -> bool:
        # The service refuses an unknown client before it checks anything else; that is not on the cassette.
        client = [asked.values(name) for name in ("client_id", "redirect_uri")]
        return client in [[one.values(name) for name in ("client_id", "redirect_uri")] for one in self._index.of("authorize")]

    def _say(self, asked: Question, verdict: str) -> None:
        self._note(f"{label(asked)} was answered with {access.REASONS[verdict]}")
