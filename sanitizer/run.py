"""What one run of the sanitizer carries along: stand-ins, dates, counts, findings. Holds secrets; prints none."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from sanitizer.epoch import Epoch
from sanitizer.findings import Finding, short
from sanitizer.ordinals import Ordinals
from sanitizer.policy import Policy

NOT_UNDERSTOOD = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, AssertionError)
"""What a rule raises on an answer nobody thought of. The last rim: such an answer is refused as a whole, and the text, which may quote
a value, is not passed on."""


class Run:
    """One recording on its way to a cassette. `access_token` is the stand-in seen last, which `at_hash` follows.

    `section` is the table of the policy whose rules are in use, for the rules that findings suggest;
    `counts` is how often each rule was used; `places` the same per place, items of arrays as one.
    """

    __slots__ = ("access_token", "clock", "counts", "epoch", "exchange", "findings", "ordinals", "places", "policy", "section", "seen")

    def __init__(self, *, policy: Policy, clock: datetime, seen: Sequence[str] = ()) -> None:
        self.policy = policy
        self.clock = clock
        self.epoch = Epoch(clock)
        self.ordinals = Ordinals()
        self.counts: Counter[str] = Counter()
        self.places: Counter[tuple[str, str]] = Counter()
        self.findings: list[Finding] = []
        self.exchange = 0
        self.section = ""
        self.seen = short(seen)
        self.access_token = ""

    def __repr__(self) -> str:
        return f"Run({self.exchange} exchanges, {len(self.findings)} findings)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a run is never pickled: it holds the originals")
