"""What goes wrong on request: which answer of the stand-in fails, and how. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Self

from tandem.endpoints import BY_NAME
from tfx.errors import UsageError

ANSWERS: Final = ("401", "403-waf", "429", "500", "503", "content-type")
"""Faults that are another answer."""
TRANSPORTS: Final = ("reset", "truncated", "drip")
"""Faults on the way: the right answer, cut off by a reset, short of its length, or a few bytes at a time."""
KINDS: Final = ANSWERS + TRANSPORTS
ANY: Final = "any"


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
        if self.kind not in KINDS:
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


class Faults:
    """The faults still to come; counts requests, by endpoint and all together."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._turns: Counter[str] = Counter()
        self._lock = Lock()

    def next(self, endpoint: str) -> str | None:
        """The kind of fault that falls on this request, or None; the first in the table wins."""
        with self._lock:
            self._turns[endpoint] += 1
            self._turns[ANY] += 1
            turns = dict(self._turns)
        return next(
            (fault.kind for fault in self._faults if fault.endpoint in (endpoint, ANY) and fault.strikes(turns[fault.endpoint])), None
        )
