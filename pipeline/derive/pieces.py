"""Work on long ranges of events piece by piece, so that memory does not grow with the history."""

from collections.abc import Iterator
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.store.load import run

PIECE: Final = 250_000
"""Sequence numbers in a piece. A pump leaves none out, so there are no more events in it: nine months of one pump."""

Stretch = tuple[int, int, int, int]
"""Device, sequence group, first and last sequence number."""

_NEXT: Final = """
SELECT min(sequence_number) FROM source WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4
"""


def pieces(connection: Connection, table: str, stretch: Stretch) -> Iterator[Stretch]:
    """The pieces of a stretch in which that table has rows, in order; each begins at a row."""
    device_id, group, first, last = stretch
    query = _NEXT.replace("source", table)
    while found := cast("list[tuple[int | None]]", run(connection, query, (device_id, group, first, last)).fetchall()):
        ((start,),) = found
        if start is None:
            return
        end = min(start + PIECE - 1, last)
        yield (device_id, group, start, end)
        first = end + 1
