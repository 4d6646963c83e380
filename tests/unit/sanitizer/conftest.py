"""Captures in one word: a whole session with the stand-in, or one exchange built by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from sanitizer.scrub import Scrubbed, scrub
from simulator.account import account
from simulator.session import captured_session
from tfx.capture import Capture, Seen
from tfx.exchange import Exchange, Headers, Request, Response

NOW = datetime(2026, 11, 18, 20, 30, 5, tzinfo=UTC)

Session = Callable[..., Capture]
Build = Callable[..., Capture]
Done = Callable[..., Scrubbed]


@cache
def _session(era: str, region: str, identity: int, weeks: int, therapy: int) -> Capture:
    now = NOW + timedelta(weeks=weeks)
    person = account(identity=identity, therapy=therapy, now=now, days=0.25, region=region)
    return captured_session(person, era=era, region=region, now=now)


@pytest.fixture(scope="session")
def session() -> Session:
    """The capture of a session; made once for the same arguments."""

    def make(era: str = "2026-10", region: str = "us", identity: int = 1, weeks: int = 0, therapy: int = 1) -> Capture:
        return _session(era, region, identity, weeks, therapy)

    return make


@cache
def _scrubbed(era: str, region: str, therapy: int) -> Scrubbed:
    return scrub(_session(era, region, 1, 0, therapy), name="x")


@pytest.fixture(scope="session")
def scrubbed() -> Done:
    """The same session sanitized, as `x`; made once, for a scrub costs more than most of what is asked about it."""

    def make(era: str = "2026-10", region: str = "us", therapy: int = 1) -> Scrubbed:
        return _scrubbed(era, region, therapy)

    return make


@pytest.fixture(scope="session")
def capture() -> Build:
    """A capture of one exchange; every part can be replaced."""

    def make(
        url: str = "https://sso.tandemdiabetes.com/",
        *,
        method: str = "GET",
        sent: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        status: int = 200,
        got: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
        answer: bytes = b"",
        seen: tuple[str, ...] = (),
        era: str = "2026-10",
    ) -> Capture:
        exchange = Exchange(
            request=Request(method=method, url=url, headers=Headers(sent), body=body),
            response=Response(status=status, headers=Headers(got), body=answer),
        )
        marked = tuple(Seen(kind="canary", value=value) for value in seen)
        return Capture(exchanges=(exchange,), era=era, region="us", clock=NOW, seen=marked)

    return make
