"""Work on long ranges of events piece by piece, so that memory does not grow with the history."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from pipeline.store.ranges import Stretch, from_its_first

PIECE: Final = 250_000
"""Sequence numbers in a piece. A pump leaves none out, so there are no more events in it: nine months of one pump."""


def pieces(connection: Connection, table: str, stretch: Stretch) -> Iterator[Stretch]:
    """The pieces of a stretch in which that table has rows, in order; each begins at a row."""
    rest = from_its_first(connection, table, stretch)
    while rest is not None:
        piece = beginning(rest, PIECE)
        yield piece
        rest = from_its_first(connection, table, (*stretch[:2], piece[3] + 1, stretch[3]))


def beginning(stretch: Stretch, size: int) -> Stretch:
    """At most so many sequence numbers of it."""
    device_id, group, first, last = stretch
    return (device_id, group, first, min(first + size - 1, last))
