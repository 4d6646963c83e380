"""Exchanges as recorded, with real credentials and personal data. Memory only; refuses repr, pickle and the like."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from tfx.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Seen:
    """A value the recorder saw and that must not survive: its kind is printable, the value never is."""

    kind: str
    value: str

    def __repr__(self) -> str:
        return f"Seen({self.kind})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a seen value is never pickled: it would leave memory in plain text")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Capture:
    """What one recording holds.

    `clock` is the instant at the end of the recording (aware, UTC); `seen` is every credential, identifier and name
    that the recorder was given or met, for the sanitizer's second layer. `numbers` are those the exchanges have where they come from
    (1 is the first entry of a HAR file); empty where they are counted as they stand.
    """

    exchanges: tuple[Exchange, ...]
    era: str
    region: str
    clock: datetime
    seen: tuple[Seen, ...] = ()
    numbers: tuple[int, ...] = ()

    def __repr__(self) -> str:
        kinds = Counter(item.kind for item in self.seen)
        return f"Capture({len(self.exchanges)} exchanges, {sum(kinds.values())} seen values)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a capture is never pickled: it would leave memory in plain text")
