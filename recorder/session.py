"""One recording session: a recorded connection, the walk through the account, the resulting capture. Touches the network."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

import requests

from recorder.checkpoint import Errand
from recorder.credentials import Credentials
from recorder.seen import seen_in
from recorder.tape import Heard, Tape, TapeAdapter, played
from recorder.walk import Track, walk
from tandem.client import TandemSource
from tandem.endpoints import locate
from tandem.eras import ERAS
from tandem.quiet import quiet
from tandem.regions import REGIONS
from tfx.capture import Capture, Seen
from tfx.exchange import Exchange
from tfx.progress import track as progress

DATA: Final = frozenset({"pumper", "pumpers", "pump-logs", "pump-event-metadata", "pump-events"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to get to the service: through which proxy, trusting which certificates; empty means as the environment says."""

    proxy: str = ""
    ca_file: Path | None = None


def record(  # each is a seam the tests and the command use
    credentials: Credentials,
    errand: Errand,
    *,
    clock: Callable[[], datetime],
    heard: Heard = lambda _exchange: None,
    before: tuple[Exchange, ...] = (),
    way: Way | None = None,
    sleep: Callable[[float], None] = time.sleep,
    track: Track = progress,
) -> Capture:
    """Everything the errand asks for, as it went over the wire.

    `heard` gets each exchange as soon as it is complete; `before` are the exchanges of an interrupted session, whose data is not asked
    for again (the sign-in is). Raises as `walk`.
    """
    tape = Tape(heard, before=before)
    with quiet(), taped_session(tape, before, way or Way()) as session:
        source = TandemSource(session, region=REGIONS[errand.region], era=ERAS[errand.era], clock=clock, sleep=sleep, discovers=True)
        walk(source, credentials, errand, track)
    given = [Seen(kind="e-mail", value=credentials.email), Seen(kind="password", value=credentials.password)]
    if errand.pump:
        given.append(Seen(kind="serial", value=errand.pump))
    return captured(tape.exchanges, errand.era, errand.region, clock(), tuple(given))


def captured(exchanges: tuple[Exchange, ...], era: str, region: str, clock: datetime, given: tuple[Seen, ...]) -> Capture:
    """A capture that knows every value on it and every value given to make it."""
    return Capture(exchanges=exchanges, era=era, region=region, clock=clock, seen=tuple(dict.fromkeys((*given, *seen_in(exchanges)))))


@contextmanager
def taped_session(tape: Tape, before: tuple[Exchange, ...], way: Way) -> Iterator[requests.Session]:
    """A session whose every exchange lands on the tape; data that `before` holds is answered from there."""
    with requests.Session() as session:
        session.mount("https://", ResumingAdapter(tape, before))
        if way.proxy:
            # The environment's variables would win over these.
            session.trust_env = False
            session.proxies = {"https": way.proxy, "http": way.proxy}
            session.verify = str(way.ca_file) if way.ca_file else True
        yield session


class ResumingAdapter(TapeAdapter):
    """A tape adapter that does not ask again for data an interrupted session already got."""

    def __init__(self, tape: Tape, before: tuple[Exchange, ...]) -> None:
        super().__init__(tape)
        self._had: Mapping[str, Exchange] = {exchange.request.url: exchange for exchange in before if is_had(exchange)}

    def send(  # noqa: PLR0917  # the signature of HTTPAdapter
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The exchange, or the one had before."""
        had = self._had.get(request.url or "") if request.method == "GET" else None
        if had is not None:
            return self.build_response(request, played(had.response))
        return super().send(request, stream, timeout, verify, cert, proxies)


def is_had(exchange: Exchange) -> bool:
    """Whether this is data that need not be asked for again."""
    place = locate(exchange.request.method, exchange.request.url)
    return place is not None and place.endpoint.name in DATA and exchange.response.status == HTTPStatus.OK
