"""Planted responses over the wire: the simulated service serves them over HTTPS, and the recorder records them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import requests
from leaks import seen

from recorder.session import Way, captured, taped_session
from recorder.tape import Tape
from simulator.account import account
from simulator.service import Service
from tandem.client import TandemSource
from tandem.eras import ERAS
from tandem.regions import HOSTS, REGIONS
from tfx.capture import Capture
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.loopback import Loopback, answering
from tfx.tunnel import Reply

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
PERSON = account(identity=77, therapy=3, now=NOW, days=0.25)
NO_WIRE = (requests.RequestException, UnicodeError, ValueError)
"""What a text in a place where no server or client could write it raises."""


class Planted:
    """A stand-in that gives a planted answer where one waits, and its own otherwise."""

    def __init__(self) -> None:
        self._service = Service(PERSON, now=NOW)
        self.waiting: Response | None = None

    def reply(self, request: Request) -> Reply:
        """The answer."""
        planted, self.waiting = self.waiting, None
        if planted is None:
            return self._service.reply(request)
        # Without its length the client would wait for more until the connection closes.
        lines = [line for line in planted.headers if line[0].lower() != "content-length"]
        headers = Headers([*lines, ("Content-Length", str(len(planted.body)))])
        answer = Response(status=planted.status, reason=planted.reason, headers=headers, body=planted.body)
        return Reply(endpoint="planted", response=answer, transport=None)


@contextmanager
def standing() -> Iterator[tuple[Planted, Loopback]]:
    """One stand-in for many recordings."""
    planted = Planted()
    with answering(HOSTS, planted.reply, name="The stand-in") as loopback:
        yield planted, loopback


def recorded(exchanges: Sequence[Exchange], planted: Planted, loopback: Loopback) -> tuple[Capture, int]:
    """A sign-in and then these exchanges, asked and answered; and how many no wire can carry."""
    tape, unfit = Tape(), 0
    with taped_session(tape, (), Way(proxy=loopback.proxy_url, ca_file=loopback.ca_file)) as session:
        client = TandemSource(session, region=REGIONS["us"], era=ERAS["2026-10"], clock=lambda: NOW, sleep=lambda _: None)
        client.log_in(PERSON.email, PERSON.password)
        for one in exchanges:
            before = len(tape.exchanges)
            planted.waiting = one.response
            with suppress(*NO_WIRE):  # requests decodes even wrongly declared codings; the tape has kept the bytes by then
                asked = requests.Request(
                    one.request.method, one.request.url, headers=dict(one.request.headers), data=one.request.body
                ).prepare()
                session.send(asked, allow_redirects=False, timeout=5)
            planted.waiting = None
            unfit += len(tape.exchanges) == before
    return captured(tape.exchanges, "2026-10", "us", NOW, (*seen(), *PERSON.secrets())), unfit
