"""`tfx pipeline rebuild`: make every table again from raw_events, after an update of tfx or a manual change.

Kept as it is: what raw_events does not have, namely the quarantine, profiles, and the days to be requested again.
"""

from collections import Counter
from dataclasses import replace
from typing import Final, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine

from pipeline.derive.instants import learned_clock
from pipeline.derive.pieces import pieces
from pipeline.derive.update import derive_all
from pipeline.extracts.tables import DERIVED, EXTRACTS
from pipeline.receive.batch import Batch
from pipeline.running.steps import made
from pipeline.store.broken_records import broken_records
from pipeline.store.devices import zone_named
from pipeline.store.engine import driver
from pipeline.store.load import payloads, run
from pipeline.store.quarantine import later, quarantine
from pipeline.store.ranges import STALE, UNSETTLED, Stretch
from tandem.records import Records
from tfx.errors import UsageError

MADE: Final = (*(derived.table for derived in DERIVED), *EXTRACTS, "events", "clock_facts", UNSETTLED, STALE)
"""The tables that are made again whole; of the quarantine, what has its record in raw_events."""
_GROUPS: Final = """
SELECT device_id, sequence_group, zone, max(sequence_number)
FROM raw_events JOIN devices ON devices.id = device_id GROUP BY ALL ORDER BY ALL
"""
_RAW: Final = """
SELECT code, source, pump_seconds, sequence_number, payload FROM raw_events
WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4 ORDER BY sequence_number
"""


def rebuild(engine: Engine) -> Counter[str]:
    """Make every table again, in one transaction. How many rows each has now. Raises UsageError where raw_events is damaged."""
    with engine.begin() as connection:
        if broken := broken_records(connection):
            raise UsageError(f"{broken}. Nothing was changed: restore the file from a copy, or run again into a new one")
        return rebuild_all(connection)


def rebuild_all(connection: Connection) -> Counter[str]:
    """The same in the caller's transaction."""
    rows: Counter[str] = Counter()
    groups = cast("list[tuple[int, int, str, int]]", driver(connection).execute(_GROUPS).fetchall())
    future = {(device, group): later(connection, device, group) for device, group, *_ in groups}
    for table in MADE:
        driver(connection).execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
    driver(connection).execute("DELETE FROM quarantine WHERE raw IS NULL")
    for device, group, zone, last in groups:
        for piece in pieces(connection, "raw_events", (device, group, 0, last)):
            rows += _made(connection, piece, zone_named(zone), future[device, group])
    return rows + derive_all(connection)


def _made(connection: Connection, piece: Stretch, zone: ZoneInfo, future: npt.NDArray[np.int64]) -> Counter[str]:
    """The rows that a piece of raw_events gives, but for what is derived."""
    device_id, group, *_ = piece
    batch = _batch(connection, piece, group)
    clock = learned_clock(connection, device_id, batch, zone, {group: future})
    is_later = np.isin(batch.sequence, future)
    rows: Counter[str] = Counter()
    for part, limited in ((batch.take(~is_later), clock), (batch.take(is_later), replace(clock, latest=-1))):
        if len(part):
            counted, faults = made(connection, device_id, part, limited)
            rows += counted
            rows["quarantine"] += quarantine(connection, device_id, (), faults)
    return rows


def _batch(connection: Connection, piece: Stretch, group: int) -> Batch:
    found = run(connection, _RAW, piece).to_arrow_table()
    code, source, seconds, sequence = (found[name].to_numpy() for name in found.column_names[:4])
    blank = Records.build(code=0, seconds=seconds, sequence=sequence).with_header(code=code, source=source)
    return Batch(records=blank.with_payload(payloads(found["payload"])), groups=np.full(len(found), group, np.int64))
