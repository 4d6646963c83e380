"""Convert wall times to instants, by the account's zone and what is known of the pump's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from pipeline.extracts.tables import EXTRACTS
from pipeline.receive.batch import Batch
from pipeline.store.clockfacts import NOTHING, Facts, differing, learned
from pipeline.store.load import run
from pipeline.store.ranges import UNSETTLED, Stretch, mark
from tandem.clock import LAST_POSSIBLE, NOT_A_DATE, UNIX_OF_PUMP_EPOCH, is_possible, walls
from tandem.instants import AMBIGUOUS, ASSUMED, BY_CLOCK_CHANGE, MISSING, NOT_A_TIME, SURE, instants

_WORDS: Final = {
    SURE: "exact", AMBIGUOUS: "ambiguous", MISSING: "missing", NOT_A_TIME: "none", BY_CLOCK_CHANGE: "clock change", ASSUMED: "assumed",
}  # fmt: skip
TIMED: Final = ("events", *EXTRACTS)
"""The tables whose instants come of the clock itself; the others have them from these."""

# A pump's wall clock counts from 2008, DuckDB's epoch from 1970. The column itself is compared: its zone maps pass over other years.
_WITHIN: Final = "device_id = $1 AND sequence_group = $2 AND sequence_number BETWEEN $3 AND $4"
_SHOWN: Final = "pump_time BETWEEN make_timestamp($5 * 1000000::BIGINT) AND make_timestamp($6 * 1000000::BIGINT)"
_MET: Final = " UNION ALL ".join(f"SELECT sequence_number FROM {table} WHERE {_WITHIN} AND {_SHOWN}" for table in TIMED)  # noqa: S608  # our own names
_EDGES: Final = f"SELECT min(sequence_number), max(sequence_number) FROM ({_MET})"  # noqa: S608  # our own words


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


def learned_clock(
    connection: Connection, device_id: int, news: Batch, zone: ZoneInfo, future: Mapping[int, npt.NDArray[np.int64]]
) -> Clock:
    """The clock of a device with what these records, in raw_events already and nowhere else, tell of it.

    `future`: by group, the sequence numbers of those whose time cannot be; that time is no evidence that the clock lost its own.
    Rows stored before whose instants it may change are marked unsettled, so that windows may come in any order.
    """
    facts = {}
    for group in news.group_numbers:
        batch = news if len(news.group_numbers) == 1 else news.take(news.groups == group)
        before, facts[group] = learned(connection, (device_id, group), batch, zone, future[group])
        if before != facts[group]:
            for where in differing(before, facts[group], zone):
                _mark(connection, (device_id, group, *where[:2]), where[2:])
    return Clock(zone=zone, facts=facts)


def _mark(connection: Connection, stretch: Stretch, seconds: tuple[int, int]) -> None:
    """Say that stored rows of these sequence numbers with times of this range (pump seconds) may have other instants now."""
    shown = [one + UNIX_OF_PUMP_EPOCH for one in seconds]
    ((first, last),) = cast("list[tuple[int | None, int | None]]", run(connection, _EDGES, [*stretch, *shown]).fetchall())
    if first is not None and last is not None:
        mark(connection, UNSETTLED, (*stretch[:2], first, last))
