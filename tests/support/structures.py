"""Pump records with structure and amounts generated separately, so that one can change without the other."""

import numpy as np

from sanitizer.values.amounts import AMOUNTS
from tandem.events import EVENTS, RECORD_LENGTH
from tandem.records import Records

LAST = 596_059_200
"""The moment of the last of them: 2026-11-20 16:00 in pump seconds."""


def records_like(structure: int, amounts: int, count: int, *, widest: int = 6) -> Records:
    """Random records of every code with amounts: the first seed draws what happened, the second how much.

    Bytes of the structure are below `widest`: small numbers hit flags and ids that mean something, 256 is anything at all.
    """
    facts, sizes = np.random.default_rng(structure), np.random.default_rng(amounts)
    codes = facts.choice(sorted(AMOUNTS), count)
    payload = facts.integers(0, widest, (count, RECORD_LENGTH), np.uint8)
    drawn = sizes.integers(0, 256, (count, RECORD_LENGTH), np.uint8)
    for code in np.unique(codes).tolist():
        which = codes == code
        for field in (EVENTS[code].field(name) for name in AMOUNTS[code]):
            place = slice(field.offset, field.offset + field.width)
            if field.type == "float32":
                drawn[which, place] = sizes.random(int(which.sum())).astype(">f4").view(np.uint8).reshape(-1, 4)
            payload[which, place] = drawn[which, place]
    seconds = LAST - facts.integers(0, 200_000, count)
    return Records(rows=payload).with_header(code=codes, source=0, seconds=seconds, sequence=facts.permutation(count) + 1)
