"""The simulated service without sockets: a request in, a response out, for one era and one account. Pure but for its state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from simulator import legacy, login, reports
from simulator.account import Account
from simulator.answers import (
    Answer,
    Call,
    World,
    blocked,
    call_of,
    finished,
    not_found,
    page,
    problem,
    unauthorized,
)
from simulator.entropy import Entropy
from simulator.key import signing_key
from simulator.state import State
from tandem.endpoints import Endpoint, Place, locate, plainly_spelled
from tandem.eras import CURRENT, ERAS
from tandem.faults import ANSWERS, REPLAYED, TRANSPORTS, Fault, Faults, is_on_the_way
from tandem.regions import HOSTS, REGIONS
from tandem.responses import bearer_of, is_same_origin
from tfx.capture import Seen
from tfx.errors import UsageError
from tfx.exchange import Request, Response
from tfx.tunnel import Reply

Clock = Callable[[], datetime]
Handler = Callable[[World, Call], Answer]

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "sso-page": login.sso_page,
        "login": login.login,
        "authorize": login.authorize,
        "callback-us": login.callback,
        "callback-eu": login.callback,
        "token": login.token,
        "discovery": login.discovery,
        "jwks": login.jwks,
        "pumper": reports.pumper,
        "pump-logs": reports.pump_logs,
        "pumpers": reports.pumpers,
        "pump-event-metadata": legacy.metadata,
        "pump-events": legacy.pump_events,
    }
)
DATA: Final = frozenset({"pumper", "pump-logs", "pumpers", "pump-event-metadata", "pump-events"})
"""Endpoints behind the bearer token."""
UNKNOWN: Final = "unknown"
NOWHERE: Final = Endpoint(name=UNKNOWN, method="", host="", path="")
"""The place of a path that is none of Tandem Source's."""


class Service:
    """One Tandem Source. `now` is an instant (aware; the clock then stands still) or a clock; faults are counted over its life."""

    def __init__(
        self,
        account: Account,
        *,
        era: str = CURRENT,
        region: str | None = None,
        now: datetime | Clock,
        faults: Sequence[Fault] = (),
        seed: str = "",
    ) -> None:
        """`region` is the cloud the account lives in, by default its own: at the other one its password is wrong."""
        home = region or account.region
        if era not in ERAS:
            raise UsageError(f"no era is called {era!r}; it is one of: {', '.join(ERAS)}")
        if home not in REGIONS:
            raise UsageError(f"no region is called {home!r}; it is one of: {', '.join(REGIONS)}")
        self._clock: Clock = now if callable(now) else lambda: now
        if any(fault.kind in REPLAYED for fault in faults):
            raise UsageError(f"{', '.join(REPLAYED)} belong to a replay; give the stand-in one of {', '.join(ANSWERS + TRANSPORTS)}")
        self._faults = Faults(faults)
        entropy = Entropy(f"{account.subject}/{seed}/{era}/{home}")
        self._world = World(account=account, era=ERAS[era], home=home, entropy=entropy, key=signing_key(), state=State())

    def __repr__(self) -> str:
        return f"Service({self._world.era.name}, {self._world.home})"

    @property
    def account(self) -> Account:
        """The account it serves."""
        return self._world.account

    def answer(self, request: Request) -> Response:
        """The answer; faults on the way are the proxy's to act out and do not show here."""
        return self.reply(request).response

    def reply(self, request: Request) -> Reply:
        """The answer and how it travels."""
        place = locate(request.method, plainly_spelled(request.url))
        found = place or Place(endpoint=NOWHERE, host_kind="", region=None, path_values={})
        call = call_of(request, found, self._clock())
        fault = self._faults.next(found.endpoint.name)
        answer = self._answer(call) if fault is None or is_on_the_way(fault) else self._failing(fault)
        return Reply(
            endpoint=found.endpoint.name,
            response=finished(self._world, call, answer),
            transport=fault if fault and is_on_the_way(fault) else None,
        )

    @property
    def idle(self) -> tuple[Fault, ...]:
        """The faults that no request has met yet."""
        return self._faults.idle

    def secrets(self) -> tuple[Seen, ...]:
        """Every credential, cookie, code, token, id and name that the stand-in gave out or holds."""
        return (*self._world.account.secrets(), *self._world.state.issued())

    def _answer(self, call: Call) -> Answer:
        world, endpoint = self._world, call.place.endpoint
        if (
            world.era.wants_same_origin
            and is_behind_the_firewall(call)
            and not is_same_origin(call.request.headers, f"https://{urlsplit(call.request.url).netloc}/")
        ):
            return blocked(world)
        if endpoint.name == UNKNOWN or world.era.name not in endpoint.eras:
            return not_found()
        if endpoint.name not in DATA:
            return HANDLERS[endpoint.name](world, call)
        bearer = bearer_of(call.request.headers.get("Authorization"))
        if not world.state.opens(bearer, call.place.region or "", call.now):
            return unauthorized(has_token=bool(bearer))
        answer = HANDLERS[endpoint.name](world, call)
        affinity = world.issue("affinity cookie", world.entropy.octets(32).hex())
        host = call.region.hosts["source"]
        return replace(answer, headers=(*answer.headers, ("Set-Cookie", f"ARRAffinity={affinity};Path=/;HttpOnly;Secure;Domain={host}")))

    def _failing(self, fault: str) -> Answer:
        world = self._world
        if fault == "401":
            return unauthorized()
        if fault == "403-waf":
            return blocked(world)
        if fault == "content-type":
            # A maintenance page with status 200 where JSON was due: what a firewall or a deployment slips in.
            return page("Tandem Source", "<h1>We will be right back</h1>")
        return problem(world, int(fault), retry_after=1 if fault in ("429", "503") else None)


def is_behind_the_firewall(call: Call) -> bool:
    """Whether the firewall's same-origin rule covers this path: the data host's interface, not its pages."""
    parts = urlsplit(call.request.url)
    return HOSTS.get(parts.netloc) == "source" and parts.path.startswith("/api/")
