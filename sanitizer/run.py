"""The state of one sanitizer run: stand-ins, dates, counts, findings. Holds secrets; prints none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from sanitizer.audit.findings import Finding, short, without_advice
from sanitizer.places.unkept import Unkept
from sanitizer.policy.known_names import known_to
from sanitizer.policy.policy import Policy
from sanitizer.replacements.epoch import Epoch
from sanitizer.replacements.ordinal_order import OrdinalOrder
from sanitizer.replacements.ordinals import Ordinals
from tfx.errors import RefusedError

NOT_UNDERSTOOD = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, AssertionError)
"""What a rule raises on an answer nobody thought of. The last rim: such an answer is refused as a whole, and the text, which may quote
a value, is not passed on."""


REMOVED: Final = frozenset({"header dropped", "property dropped"})
"""Words that count what a cassette no longer has, so that nobody can count it again."""
MOST_REMOVED: Final = 99_999
"""The highest such count, for this many and more: six digits could be part of a serial number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What is counted in one body of pump events, and the stand-ins of its devices in the order of the events."""

    counts: Mapping[str, int]
    devices: tuple[str, ...]


class Run:
    """One recording on its way to a cassette. `access_token` is the stand-in seen last, which `at_hash` follows.

    `section` is the table of the policy whose rules are in use, for the rules that findings suggest;
    `counts` is how often each rule was used; `places` the same per place, items of arrays as one. `leaves_out` says that an exchange
    which cannot be understood is left out and named, and not the whole recording refused. `has_gaps`: an exchange went after others were
    seen beside it, so that what is counted from the first of all may start elsewhere.
    `status` is that of the answer in hand. `kept` are the numbers of the exchanges that are on the cassette, in its order. `taken` is how
    often a place was reported of which something may be gone; `columns` is, by exchange, what each body of pump events holds, None if
    something of it may be gone. `devices` are the stand-ins of the body in hand. `unkept` is what went without a stand-in.
    """

    __slots__ = (
        *("_number", "_numbers", "access_token", "clock", "counts", "epoch", "findings", "leaves_out", "left_out", "ordinals"),
        *("_known", "_others", "columns", "devices", "has_gaps", "kept", "places", "policy", "section", "seen", "status"),
        *("ordinal_order", "taken", "unkept"),
    )

    def __init__(
        self, *, policy: Policy, clock: datetime, seen: Sequence[str] = (), numbers: Sequence[int] = (), leaves_out: bool = False
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.epoch = Epoch(clock)
        self.ordinals = Ordinals()
        self.ordinal_order = OrdinalOrder()
        self.has_gaps = False
        self.unkept = Unkept()
        self.kept: list[int] = []
        self.taken = 0
        self.columns: dict[int, Columns | None] = {}
        self.devices: list[str] = []
        self.counts: Counter[str] = Counter()
        self.places: Counter[tuple[str, str]] = Counter()
        self.findings: list[Finding] = []
        self._number = 0
        self._numbers = numbers
        self.leaves_out = leaves_out
        self.left_out = 0
        self.section = ""
        self.status = 0
        self.seen = short(seen)
        self._known: frozenset[str] = frozenset()
        self._others: dict[str, int] = {}
        self.access_token = ""

    @property
    def exchange(self) -> int:
        """The number of the exchange in hand, as where the recording comes from; 0 for none."""
        return self._number

    @exchange.setter
    def exchange(self, index: int) -> None:
        """Take the exchange that stands there into hand; 1 is the first."""
        self._number = self._numbers[index - 1] if index and self._numbers else index

    def shown(self, name: str) -> str:
        """A name of a header, key or member as it may be shown: one that everybody knows, else only that it is another one."""
        if not self._known:
            self._known = known_to(self.policy)
        for one in (name, name.lower()):
            if one in self._known:
                return one
        return f"<another name {self._others.setdefault(name, len(self._others) + 1)}>"

    def leave_out(self, error: Exception) -> None:
        """Name the exchange in hand, which cannot be understood and is left out; raises the error where that was not asked for."""
        if not self.leaves_out:
            raise error
        self.left_out += 1
        self.has_gaps = True
        # Any other text may quote a value.
        told = str(error) if isinstance(error, RefusedError) else "a place that cannot be understood"
        what = without_advice(told).removeprefix(f"#{self._number} ")
        self.findings.append(Finding(exchange=self._number, place="exchange", kind=f"refused ({what}); left out"))

    def __repr__(self) -> str:
        return f"Run({self.exchange} exchanges, {len(self.findings)} findings)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a run is never pickled: it holds the originals")
