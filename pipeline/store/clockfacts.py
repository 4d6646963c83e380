"""The table clock_facts, from which pump clock offsets are known: the only module that reads and writes it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.derive import clock_evidence
from pipeline.receive.batch import Batch
from pipeline.store.load import insert, payloads, run
from tandem.clock import LAST_POSSIBLE, UNIX_OF_PUMP_EPOCH
from tandem.clocklife import ClockChange, parts
from tandem.instants import clock_changes
from tandem.records import Records
from tandem.zones import Transition

CLOCK_CODES: Final = (13, 14)
"""Events that tell a setting of the pump's clock."""

_LAST: Final = 1 << 62
_END: Final = 0xFFFFFFFF  # pump seconds
_YEAR: Final = 400 * 86_400  # an offset nobody set runs on until the zone comes back to it, within a year
_OURS: Final = "WHERE device_id = $1 AND sequence_group = $2"
_FACTS: Final = f"SELECT kind, sequence_number, moment, shift_seconds, pump_seconds FROM clock_facts {_OURS}"  # noqa: S608  # our own words
_SETTINGS: Final = f"""
SELECT code, sequence_number, pump_seconds, payload FROM raw_events {_OURS} AND code IN {CLOCK_CODES} ORDER BY sequence_number
"""  # noqa: S608  # our own words
_AROUND: Final = f"""
SELECT sequence_number, pump_seconds FROM raw_events {_OURS} AND pump_seconds BETWEEN $3 AND $4 ORDER BY sequence_number
"""  # noqa: S608  # our own words
_DATED: Final = f"""
FROM raw_events {_OURS} AND sequence_number BETWEEN $3 AND $4 AND pump_seconds BETWEEN 1 AND {LAST_POSSIBLE}
    AND sequence_number NOT IN (LEFT_OUT)
"""
_LAST_BEFORE: Final = f"SELECT max(sequence_number) {_DATED}"
_FIRST_AFTER: Final = f"SELECT min(sequence_number) {_DATED}"
_SHOWN: Final = f"SELECT sequence_number, pump_seconds {_DATED} ORDER BY sequence_number"
_NEAR: Final = 100_000  # sequence numbers looked through for a neighbour before all of them are
_TIMES: Final = f"SELECT DISTINCT pump_seconds // 1800 * 1800 AS half FROM raw_events {_OURS}"  # noqa: S608  # our own words

Extent = tuple[int, int, int, int]
"""First and last sequence number, first and last pump seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a clock: its settings by events, jumps that imply one, and the transitions (Unix seconds) it did not follow.

    `breaks`: where it lost its time, from which record on, by how much more than settings say, and what it showed then.
    """

    told: tuple[ClockChange, ...] = ()
    jumps: tuple[tuple[int, ClockChange], ...] = ()
    unset: frozenset[int] = frozenset()
    breaks: tuple[ClockChange, ...] = ()

    @property
    def changes(self) -> tuple[ClockChange, ...]:
        """All settings, in order of sequence."""
        return tuple(sorted((*self.told, *(jump for _, jump in self.jumps))))


NOTHING: Final = Facts()


def learned(
    connection: Connection, clock: tuple[int, int], news: Batch, zone: ZoneInfo, future: npt.NDArray[np.int64]
) -> tuple[Facts | None, Facts]:
    """What was known of a clock, and what is, these records being new and in raw_events. None where stored instants follow no facts yet.

    `clock`: device and sequence group. `future`: events whose time cannot be. A function of what raw_events has, whatever came first.
    """
    device_id, group = clock
    before = known(connection, device_id, group)
    new_settings = np.isin(news.codes, CLOCK_CODES).any()
    if before is None:
        told = _told(connection, device_id, group)
        halves = np.asarray(run(connection, _TIMES, [device_id, group]).fetchnumpy()["half"], np.uint32)
        looked_at = clock_evidence.near(zone, halves)
    else:
        told = tuple(sorted({*before.told, *clock_changes(news.records)})) if new_settings else before.told
        again = clock_evidence.at(zone, (*before.unset, *(moment for moment, _ in before.jumps))) if new_settings else ()
        looked_at = tuple({*clock_evidence.near(zone, news.seconds), *again})
    now = _looked(connection, clock, before or NOTHING, told, looked_at)
    left_out = ", ".join(map(str, (-1, *future.tolist())))  # never empty: nothing is in such a list or out of it
    span = (0, _LAST) if before is None else (int(news.sequence.min()), int(news.sequence.max()))
    now = replace(now, breaks=_breaks(connection, (*clock, *span), before or NOTHING, told, left_out))
    if before != now:
        _keep(connection, device_id, group, now)
    return before, now


def _looked(
    connection: Connection, clock: tuple[int, int], before: Facts, told: tuple[ClockChange, ...], at: Iterable[Transition]
) -> Facts:
    """The facts, with what the stored records around these transitions prove now."""
    jumps, unset = dict(before.jumps), set(before.unset)
    for transition in at:
        turn = clock_evidence.shown(transition)
        found = run(connection, _AROUND, [*clock, turn - clock_evidence.AROUND, turn + clock_evidence.AROUND]).fetchnumpy()
        sequence, seconds = (np.asarray(found[name], np.int64) for name in ("sequence_number", "pump_seconds"))
        proof = clock_evidence.proof(transition, sequence, seconds, told)
        unset.discard(transition.moment)
        jumps.pop(transition.moment, None)
        if proof.is_unset:
            unset.add(transition.moment)
        if proof.jump is not None:
            jumps[transition.moment] = proof.jump
    return Facts(told=told, jumps=tuple(sorted(jumps.items())), unset=frozenset(unset))


def _breaks(
    connection: Connection, stretch: tuple[int, int, int, int], before: Facts, told: tuple[ClockChange, ...], left_out: str
) -> tuple[ClockChange, ...]:
    """The breaks, with what the stored records from the one before this stretch to the one after it show now."""
    shifts: dict[int, int] = defaultdict(int, {one.sequence: one.shift for one in told})
    device_id, group, first, last = stretch
    clock = (device_id, group, left_out)
    first = _neighbour(connection, _LAST_BEFORE, clock, (first - _NEAR, first - 1), (0, first - 1), default=first)
    last = _neighbour(connection, _FIRST_AFTER, clock, (last + 1, last + _NEAR), (last + 1, _LAST), default=last)
    found = run(connection, _SHOWN.replace("LEFT_OUT", left_out), [device_id, group, first, last]).fetchnumpy()
    sequence, seconds = (np.asarray(found[name], np.int64) for name in ("sequence_number", "pump_seconds"))
    gone, steps = np.diff(seconds), np.diff(sequence)
    large = [one.sequence for one in told if abs(one.shift) > clock_evidence.BACK]
    at = np.flatnonzero((gone < -clock_evidence.BACK) | (gone > clock_evidence.AHEAD) | np.isin(sequence[1:], large))
    leaps = zip(*(column[at].tolist() for column in (sequence[1:], seconds[1:], gone, steps)), strict=True)
    broken = [
        ClockChange(sequence=number, shift=by - shifts[number], seconds=shown)
        for number, shown, by, count in leaps
        if clock_evidence.is_break(by - shifts[number], count)
    ]
    return tuple(sorted((*(one for one in before.breaks if not first < one.sequence <= last), *broken)))


def _neighbour(connection: Connection, query: str, clock: tuple[int, int, str], *spans: tuple[int, int], default: int) -> int:
    """The record with a time that is next to a stretch: looked for nearby first, because raw_events has no index by which to look."""
    *ours, left_out = clock
    for span in spans:
        ((found,),) = cast("list[tuple[int | None]]", run(connection, query.replace("LEFT_OUT", left_out), [*ours, *span]).fetchall())
        if found is not None:
            return found
    return default


def known(connection: Connection, device_id: int, group: int) -> Facts | None:
    """What is stored of a clock; None where nothing is, not even that nothing is known."""
    rows = cast("list[tuple[str, int, int, int, int]]", run(connection, _FACTS, [device_id, group]).fetchall())
    if not rows:
        return None
    changes = [
        (kind, moment, ClockChange(sequence=sequence, shift=shift, seconds=seconds)) for kind, sequence, moment, shift, seconds in rows
    ]
    return Facts(
        told=tuple(sorted(change for kind, _, change in changes if kind == "set")),
        jumps=tuple(sorted((moment, change) for kind, moment, change in changes if kind == "jumped")),
        unset=frozenset(moment for kind, moment, _ in changes if kind == "unset"),
        breaks=tuple(sorted(change for kind, _, change in changes if kind == "broke")),
    )


def _told(connection: Connection, device_id: int, group: int) -> tuple[ClockChange, ...]:
    """Every setting that raw_events has."""
    found = run(connection, _SETTINGS, [device_id, group]).to_arrow_table()
    code = found["code"].to_numpy()
    payload = payloads(found["payload"])
    parts = []
    for one in CLOCK_CODES:
        here = np.flatnonzero(code == one)
        header = {"seconds": found["pump_seconds"].to_numpy()[here], "sequence": found["sequence_number"].to_numpy()[here]}
        parts.append(Records.build(code=one, **header).with_payload(payload[here]))
    return clock_changes(Records.join(parts))


def _keep(connection: Connection, device_id: int, group: int, facts: Facts) -> None:
    nothing = ClockChange(sequence=0, shift=0, seconds=0)
    rows = [
        ("settled", 0, nothing),
        *(("set", 0, change) for change in facts.told),
        *(("jumped", moment, change) for moment, change in facts.jumps),
        *(("unset", moment, nothing) for moment in sorted(facts.unset)),
        *(("broke", 0, change) for change in facts.breaks),
    ]
    run(connection, f"DELETE FROM clock_facts {_OURS}", [device_id, group])  # noqa: S608  # our own words
    columns = {
        "device_id": [device_id] * len(rows), "sequence_group": [group] * len(rows), "kind": [kind for kind, _, _ in rows],
        "sequence_number": [one.sequence for *_, one in rows], "moment": [moment for _, moment, _ in rows],
        "shift_seconds": [one.shift for *_, one in rows], "pump_seconds": [one.seconds for *_, one in rows],
    }  # fmt: skip
    insert(connection, "clock_facts", pa.table(columns))


# --- what two sets of facts tell differently


def differing(before: Facts | None, now: Facts, zone: ZoneInfo) -> tuple[Extent, ...]:
    """Where rows may have other instants under these facts than under those."""
    if before is None:
        return ((0, _LAST, 0, _END),)
    one, other = _stays(before, zone), _stays(now, zone)
    edges = sorted({*one, *other})
    found = []
    for first, beyond in pairwise([*edges, _LAST + 1]):
        held, holds = (stays[max(edge for edge in stays if edge <= first)] for stays in (one, other))
        if held != holds:
            found.append((first, beyond - 1, 0, _END))
    if before.unset != now.unset:
        moments = before.unset ^ now.unset
        low, high = min(moments) - UNIX_OF_PUMP_EPOCH - _YEAR, max(moments) - UNIX_OF_PUMP_EPOCH + _YEAR
        found.append((0, _LAST, max(low, 0), min(high, _END)))
    return tuple(found)


def _stays(facts: Facts, zone: ZoneInfo) -> dict[int, object]:
    """First sequence number -> what the offsets from there on depend on, but for transitions unheeded."""
    found: dict[int, object] = {}
    for part in parts(zone, facts.changes, [one.sequence for one in facts.breaks]):
        found[part.first] = (part.unknown,)
        if part.life is not None:
            edges = (None, *part.life.changes, None)
            firsts = (part.first, *(change.sequence for change in part.life.changes))
            for place, first in enumerate(firsts):
                found[first] = (place < part.unknown, edges[place], edges[place + 1], part.life.stays[place])
    return found
