"""Exchanges after sanitizing, fit to commit. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tfx.exchange import Exchange

FORMAT_VERSION: Final = 1
"""The cassette format this code writes; `tfx/cassette.schema.json` is its schema."""


KEEP: Final = "keep"
SYNTHETIC: Final = "synthetic"
VALUES: Final = (KEEP, SYNTHETIC)
"""What the therapy values of a cassette can be."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cassette:
    """A recording that may be public for ever.

    `clock` is the synthetic now at the end of the recording (aware, UTC); `policy` the version of the rules that made it;
    `values` whether therapy values are the recorded ones (`keep`) or regenerated (`synthetic`);
    `rules` how many places each rule touched.
    """

    name: str
    era: str
    region: str
    clock: datetime
    policy: int
    exchanges: tuple[Exchange, ...]
    values: str = KEEP
    rules: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Cassette({self.name!r}, {self.era}, {self.region}, {len(self.exchanges)} exchanges)"
