"""The simulated service on loopback: a proxy that clients reach by HTTPS_PROXY and a certificate file. Touches sockets and one folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from simulator.account import Account
from simulator.service import Service
from tandem.eras import CURRENT
from tandem.faults import Fault, never_met
from tandem.regions import HOSTS
from tfx.capture import Seen
from tfx.loopback import Loopback, answering

PAUSE: Final = 0.02
"""Seconds between two drops of a slow answer."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StandIn:
    """A running stand-in. `environment` leads any client to it; `ca_file` holds the only certificate it needs to trust."""

    loopback: Loopback
    service: Service

    def __repr__(self) -> str:
        return f"StandIn({self.proxy_url})"

    @property
    def proxy_url(self) -> str:
        """Where it listens."""
        return self.loopback.proxy_url

    @property
    def ca_file(self) -> Path:
        """The certificate to trust, as PEM."""
        return self.loopback.ca_file

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that lead a client here."""
        return self.loopback.environment

    @property
    def requests(self) -> tuple[tuple[str, str, int], ...]:
        """(method, endpoint name, status) of every request so far, in order of answering."""
        return self.loopback.ledger.requests

    @property
    def refused(self) -> int:
        """How many requests were for somewhere else."""
        return len(self.loopback.ledger.refused)

    @property
    def failures(self) -> tuple[str, ...]:
        """Exceptions of the stand-in itself, by class name; empty unless it has a bug."""
        return self.loopback.ledger.failures

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say at the end: which faults no request has met."""
        idle = self.service.idle
        return (never_met(idle, "the stand-in"),) if idle else ()

    def secrets(self) -> tuple[Seen, ...]:
        """Every credential, cookie, code, token, id and name it gave out or holds: what must be found nowhere afterwards."""
        return self.service.secrets()


@contextmanager
def running(
    account: Account,
    *,
    era: str = CURRENT,
    region: str | None = None,
    now: datetime | Callable[[], datetime],
    faults: Sequence[Fault] = (),
    port: int = 0,
    pause: float = PAUSE,
) -> Iterator[StandIn]:
    """A stand-in on loopback for as long as the block lasts; port 0 takes any free one. UsageError if the port is taken.

    `now` is an aware instant, at which its clock then stands still, or a clock. At the end every connection is hung up on,
    every thread joined and the certificate file removed.
    """
    service = Service(account, era=era, region=region, now=now, faults=faults)
    with answering(HOSTS, service.reply, name="The stand-in", at=port, pause=pause) as loopback:
        yield StandIn(loopback=loopback, service=service)
