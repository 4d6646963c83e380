"""The list of event codes in a query, as the service of each era reads it. Pure. How it answers an invalid list is a guess."""

from collections.abc import Sequence
from typing import Final

from tandem.eras import Era

_DIGITS: Final = 9
_NO_EVENT: Final = 10**_DIGITS
"""Stands for every longer number: no event has it, and Python refuses to read thousands of digits."""


class BadCodesError(ValueError):
    """A list of event codes that the service answers with 400."""


def codes_of(values: Sequence[str], era: Era) -> frozenset[int] | None:
    """What the values of `era.events_key` ask for: None for every code (no key, or an empty one).

    Of a repeated key the facade of 2025 read the first; the bff finds no event for one (GlucoseBar, checked live). The facade passed over
    empty pieces and took no blanks, the bff takes blanks and no empty pieces. An era that filters nothing looks at none.

    Raises:
        BadCodesError: a piece is no number.
    """
    if not era.filters_events:
        return None
    is_facade = era.wire == "binary"
    if len(values) > 1 and not is_facade:
        return frozenset()
    text = values[0] if values else ""
    pieces = [piece for piece in text.split(",") if piece] if is_facade else [piece.strip() for piece in text.split(",")]
    if not text or not pieces:
        return None
    if not all(piece.isascii() and piece.isdecimal() for piece in pieces):
        raise BadCodesError
    return frozenset(int(piece) if len(piece.lstrip("0")) <= _DIGITS else _NO_EVENT for piece in pieces)
