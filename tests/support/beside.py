"""Ask the simulated service and a replay of its recording the same things, and compare what a client sees."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import time_machine

from replayer.replay import Replay
from simulator.account import account
from simulator.service import Service
from simulator.session import captured_session
from tandem.endpoints import BY_NAME
from tandem.regions import REGIONS, SSO_URL, client_id_of
from tfx.cassette import Cassette
from tfx.codec import decoded
from tfx.errors import MismatchError
from tfx.exchange import Exchange, Headers, Repeat, Request, Response, Terms
from tfx.signing import s256

US = REGIONS["us"]
SOURCE = US.source_url.rstrip("/")
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
PERSON = account(now=NOW, days=0.5)
PUMP = PERSON.current
VERIFIER = "v" * 60
Answer = Callable[[Request], Response]
Line = tuple[str, str]
Sight = tuple[object, ...]
NO_OTHER: Mapping[str, str | None] = MappingProxyType({})
Walk = Callable[["Client", time_machine.Traveller], None]
NOT_RECORDED: Final = frozenset(
    {"date", "server", "etag", "pragma", "strict-transport-security", "x-request-id", "x-azure-ref", "x-cache", "content-length"}
)
"""Headers that never come onto a cassette (docs/replay.md), and the length, which is the body's."""
_TOLD = re.compile(r"(reference|0HN|00-)?[\w-]{16,}(:\w+)?")


@cache
def recorded(era: str = "2026-10", repeat: Repeat = "once") -> Cassette:
    """What the recorder would make of one session with the stand-in, unsanitized."""
    capture = captured_session(PERSON, era=era, now=NOW)
    made = tuple(Exchange(request=one.request, response=one.response, terms=Terms(repeat=repeat)) for one in capture.exchanges)
    return Cassette(name="session", era=era, region="us", clock=NOW, policy=1, exchanges=made)


@dataclass
class Client:
    """One that keeps cookies and tokens as every real one does; `seen` is what a client sees of each answer."""

    answer: Answer
    era: str = "2026-10"
    cookies: dict[str, str] = field(default_factory=dict)
    bearer: str = ""
    code: str = ""
    seen: list[Sight] = field(default_factory=list)

    def ask(self, method: str, url: str, *lines: Line, body: bytes = b"", coding: str | None = "gzip") -> Response:
        """Send it with the cookies there are; what comes back is kept."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        more = [*([("Accept-Encoding", coding)] if coding is not None else []), *([("Cookie", cookie)] if cookie else [])]
        found = self.answer(Request(method=method, url=url, headers=Headers([*lines, *more]), body=body))
        self.seen.append(sight(found))
        for line in found.headers.all("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return found

    def log_in(self) -> None:
        """The sign-in page, and name and password."""
        login = json.dumps({"username": PERSON.email, "password": PERSON.password}).encode()
        self.ask("GET", SSO_URL)
        self.ask("POST", BY_NAME["login"].url(US), ("Content-Type", "application/json"), body=login)

    def ask_for_code(self, **other: str | None) -> str:
        """Where authorize leads; `other` says what is asked differently, None to leave it out."""
        query = {"client_id": client_id_of(US, self.era), "response_type": "code", "scope": "openid profile email"}
        query |= {"redirect_uri": US.redirect_uri, "code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}
        asked = {name: value for name, value in {**query, **other}.items() if value is not None}
        location = self.ask("GET", f"{BY_NAME['authorize'].url(US)}?{urlencode(asked)}").headers.get("Location")
        self.code = next(iter(parse_qs(urlsplit(location).query).get("code", [])), "")
        return location

    def ask_for_token(self, **other: str) -> None:
        """The tokens for the code."""
        form = {"grant_type": "authorization_code", "client_id": client_id_of(US, self.era), "code": self.code}
        form |= {"redirect_uri": US.redirect_uri, "code_verifier": VERIFIER, **other}
        sent = ("Content-Type", "application/x-www-form-urlencoded")
        found = self.ask("POST", BY_NAME["token"].url(US), sent, body=urlencode(form).encode())
        if found.status == 200:  # HTTP's OK
            self.bearer = json.loads(decoded(found.headers, found.body))["access_token"]

    def authorize(self) -> None:
        """From the session to the tokens, as far as it leads."""
        self.ask("GET", self.ask_for_code())
        if self.code:
            self.ask_for_token()

    def data(self, url: str, other: Mapping[str, str | None] = NO_OTHER, *, coding: str | None = "gzip", method: str = "GET") -> Response:
        """Something of the source host; `other` says which headers are sent differently, None to leave one out."""
        lines = {"Authorization": f"Bearer {self.bearer}", "Origin": SOURCE, "Referer": f"{SOURCE}/"}
        sent = {**lines, **{name: value and value.replace("TOKEN", self.bearer) for name, value in other.items()}}
        return self.ask(method, url, *((name, value) for name, value in sent.items() if value is not None), coding=coding)


def sight(found: Response) -> Sight:
    """What a client may go by: status, headers and body, but for values made anew each time."""
    location = urlsplit(found.headers.get("Location"))
    query = [
        (name, "*" if name in ("code", "session_state") else value) for name, value in parse_qsl(location.query, keep_blank_values=True)
    ]
    headers = [_line(name, value) for name, value in found.headers if name.lower() not in NOT_RECORDED]
    body = decoded(found.headers, found.body)
    return found.status, found.reason, location.netloc, location.path, tuple(query), tuple(headers), _body(body)


def _line(name: str, value: str) -> tuple[str, str]:
    if name.lower() == "location":
        return name, ""
    if name.lower() != "set-cookie":
        return name, value
    pair, _, rest = value.partition(";")
    return name, f"{pair.partition('=')[0]};{rest}"


def _body(body: bytes) -> object:
    if body[:1] in (b"{", b'"', b"[") and b'"traceId"' not in body and b'"access_token"' not in body:
        return body  # byte for byte
    try:
        value = json.loads(body)
    except ValueError:
        return _TOLD.sub("*", body.decode("utf-8", "replace"))
    return {name: "*" if name in ("traceId", "access_token", "id_token") else one for name, one in value.items()}


def both(cassette: Cassette, walk: Walk, era: str = "2026-10") -> Iterator[list[Sight]]:
    """What a walk sees of the stand-in of an era, and of a recording, which may be another era's."""
    makes: tuple[Callable[[], Answer], ...] = (
        lambda: Service(PERSON, era=era, now=lambda: datetime.now(UTC)).answer,
        lambda: missing(Replay(cassette, as_era=era).answer),
    )
    for one in makes:
        with time_machine.travel(NOW, tick=False) as clock:
            client = Client(one(), era)
            walk(client, clock)
        yield client.seen


MISS: Final = 599
"""The status a client sees where there is no answer."""


def missing(answer: Answer) -> Answer:
    """A response that says there is none."""

    def told(request: Request) -> Response:
        try:
            return answer(request)
        except MismatchError as error:
            return Response(status=MISS, reason=str(error).splitlines()[0])

    return told
