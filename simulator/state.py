"""The state of the simulated service: sessions, codes and tokens it has issued. Pure; one lock."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from tfx.capture import Seen

TOKEN_LIFETIME: Final = timedelta(seconds=28800)
"""How long an access token is good for (tconnectsync's log: saved 11:55, expiry 19:55)."""
CODE_LIFETIME: Final = timedelta(minutes=5)
"""How long an authorization code is good for: IdentityServer's default."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Session:
    """Somebody signed in: `sid` is the session's public id, `since` its sign-in (aware, UTC)."""

    sid: str
    region: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Grant:
    """What an authorization code stands for, and what the token call must prove."""

    session: Session
    client_id: str
    redirect_uri: str
    challenge: str
    scope: str
    nonce: str | None
    until: datetime


@dataclass(slots=True, kw_only=True, repr=False)
class State:
    """Sessions by cookie, grants by code, token expiry by token, and every secret ever given out."""

    sessions: dict[str, Session] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _issued: dict[tuple[str, str], None] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def issue(self, kind: str, value: str) -> str:
        """Remember that this secret went out; returns it."""
        with self._lock:
            self._issued[kind, value] = None
        return value

    def issued(self) -> tuple[Seen, ...]:
        """Every secret that went out, in order."""
        with self._lock:
            return tuple(Seen(kind=kind, value=value) for kind, value in self._issued)

    def redeem(self, code: str) -> Grant | None:
        """The grant behind a code; a code is good once, also under threads."""
        with self._lock:
            return self.grants.pop(code, None)

    def opens(self, token: str, region: str, now: datetime) -> bool:
        """Whether this bearer token is good in this region now."""
        home, until = self.tokens.get(token, ("", now))
        return home == region and now < until
