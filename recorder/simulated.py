"""Record the simulated service (`--simulated`): the same session over real HTTPS, with an invented account and a fixed clock."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, cast

from recorder.credentials import Credentials
from recorder.order import DAYS, Order
from recorder.session import Way, record
from tandem.faults import Fault
from tfx.capture import Capture
from tfx.errors import UsageError
from tfx.extras import need
from tfx.stages import stage

NOW: Final = "2026-11-18T20:30:00Z"
"""Where the stand-in's clock stands, so that recording it twice gives the same cassette."""


class _Invented(Protocol):
    """What we need of the stand-in's account."""

    @property
    def email(self) -> str:
        """Its e-mail address."""
        ...

    @property
    def password(self) -> str:
        """Its password."""
        ...


class _StandIn(Protocol):
    """What we need of a running stand-in."""

    @property
    def proxy_url(self) -> str:
        """Where it listens."""
        ...

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say at the end."""
        ...


def simulated(order: Order) -> tuple[Capture, tuple[str, ...]]:
    """A capture of the stand-in, and what to say at the end, such as a fault that no request met.

    The same order gives the same exchanges, but for the client's random verifier.

    Raises:
        UsageError: the order holds what only a live recording needs, or a fault or an instant that cannot be read.
    """
    if order.resume or order.credentials:
        raise UsageError("the stand-in needs no credentials and is recorded in a second; leave --resume and --credentials out")
    need("--simulated", "simulator")
    invent = cast("Callable[..., _Invented]", stage("simulator.account:account"))
    running = cast("Callable[..., AbstractContextManager[_StandIn]]", stage("simulator.proxy:running"))
    instant = cast("Callable[[str], datetime]", stage("simulator.cli:instant"))
    faults = [Fault.parse(text) for text in order.faults]
    now = instant(order.now or NOW)
    errand = order.errand(now.date())
    if order.since is None:
        # The invented history is so many times 24 hours: it begins in the course of the day before the first whole one.
        errand = replace(errand, since=errand.until - timedelta(days=order.days or DAYS))
    days = max((now.date() - errand.since).days, 1)
    account = invent(identity=order.seed, therapy=order.seed, now=now, days=order.history or days, region=errand.region)
    with running(account, era=errand.era, region=errand.region, now=now, faults=faults) as stand_in:
        person = Credentials(email=account.email, password=account.password)
        found = record(person, errand, clock=lambda: now, way=Way(proxy=stand_in.proxy_url, ca_file=stand_in.ca_file))
        return found, stand_in.warnings
