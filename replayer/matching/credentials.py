"""Tokens, codes and cookies that a replay hands out and later requires. Pure, apart from the clock and the file processes share.

Anyone can sign in to a cassette, but without signing in there is no data. Authorize without the cookies that login set leads back to the
sign-in page; data without a token that this replay handed out, or with an expired one, is refused. The service does the same.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from replayer.matching.access import ALLOWED, NO_SESSION, STRANGE_TOKEN, wants_token
from replayer.matching.keys import Question
from tandem.endpoints import Place, locate
from tandem.regions import SSO_URL
from tandem.responses import bearer_of
from tfx import codec
from tfx.cassette import Cassette
from tfx.errors import FormatError, RefusedError
from tfx.exchange import Exchange, Headers, Response
from tfx.jsonbody import parse

__tracebackhide__ = True  # pytest --showlocals would print the live request

LIFETIME: Final = 28800.0
"""Seconds an access token is good for where its answer does not say (tconnectsync's log: saved 11:55, expiry 19:55)."""
_OK: Final = 200
_SIGN_IN: Final = "/accounts/api/"
"""What stands in the path of every request that signs in with password, code or verifier, at either cloud."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignIn:
    """What signing in gives on one cassette: the exchanges that do, and the names of the cookies authorize was asked with."""

    logins: tuple[Exchange, ...] = ()
    grants: tuple[Exchange, ...] = ()
    needed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cassette: Cassette) -> "SignIn":
        """The sign-in of a cassette; one without (pruned, converted) asks nothing back."""
        found: dict[str, list[Exchange]] = {"login": [], "authorize": [], "token": []}
        for exchange in cassette.exchanges:
            if _SIGN_IN in exchange.request.url:
                found.get(_endpoint(exchange), []).append(exchange)
        logins, grants = (tuple(one for one in found[name] if one.status == _OK) for name in ("login", "token"))
        sent = {name for one in found["authorize"] if not sends_away(one.response) for name in cookies_of(one.request.headers)}
        given = [cookie for one in logins for cookie in _given(one.response) if cookie.name in sent]
        # Who is signed in stands in a cookie that scripts must not read; the one beside it, which they may, only tells that somebody is.
        locked = [cookie for cookie in given if cookie.is_locked]
        return cls(logins=logins, grants=grants, needed=frozenset(cookie.name for cookie in locked or given))

    @property
    def tokens(self) -> frozenset[str]:
        """Every access token it gives."""
        return frozenset(token for one in self.grants for token, _ in _tokens(one.response))

    def is_without_session(self, exchange: Exchange) -> bool:
        """Whether authorize was recorded sending somebody back to sign in."""
        return bool(self.needed) and sends_away(exchange.response) and not self.needed <= set(cookies_of(exchange.request.headers))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Cookie:
    name: str
    value: str
    is_locked: bool


@dataclass(slots=True, repr=False)
class Credentials:
    """What was handed out in one run, to whom it does not matter; cassettes that play behind each other share them."""

    shared: Path | None = None
    """The file by which the processes of this run tell each other (`replayer/programs`)."""
    _needed: list[frozenset[str]] = field(default_factory=list)
    _asks_for_tokens: bool = False
    _cookies: set[tuple[str, str]] = field(default_factory=set)
    _tokens: dict[str, float] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _ended: set[str] = field(default_factory=set)
    _sent_away: set[str] = field(default_factory=set)
    _read: int = 0

    def learn(self, sign_in: SignIn, *, signed_in: bool) -> None:
        """Play one cassette more. `signed_in`: what it holds counts as handed out now, for clients that signed in before."""
        self._asks_for_tokens = self._asks_for_tokens or bool(sign_in.grants)
        if sign_in.needed:
            self._needed.append(sign_in.needed)
        for one in (*sign_in.logins, *sign_in.grants) if signed_in else ():
            self._take(_endpoint(one), one.response)

    @property
    def public(self) -> frozenset[str]:
        """What was handed out so far: it stands on the cassette."""
        return frozenset({value for _, value in self._cookies} | set(self._tokens))

    def share(self, path: Path | None) -> None:
        """Tell what is handed out, and was so far, to the processes that have this file, and hear it from them."""
        self.shared, self._read = path, 0
        for cookie in self._cookies:
            self._tell(["cookie", *cookie])
        for token in self._tokens.items():
            self._tell(["token", *token])

    def verdict(self, question: Question) -> str:
        """The verdict on its token or cookies, where `access.verdict` allowed it."""
        if self._asks_for_tokens and wants_token(question.place):
            return self._token(question)
        return self._session(question) if self._needed and question.endpoint == "authorize" else ALLOWED

    def _session(self, question: Question) -> str:
        brought = set(cookies_of(question.headers).items())
        if not self._holds(brought):
            self._hear()
        return ALLOWED if self._holds(brought) else NO_SESSION

    def _holds(self, brought: set[tuple[str, str]]) -> bool:
        # Of several cassettes each may name its cookies in its own way: all of one will do.
        held = {name for name, _ in brought & self._cookies}
        return any(needed <= held for needed in self._needed)

    def _token(self, question: Question) -> str:
        token = token_of(question.headers)
        if token not in self._tokens:
            self._hear()
        is_good = time.time() < self._tokens.get(token, 0.0) and token not in self._refused
        return ALLOWED if is_good else STRANGE_TOKEN

    def has_just_expired(self, question: Question) -> bool:
        """Whether the clock ended the token of this request, and no request was refused for that yet."""
        token = token_of(question.headers)
        if token in self._ended or not self._tokens.get(token, time.time() + 1) <= time.time():
            return False
        self._ended.add(token)
        return True

    def settle(self, question: Question, response: Response) -> None:
        """Note what a recorded answer hands out."""
        if question.endpoint in ("login", "token") and response.status == _OK:
            for line in self._take(question.endpoint, response):
                self._tell(line)

    def refuse(self, question: Question) -> None:
        """The service no longer takes the token this brings."""
        self._refused.add(token_of(question.headers))

    def _take(self, endpoint: str, response: Response) -> list[list[object]]:
        if endpoint == "login":
            given = [(cookie.name, cookie.value) for cookie in _given(response)]
            self._cookies.update(given)
            return [["cookie", *pair] for pair in given]
        tokens = [(token, time.time() + lifetime) for token, lifetime in _tokens(response)]
        self._tokens.update(tokens)
        for known in (self._refused, self._ended):
            known.difference_update(token for token, _ in tokens)
        return [["token", *pair] for pair in tokens]

    def sent_away(self, question: Question) -> str:
        """Where the service sends who has no session: to the sign-in page, the whole question encoded a second time inside."""
        parts = [(name.decode("utf-8", "replace"), (value or b"").decode("utf-8", "replace")) for name, value in question.query]
        again = f"/accounts/api/connect/authorize/callback?{urlencode(parts)}"
        location = f"{SSO_URL}?ReturnUrl={quote(again, safe='')}"
        self._sent_away.add(again)
        return location

    def was_sent_away(self, question: Question) -> bool:
        """Whether this asks for the sign-in page this replay sent somebody to."""
        return question.endpoint == "sso-page" and any(value in self._sent_away for value in question.values("ReturnUrl"))

    def _tell(self, line: Sequence[object]) -> None:
        if self.shared is None:
            return
        handle = os.open(self.shared, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, (json.dumps(["issued", json.dumps(line)]) + "\n").encode())
        finally:
            os.close(handle)

    def _hear(self) -> None:
        if self.shared is None or not self.shared.exists():
            return
        with self.shared.open("rb") as file:
            file.seek(self._read)
            lines = file.read().splitlines(keepends=True)
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._read += len(line)
            kind, words = json.loads(line)
            if kind != "issued":
                continue
            what, name, value = json.loads(words)
            if what == "cookie":
                self._cookies.add((name, value))
            else:
                self._tokens[name] = max(value, self._tokens.get(name, 0.0))


def _endpoint(exchange: Exchange) -> str:
    place: Place | None = locate(exchange.request.method, exchange.request.url)
    return place.endpoint.name if place else ""


def sends_away(response: Response) -> bool:
    """Whether an answer of authorize leads to the sign-in page, as it does without a session."""
    location = response.headers.get("location")
    return location.startswith(SSO_URL) and any(name == "ReturnUrl" for name, _ in parse_qsl(urlsplit(location).query))


def token_of(headers: Headers) -> str:
    """The bearer token that came along."""
    return bearer_of(headers.get("authorization"))


def cookies_of(headers: Headers) -> dict[str, str]:
    """Every cookie that came along, several Cookie lines included."""
    pairs = (pair.partition("=") for line in headers.all("cookie") for pair in line.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _given(response: Response) -> list[_Cookie]:
    """The cookies an answer sets; one set to nothing is one taken away."""
    found = []
    for line in response.headers.all("set-cookie"):
        pair, *rest = line.split(";")
        name, _, value = pair.partition("=")
        if value.strip():
            locked = any(part.strip().lower() == "httponly" for part in rest)
            found.append(_Cookie(name=name.strip(), value=value.strip(), is_locked=locked))
    return found


def _tokens(response: Response) -> Iterable[tuple[str, float]]:
    """The access token of a token answer, and the seconds it is good for."""
    try:
        value = parse(codec.decoded(response.headers, response.body))
    except (FormatError, RefusedError):
        return ()
    token, lifetime = (value.get("access_token"), value.get("expires_in")) if isinstance(value, dict) else (None, None)
    seconds = float(lifetime) if isinstance(lifetime, int | float) and not isinstance(lifetime, bool) else LIFETIME
    return ((token, seconds),) if isinstance(token, str) else ()
