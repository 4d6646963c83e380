"""Check that values bound in one run agree: verifier with challenge, state and nonce with what is sent back. Pure.

What a client brings to authorize is kept for the length of one replay: the token request must present the code this cassette hands out
and the verifier of a challenge that was really sent; `state` goes back in the Location; a `nonce` goes into the id_token, signed anew.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from replayer.matching.bound import signs_in
from replayer.matching.index import Entry
from replayer.matching.keys import Question
from replayer.matching.words import NEXT
from tandem.refusals import authorize_fault, back_with_error, written
from tfx import codec
from tfx.errors import FormatError, MismatchError
from tfx.exchange import Response
from tfx.jsonbody import parse

__tracebackhide__ = True  # pytest --showlocals would print the live request

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Ledger:
    """What was sent to authorize in this replay, and what the cassette would accept."""

    __slots__ = ("_borne", "_codes", "_is_handed_out", "_keeps_count", "_name", "_out", "_recorded", "_scope", "_sent", "_state")

    def __init__(self, name: str, entries: Iterable[Entry], *, signed_in: bool = False) -> None:
        questions = [entry.question for entry in entries if signs_in(entry.address.place)]
        self._name = name
        self._recorded = {value for question in questions for value in question.values("code_challenge")}
        # The code as a client gets it: where authorize leads is asked for again, as the callback.
        self._codes = {value for question in questions for value in question.values("code")}
        self._is_handed_out = signed_in or not any(question.endpoint == "authorize" for question in questions)
        # What the service took when this was recorded it takes, whatever is known of it.
        self._borne = {authorize_fault(_one(question)) for question in questions if question.endpoint == "authorize"}
        self._keeps_count = not self._is_handed_out
        self._out = 0
        self._sent: dict[str, tuple[str | None, str | None]] = {}
        self._state: str | None = None
        self._scope: str | None = None

    @property
    def is_spent(self) -> bool:
        """Whether every code handed out has been exchanged."""
        return self._keeps_count and self._is_handed_out and self._out <= 0

    def fault(self, question: Question) -> str | None:
        """Where authorize sends a query with a fault that was not recorded; None if it has none."""
        one = _one(question)
        found = authorize_fault(one)
        return None if found is None or found in self._borne else back_with_error(one("redirect_uri"), found, one("state"))

    def check(self, question: Question) -> None:
        """Let a request through whose bound values agree.

        Raises:
            MismatchError: a code this cassette did not hand out, or a verifier that belongs to no challenge of this replay.
        """
        if question.endpoint != "token":
            return
        code, verifier = question.form("code"), question.form("code_verifier")
        if code is not None and self._codes and code not in self._codes:
            raise MismatchError(
                f"body.code of the token request is not the code {self._name} hands out{NEXT}"
                "take it from the Location that authorize answers with in the same replay"
            )
        if code is not None and not self._is_handed_out:
            raise MismatchError(
                f"the token request brings a code that {self._name} has not handed out yet{NEXT}ask authorize first, in the same replay"
            )
        challenges = set(self._sent) or self._recorded
        if verifier is not None and challenges and challenge_of(verifier) not in challenges:
            raise MismatchError(
                "body.code_verifier of the token request does not belong to a code_challenge sent to authorize in this replay "
                f"({self._name}){NEXT}send base64url(SHA-256(verifier)) as code_challenge, and the same verifier to token"
            )

    def settle(self, question: Question, response: Response) -> Response:
        """The recorded answer with what this client sent put into it."""
        if question.endpoint == "authorize":
            self._is_handed_out = True
            one = _one(question)
            self._out += 1
            self._state, self._scope = one("state") or None, one("scope") or None
            for challenge in question.values("code_challenge"):
                self._sent[challenge] = (one("nonce") or None, self._scope)
        if response.status in _REDIRECTS and question.place and question.place.host_kind == "tdc":
            location = response.headers.get("location")
            if echoed := with_sent(location, self._state, self._scope):
                return replace(response, headers=response.headers.replacing("Location", echoed))
        if question.endpoint == "token" and response.status == 200:  # noqa: PLR2004  # HTTP's OK
            self._out -= 1
            nonce, scope = self._sent.get(challenge_of(question.form("code_verifier") or ""), (None, None))
            return with_scope(with_nonce(response, nonce), scope)
        return response


def _one(question: Question) -> Callable[[str], str]:
    return lambda name: next(iter(question.values(name)), "")


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    from tfx.signing import s256  # JWT and RSA libraries: loaded when somebody signs in

    return s256(verifier)


def with_sent(location: str, state: str | None, scope: str | None) -> str | None:
    """A redirect back to the client with its own state and scope in it, in the service's order; None where nothing is to be changed."""
    parts = urlsplit(location)
    recorded = parse_qsl(parts.query, keep_blank_values=True)
    names = {name for name, _ in recorded}
    if not names & {"code", "error"}:
        return None
    told = [(name, scope if name == "scope" and scope is not None else value) for name, value in recorded if name != "state"]
    if state is not None:
        at = next((place for place, (name, _) in enumerate(told) if name == "session_state"), len(told))
        told.insert(at, ("state", state))
    if told == recorded:
        return None
    return urlunsplit(parts._replace(query=urlencode(told)))


def with_scope(response: Response, scope: str | None) -> Response:
    """The token answer telling the scope that was asked for."""
    plain = codec.decoded(response.headers, response.body)
    found = re.search(rb'("scope"\s*:\s*)"([^"\\]*)"', plain)
    if scope is None or found is None or found.group(2) == scope.encode():
        return response
    told = plain[: found.start()] + found.group(1) + written(scope) + plain[found.end() :]
    return with_body(response, codec.encoded(response.headers, told))


def with_nonce(response: Response, nonce: str | None) -> Response:
    """The token answer with the id_token signed over this nonce, or over none."""
    from tfx.signing import claims_of, header_of, sign

    plain = codec.decoded(response.headers, response.body)
    try:
        value = parse(plain)
    except FormatError:
        return response
    token = value.get("id_token") if isinstance(value, dict) else None
    if not isinstance(token, str) or not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token):
        return response
    claims = claims_of(token)
    if claims.get("nonce") == nonce:
        return response
    claims = {name: claim for name, claim in claims.items() if name != "nonce"} | ({"nonce": nonce} if nonce is not None else {})
    body = codec.encoded(response.headers, plain.replace(token.encode(), sign(claims, header=header_of(token)).encode()))
    return with_body(response, body)


def with_body(response: Response, body: bytes) -> Response:
    """The response with another wire body, its length counted anew."""
    headers = response.headers
    if "content-length" in headers:
        headers = headers.replacing("Content-Length", str(len(body)))
    return replace(response, headers=headers, body=body)
