"""Closure: every leaf of a cassette is a literal, an enumeration, a bounded number or a stand-in. Needs no secrets. Pure.

The walk is the one that made the cassette, with the hand that only looks; so there is no place the rules know and the check does not.
"""

import re
from datetime import UTC, datetime, time

from sanitizer.actions import ACTIONS
from sanitizer.epoch import ANCHOR
from sanitizer.findings import Finding
from sanitizer.hand import Looking
from sanitizer.policy import Policy, policy
from sanitizer.run import Run
from sanitizer.walk import walked
from tandem.eras import ERAS
from tandem.regions import REGIONS
from tfx.cassette import Cassette
from tfx.errors import RefusedError
from tfx.store import loads

COUNTED = frozenset({"header dropped", "property dropped", "sequence", "zero", "counter", "bolus", "jwks", "page"})
"""Words that count places beside those of the actions."""
VALUES = ("keep", "synthetic")
_TELLING_NAME = re.compile(r"\d{6}|@|\d{4}-\d\d-\d\d")
_WEEK = 7


def check(data: bytes, where: str = "the cassette", *, rules: Policy | None = None) -> tuple[Finding, ...]:
    """Every place of a cassette file that could not have come out of the sanitizer.

    Raises:
        CassetteError: the file is not a whole, untouched cassette of a known version.
    """
    return looked_at(loads(data, where), rules=rules)


def looked_at(cassette: Cassette, *, rules: Policy | None = None) -> tuple[Finding, ...]:
    """Every place of a cassette that could not have come out of the sanitizer."""
    run = Run(policy=rules or policy(), clock=datetime.combine(ANCHOR, time.min, UTC))
    hand = Looking(run)
    _head(hand, cassette)
    try:
        walked(hand, cassette.exchanges)
    except RefusedError:
        hand.note("body", "cannot be understood, so nothing says that it is clean")
    return tuple(run.findings)


def _head(hand: Looking, cassette: Cassette) -> None:
    run = hand.run
    clock = cassette.clock.astimezone(UTC)
    facts = {
        "name": (not _TELLING_NAME.search(cassette.name), "a long number or a date, which may be somebody's"),
        "era": (cassette.era in ERAS, "not a known era"),
        "region": (cassette.region in REGIONS, "not a known region"),
        "clock": (0 <= (clock.date() - ANCHOR).days < _WEEK and not clock.second, "not a whole minute of the anchor week"),
        "policy.version": (cassette.policy == run.policy.version, "made by another version of the policy; sanitize it again"),
        "policy.values": (cassette.values in VALUES, f"not one of {', '.join(VALUES)}"),
        "rules": (all(word in ACTIONS or word in COUNTED for word in cassette.rules), "a rule that does not exist"),
    }
    for place, (holds, kind) in facts.items():
        if not holds:
            hand.note(place, kind)
