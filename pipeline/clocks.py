"""Wall times to instants, and what a clock change learned later does to instants that are stored already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from pipeline.decode import Batch
from pipeline.derive import mark
from pipeline.extracts.tables import EXTRACTS
from pipeline.load import blobs, identity_columns, insert, number, run, visible
from tandem.clock import NOT_A_DATE, UNIX_OF_PUMP_EPOCH, is_possible, walls
from tandem.instants import AMBIGUOUS, BY_CLOCK_CHANGE, MISSING, NOT_A_TIME, SURE, ClockChange, clock_changes, instants
from tandem.records import Records

TIME_CHANGED: Final = 13
_WORDS: Final = {SURE: "exact", AMBIGUOUS: "ambiguous", MISSING: "missing", NOT_A_TIME: "none", BY_CLOCK_CHANGE: "clock change"}
_CHANGES: Final = "SELECT sequence_group, sequence_number, pump_seconds, payload FROM clock_settings WHERE device_id = $1"
_REACH: Final = 15 * 86_400  # s; a change counts within a week of its transition, and so do records
_TIMED: Final = ("events", *EXTRACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What turns a device's wall times into instants: the account's zone, and the settings of the pump's clock by sequence group."""

    zone: ZoneInfo
    changes: Mapping[int, tuple[ClockChange, ...]]


def times(seconds: npt.NDArray[np.uint32], batch: Batch, clock: Clock) -> dict[str, pa.Array]:
    """The columns `pump_time`, `instant` and `clock` of these pump seconds, told by these records. Null where there is no possible time."""
    possible = is_possible(seconds)
    if not possible.all():
        seconds = np.where(possible, seconds, np.uint32(NOT_A_DATE[0]))
    utc, status = _told(seconds, batch, clock)
    words = pa.array([_WORDS[one] for one in range(len(_WORDS))])
    return {
        "pump_time": pa.array(walls(seconds).astype("datetime64[us]")),
        "instant": pc.cast(pa.array(utc.astype("datetime64[us]")), pa.timestamp("us", "UTC")),
        "clock": pa.DictionaryArray.from_arrays(pa.array(status.astype(np.int32), mask=status == NOT_A_TIME), words),
    }


def _told(seconds: npt.NDArray[np.uint32], batch: Batch, clock: Clock) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.uint8]]:
    """The instants and how sure they are, each group by its own clock changes."""
    utc = np.full(len(batch), np.datetime64("NaT", "s"))
    status = np.full(len(batch), NOT_A_TIME, np.uint8)
    for group in batch.group_numbers:
        here = batch.groups == group if len(batch.group_numbers) > 1 else slice(None)
        found = instants(seconds[here], clock.zone, sequence=batch.sequence[here], changes=clock.changes.get(group, ()))
        if len(batch.group_numbers) == 1:
            return found.utc, found.status
        utc[here], status[here] = found.utc, found.status
    return utc, status


def clock_of(connection: Connection, device_id: int, zone: ZoneInfo) -> Clock:
    """The clock of a device, from every clock change that is stored."""
    rows = cast(
        "list[tuple[int, int, int, bytes]]",
        run(connection, _CHANGES, [device_id]).fetchall(),
    )
    changes: dict[int, tuple[ClockChange, ...]] = {}
    for group in {row[0] for row in rows}:
        here = [row for row in rows if row[0] == group]
        bare = Records.build(code=TIME_CHANGED, seconds=[row[2] for row in here], sequence=[row[1] for row in here])
        payload = np.frombuffer(b"".join(row[3] for row in here), np.uint8).reshape(len(here), -1)
        changes[group] = clock_changes(bare.with_payload(payload))
    return Clock(zone=zone, changes=changes)


def settle(connection: Connection, device_id: int, news: Batch, zone: ZoneInfo) -> int:
    """Keep clock changes that have just become known, and put right the stored instants near them: windows may come in any order.

    Returns how many rows got another instant.
    """
    told = {"pump_seconds": pa.array(news.seconds.astype(np.int64)), "payload": blobs(news.records.payload)}
    insert(connection, "clock_settings", pa.table(identity_columns(device_id, news) | told))
    clock = clock_of(connection, device_id, zone)
    return sum(
        _settle(connection, table, device_id, news.take(news.groups == group), clock) for group in news.group_numbers for table in _TIMED
    )


def _settle(connection: Connection, table: str, device_id: int, news: Batch, clock: Clock) -> int:
    seconds = news.records.seconds.astype(np.int64)
    # A pump's wall clock counts from 2008, DuckDB's epoch from 1970. The column itself is compared: its zone maps pass over other years.
    near = f"""
        SELECT sequence_number, epoch(pump_time)::BIGINT - {UNIX_OF_PUMP_EPOCH} AS seconds FROM {table}
        WHERE device_id = $1 AND sequence_group = $2
        AND pump_time BETWEEN make_timestamp($3 * 1000000::BIGINT) AND make_timestamp($4 * 1000000::BIGINT)
    """  # noqa: S608  # our own names
    first, last = int(seconds.min()) + UNIX_OF_PUMP_EPOCH - _REACH, int(seconds.max()) + UNIX_OF_PUMP_EPOCH + _REACH
    group = int(news.groups[0])
    found = run(connection, near, [device_id, group, first, last]).fetchnumpy()
    count = len(found["seconds"])
    if not count:
        return 0
    told = np.asarray(found["seconds"], np.uint32)
    bare = Records.build(code=0, seconds=told, sequence=np.asarray(found["sequence_number"], np.int64))
    batch = Batch(records=bare, groups=np.full(count, group, np.int64))
    rows = pa.table(identity_columns(device_id, batch) | times(told, batch, clock))
    with visible(connection, "settled", rows):
        changed = number(
            connection,
            f"UPDATE {table} AS t SET instant = s.instant, clock = s.clock FROM settled s "  # noqa: S608  # our own names
            "WHERE t.device_id = s.device_id AND t.sequence_group = s.sequence_group AND t.sequence_number = s.sequence_number "
            "AND (t.instant <> s.instant OR t.clock <> s.clock::VARCHAR)",
        )
    if changed and table == "events":
        # What is derived from them has their times.
        mark(connection, (device_id, group, int(found["sequence_number"].min()), int(found["sequence_number"].max())))
    return changed
