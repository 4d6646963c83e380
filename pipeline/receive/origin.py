"""Where responses come from, a cassette or the live service: the only module that opens sessions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse

from pipeline.receive.pumps import Pump
from tandem.client import TandemSource
from tandem.endpoints import locate
from tandem.eras import ERAS
from tandem.quiet import quiet
from tandem.regions import REGIONS
from tandem.windows import Window
from tfx.cassette import Cassette
from tfx.errors import UsageError
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.named import named
from tfx.stages import stage
from tfx.store import load_exactly

_SPANS = {"pump-logs": ("assignmentId", "startDate", "endDate"), "pump-events": ("tconnectDeviceId", "minDate", "maxDate")}
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Origin:
    """A signed-in client, its now, and, on a cassette, which windows of which pump (by key) it can answer."""

    source: TandemSource
    now: datetime
    recorded: Sequence[tuple[str, Window]] | None = None

    def windows_of(self, pump: Pump) -> tuple[Window, ...]:
        """The windows recorded of a pump, each once, as they were asked."""
        return tuple(dict.fromkeys(window for key, window in self.recorded or () if key == pump.key))


class Credentials(Protocol):
    """What signs a person in."""

    @property
    def email(self) -> str:
        """The e-mail address."""

    @property
    def password(self) -> str:
        """The password."""


class Replay(Protocol):
    """A cassette that answers."""

    @property
    def cassette(self) -> Cassette:
        """It, as it is served: of another era, if that was asked for."""

    def answer(self, request: Request) -> Response:
        """What the service said to this request when it was recorded; MismatchError if it was never asked."""

    def check(self) -> None:
        """Raise MismatchError or NetworkBlockedError for what was asked in vain, even if it was swallowed."""


class CassetteAdapter(HTTPAdapter):
    """Carries one session's requests to a cassette.

    Not `replayer.session.offline`, which answers for every HTTP stack of the process: Prefect talks to its own server meanwhile.
    """

    def __init__(self, replay: Replay) -> None:
        super().__init__()
        self._answer = replay.answer
        self._raw = cast("Callable[[Response, str, str], BaseHTTPResponse]", stage("replayer.stacks.answers:urllib3_response"))

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """The cassette's answer, as requests would have built it from the wire."""
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        method, url = request.method or "GET", request.url or ""
        asked = Request(method=method, url=url, headers=Headers((name, str(value)) for name, value in request.headers.items()), body=body)
        return self.build_response(request, self._raw(self._answer(asked), method, url))


@contextmanager
def from_cassette(cassette_name: str, *, as_era: str | None = None, loopback: bool = False, guarded: bool = True) -> Iterator[Origin]:
    """The service as the cassette has it, by path or by name in cassettes/. Raises CassetteError if it cannot be read.

    `as_era` serves it as that era's, as far as the recording holds what it takes. A cassette lets anyone sign in; time stands still at its
    clock, and nobody waits before trying again. The network is blocked meanwhile, but for this machine itself if `loopback` says so; not
    `guarded`, it is not blocked. At the end it says what was asked in vain and who tried to reach out: MismatchError, NetworkBlockedError.
    """
    recorded = load_exactly(named(Path(cassette_name)))
    blocked = cast("Callable[[tuple[str, ...]], AbstractContextManager[object]]", stage("replayer.guard.hook:blocked"))
    replay = cast("type[Replay]", stage("replayer.replay:Replay"))(recorded, as_era=as_era)  # type: ignore[call-arg]  # a protocol says nothing of how it is made
    cassette = replay.cassette
    with blocked(("loopback",) if loopback else ()) if guarded else nullcontext(), requests.Session() as session:
        for scheme in ("https://", "http://"):
            session.mount(scheme, CassetteAdapter(replay))
        source = TandemSource(
            session, region=REGIONS[cassette.region], era=ERAS[cassette.era], clock=lambda: cassette.clock, sleep=lambda _seconds: None
        )
        source.log_in("someone@example.invalid", "any password opens a cassette")
        yield Origin(source=source, now=cassette.clock, recorded=recorded_windows(cassette.exchanges))
        replay.check()


@contextmanager
def live(region: str, era: str, credentials: Path | None) -> Iterator[Origin]:
    """The live service. Raises UsageError, LoginError, BlockedError or NetworkError, as signing in goes wrong."""
    find = cast("Callable[[Path | None], Credentials]", stage("recorder.credentials:find"))
    found = find(credentials)
    with quiet(), requests.Session() as session:
        source = TandemSource(session, region=REGIONS[region], era=ERAS[era], clock=lambda: datetime.now(UTC))
        source.log_in(found.email, found.password)
        yield Origin(source=source, now=datetime.now(UTC))


def recorded_windows(exchanges: Sequence[Exchange]) -> tuple[tuple[str, Window], ...]:
    """Pump key and window of every request for events that was answered, in order."""
    found = (_window_of(exchange) for exchange in exchanges)
    return tuple(window for window in found if window is not None)


def _window_of(exchange: Exchange) -> tuple[str, Window] | None:
    place = locate(exchange.request.method, exchange.request.url)
    if place is None or place.endpoint.name not in _SPANS or exchange.status != _OK:
        return None
    key, *ends = _SPANS[place.endpoint.name]
    query = parse_qs(urlsplit(exchange.request.url).query)
    try:
        since, until = (date.fromisoformat(query[end][0][:10]) for end in ends)
    except (KeyError, ValueError):  # its text quotes what was asked for
        raise UsageError(f"the cassette asks {place.endpoint.name} for no window of days; record it again") from None
    return place.path_values[key], Window(since=since, until=until)
