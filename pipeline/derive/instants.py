"""Convert wall times to instants, and convert stored rows again when a clock change becomes known later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from pipeline.derive.pieces import Stretch, pieces
from pipeline.derive.update import mark
from pipeline.extracts.tables import EXTRACTS
from pipeline.receive.batch import Batch
from pipeline.store.clockfacts import NOTHING, Facts, differing, learned
from pipeline.store.load import identity_columns, number, run, visible
from tandem.clock import LAST_POSSIBLE, NOT_A_DATE, UNIX_OF_PUMP_EPOCH, is_possible, walls
from tandem.instants import AMBIGUOUS, ASSUMED, BY_CLOCK_CHANGE, MISSING, NOT_A_TIME, SURE, instants
from tandem.records import Records

_WORDS: Final = {
    SURE: "exact", AMBIGUOUS: "ambiguous", MISSING: "missing", NOT_A_TIME: "none", BY_CLOCK_CHANGE: "clock change", ASSUMED: "assumed",
}  # fmt: skip
_TIMED: Final = ("events", *EXTRACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What turns a device's wall times into instants: the account's zone, and what is known of the pump's clock by sequence group.

    No record can have been written after `latest` (pump seconds).
    """

    zone: ZoneInfo
    facts: Mapping[int, Facts] = field(default_factory=dict)
    latest: int = LAST_POSSIBLE

    def has_been(self, seconds: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """Where these are times the clock can have shown."""
        found: npt.NDArray[np.bool_] = is_possible(seconds) & (seconds <= self.latest)
        return found

    def dated(self, seconds: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """The same, with no time where it cannot have been."""
        been = self.has_been(seconds)
        return seconds if been.all() else np.where(been, seconds, np.uint32(NOT_A_DATE[0]))


def times(seconds: npt.NDArray[np.uint32], batch: Batch, clock: Clock) -> dict[str, pa.Array]:
    """The columns `pump_time`, `instant` and `clock` of these pump seconds of these records. Null where there is no possible time."""
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
    """The instants and how sure they are, each group by what is known of its clock."""
    utc = np.full(len(batch), np.datetime64("NaT", "ms"))
    status = np.full(len(batch), NOT_A_TIME, np.uint8)
    for group in batch.group_numbers:
        here = batch.groups == group if len(batch.group_numbers) > 1 else slice(None)
        facts = clock.facts.get(group, NOTHING)
        broken = [one.sequence for one in facts.breaks]
        known = (seconds[here], clock.zone)
        found = instants(*known, sequence=batch.sequence[here], changes=facts.changes, unset=facts.unset, breaks=broken)
        if len(batch.group_numbers) == 1:
            return found.utc, found.status
        utc[here], status[here] = found.utc, found.status
    return utc, status


def settled(connection: Connection, device_id: int, news: Batch, zone: ZoneInfo, future: Mapping[int, npt.NDArray[np.int64]]) -> Clock:
    """The clock of a device with what these records, in raw_events already and nowhere else, tell of it.

    `future`: by group, the sequence numbers of those whose time cannot be; that time is no evidence that the clock lost its own.
    Instants stored before that it changes are put right, so that windows may come in any order.
    """
    facts = {}
    for group in news.group_numbers:
        batch = news if len(news.group_numbers) == 1 else news.take(news.groups == group)
        before, now = learned(connection, (device_id, group), batch, zone, future[group])
        facts[group] = now
        if before != now:
            clock = Clock(zone=zone, facts={group: now})
            for stretch in differing(before, now, zone):
                numbers, seconds = stretch[:2], stretch[2:]
                for table in _TIMED:
                    for piece in pieces(connection, table, (device_id, group, *numbers)):
                        _settle(connection, table, piece, seconds, clock)
    return Clock(zone=zone, facts=facts)


def _settle(connection: Connection, table: str, piece: Stretch, seconds: tuple[int, int], clock: Clock) -> None:
    """Compute the instants of these stored rows anew where their pump seconds lie in this range; write those that come out otherwise."""
    device_id, group, *_ = piece
    low, high = seconds
    # A pump's wall clock counts from 2008, DuckDB's epoch from 1970. The column itself is compared: its zone maps pass over other years.
    stored = f"""
        SELECT sequence_number, epoch(pump_time)::BIGINT - {UNIX_OF_PUMP_EPOCH} AS seconds FROM {table}
        WHERE device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4
        AND pump_time BETWEEN make_timestamp($5 * 1000000::BIGINT) AND make_timestamp($6 * 1000000::BIGINT)
    """  # noqa: S608  # our own names
    edges = (low + UNIX_OF_PUMP_EPOCH, high + UNIX_OF_PUMP_EPOCH)
    found = run(connection, stored, [*piece, *edges]).fetchnumpy()
    count = len(found["seconds"])
    if not count:
        return
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
