"""Settle instants: compute those of stored rows again, piece by piece, where a clock change became known later."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from pipeline.derive.instants import TIMED, Clock, times
from pipeline.derive.pieces import PIECE, beginning
from pipeline.receive.batch import NO_NEWS, Batch
from pipeline.store.clockfacts import known, learned
from pipeline.store.devices import zone_of
from pipeline.store.load import run, visible
from pipeline.store.quarantine import later
from pipeline.store.ranges import STALE, UNSETTLED, Stretch, done, first_of, mark
from tandem.clock import UNIX_OF_PUMP_EPOCH
from tandem.records import Records

# A pump's wall clock counts from 2008, DuckDB's epoch from 1970.
_STORED: Final = f"""
SELECT rowid AS place, sequence_number, epoch(pump_time)::BIGINT - {UNIX_OF_PUMP_EPOCH} AS seconds, instant, clock FROM stored
WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4 AND pump_time IS NOT NULL
"""  # noqa: S608  # our own words
_MOVE: Final = "UPDATE stored AS t SET instant = m.instant, clock = m.clock FROM moved m WHERE t.rowid = m.place"


def settle_piece(connection: Connection) -> bool:
    """Settle the first piece that waits, in the caller's transaction. Whether there was one."""
    stretch = first_of(connection, UNSETTLED)
    if stretch is None:
        return False
    piece = beginning(stretch, PIECE)
    device_id, group, *_ = piece
    zone = zone_of(connection, device_id)
    facts = known(connection, device_id, group)
    if facts is None:  # as in a database whose schema was an older one
        _, facts = learned(connection, (device_id, group), NO_NEWS, zone, later(connection, device_id, group))
    clock = Clock(zone=zone, facts={group: facts})
    for table in TIMED:
        moved = _settle(connection, table, piece, clock)
        if table == "events" and moved:  # what is derived from them has their times
            mark(connection, STALE, (device_id, group, *moved))
    done(connection, UNSETTLED, piece)
    return True


def _settle(connection: Connection, table: str, piece: Stretch, clock: Clock) -> tuple[int, int] | None:
    """Compute the instants of a table's rows again and write those that come out otherwise: the first and the last sequence number."""
    rows = run(connection, _STORED.replace("stored", table), piece).to_arrow_table()
    seconds = rows["seconds"].to_numpy().astype(np.uint32)
    bare = Records.build(code=0, seconds=seconds, sequence=rows["sequence_number"].to_numpy())
    told = times(seconds, Batch(records=bare, groups=np.full(len(rows), piece[1], np.int64)), clock)
    clocks = told["clock"].dictionary_decode()
    differ = pc.or_(pc.not_equal(rows["instant"], told["instant"]), pc.not_equal(rows["clock"], clocks))
    moved = pa.table({"place": rows["place"], "instant": told["instant"], "clock": clocks}).filter(differ)
    if not len(moved):
        return None
    with visible(connection, "moved", moved):
        run(connection, _MOVE.replace("stored", table))
    numbers = rows["sequence_number"].filter(differ)
    return pc.min(numbers).as_py(), pc.max(numbers).as_py()
