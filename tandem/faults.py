"""Faults on request, with the same names for the simulated service and for a cassette: which response fails, and how. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Final, Self

from tandem.endpoints import BY_NAME
from tfx.errors import UsageError

STATUSES: Final = frozenset(str(int(status)) for status in HTTPStatus if int(status) >= 400)  # noqa: PLR2004  # HTTP's errors
ANSWERS: Final = ("403-waf", "content-type", "STATUS")
"""Faults that are another answer; STATUS is any error status of HTTP, such as 429. A 401 is an expired token, reported once."""
TRANSPORTS: Final = ("reset", "truncated", "drip", "timeout", "late=SECONDS")
"""Faults on the way: cut off by a reset, short of its length, a few bytes at a time, no answer at all, the right answer after SECONDS."""
REPLAYED: Final = ("expired",)
"""Faults of a replay only: the token is refused until somebody signs in again."""
KINDS: Final = ANSWERS + TRANSPORTS + REPLAYED
ANY: Final = "any"
_LATE: Final = re.compile(r"late=(\d{1,6}(?:\.\d{1,3})?)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The nth request (from 1) that reaches this endpoint fails in this way; with `onwards`, every later one too."""

    endpoint: str = ANY
    nth: int = 1
    kind: str
    onwards: bool = False

    def __post_init__(self) -> None:
        if self.endpoint != ANY and self.endpoint not in BY_NAME:
            raise UsageError(f"no endpoint is called {self.endpoint!r}; it is one of: {ANY}, {', '.join(BY_NAME)}")
        if not (self.kind in (*ANSWERS[:-1], *REPLAYED, *STATUSES) or is_on_the_way(self.kind)):
            raise UsageError(f"no fault is called {self.kind!r}; it is one of: {', '.join(KINDS)}")
        if self.nth < 1:
            raise UsageError(f"requests are counted from 1, not {self.nth}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`ENDPOINT:N:KIND`, or `ENDPOINT:N+:KIND` for the nth and every later request; UsageError."""
        endpoint, _, rest = text.partition(":")
        nth, _, kind = rest.partition(":")
        if not nth.removesuffix("+").isdecimal() or not kind:
            raise UsageError(f"cannot read the fault {text!r}; write it as ENDPOINT:N:KIND, for example pump-logs:2:500")
        return cls(endpoint=endpoint, nth=int(nth.removesuffix("+")), kind=kind, onwards=nth.endswith("+"))

    def strikes(self, turn: int) -> bool:
        """Whether this fault falls on the request that is the nth of its endpoint."""
        return turn == self.nth or (self.onwards and turn > self.nth)

    def __str__(self) -> str:
        return f"{self.endpoint}:{self.nth}{'+' if self.onwards else ''}:{self.kind}"


def is_on_the_way(kind: str) -> bool:
    """Whether it breaks the right response on its way."""
    return kind in TRANSPORTS[:-1] or _LATE.match(kind) is not None


def late(kind: str) -> float | None:
    """How many seconds late an answer is, if that is the fault."""
    found = _LATE.match(kind)
    return float(found.group(1)) if found else None


def never_met(idle: Iterable[object], server: str) -> str:
    """The message about faults on which no request of the client fell."""
    faults = [str(fault) for fault in idle]
    noun, was = ("fault", "was") if len(faults) == 1 else ("faults", "were")
    told = f"the {noun} {', '.join(faults)} {was} never met: {server} got fewer requests"
    return f"{told}; remove the {noun}, or let the client ask more often"


class Faults:
    """The faults still to come; counts requests, by endpoint and all together."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._turns: Counter[str] = Counter()
        self._struck: set[int] = set()
        self._lock = Lock()

    def next(self, endpoint: str) -> str | None:
        """The kind of fault that falls on this request, or None; the first in the table wins."""
        with self._lock:
            self._turns[endpoint] += 1
            self._turns[ANY] += 1
            for place, fault in enumerate(self._faults):
                if fault.endpoint in (endpoint, ANY) and fault.strikes(self._turns[fault.endpoint]):
                    self._struck.add(place)
                    return fault.kind
        return None

    @property
    def idle(self) -> tuple[Fault, ...]:
        """The faults that have not been used yet."""
        return tuple(fault for place, fault in enumerate(self._faults) if place not in self._struck)
