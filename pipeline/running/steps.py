"""The steps of a run as plain functions: request, store raw, name and time events, extract, join; one transaction per window.

Running twice, over overlapping windows, or in another order gives the same tables: an event is identified by device, sequence group and
sequence number, only new ones are stored, and what depends on several events (chains, instants near clock changes) is computed again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection, Engine

from pipeline.derive.instants import Clock, learned_clock, times
from pipeline.derive.update import derive, mark_batch
from pipeline.extracts.columns import impossible
from pipeline.extracts.tables import EVENTS_ONLY, EXTRACTS, OF_CODE
from pipeline.receive.batch import Batch, Received, joined
from pipeline.receive.decode import received
from pipeline.receive.framing import A_HANDFUL
from pipeline.receive.plans import latest_wall
from pipeline.receive.pumps import Pump
from pipeline.store import unread_days
from pipeline.store.devices import register
from pipeline.store.load import identity_columns, insert, raw_rows
from pipeline.store.news import sift
from pipeline.store.quarantine import COMING, Fault, later, quarantine
from pipeline.store.reasons import UNREADABLE_EVENTS, Reason
from tandem.bounds import BOUNDS
from tandem.client import TandemSource
from tandem.clock import LAST_POSSIBLE, is_possible, seconds_of
from tandem.events import EVENTS
from tandem.records import Records
from tandem.windows import Window
from tfx.errors import AnswerError, TfxError, UsageError

UNKNOWN: Final = "unknown"
_NO_RECORD: Final = (*UNREADABLE_EVENTS, Reason.TRUNCATED, Reason.BROKEN)
_NAMES: Final = pa.array([EVENTS[code].name if code in EVENTS else UNKNOWN for code in range(4096)])
_WATCHED: Final = tuple(code for code in EVENTS_ONLY if code in BOUNDS)
_HAS_NAME: Final = np.isin(np.arange(4096), list(EVENTS))

Result = TypeVar("Result")
Progress = Callable[[Window, "Stored"], None]
Answer = tuple[Window, Received]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one window, or a whole run, brought: events received, rows added per table, what was not read.

    `unread` are the windows whose answer nobody could read to its end; `aside` counts, by reason, the events that only the quarantine has;
    `windows` are those that were asked for.
    """

    received: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    unread: tuple[Window, ...] = ()
    aside: Counter[str] = field(default_factory=Counter)
    windows: tuple[Window, ...] = field(default=(), compare=False)

    def __add__(self, other: "Stored") -> "Stored":
        rows, unread, aside = Counter(self.rows) + other.rows, self.unread + other.unread, Counter(self.aside) + other.aside
        windows = self.windows + other.windows
        return Stored(received=self.received + other.received, rows=rows, unread=unread, aside=aside, windows=windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is too much to be believed. `latest`: pump seconds no pump's clock can be past. `changed`: so many events of one answer that say
    something else under a known identity are kept apart; more are another pump's (docs/decisions/event-identity.md). None: any number.
    """  # noqa: D205  # two members, one sentence each

    latest: int = LAST_POSSIBLE
    changed: int | None = None

    @classmethod
    def at(cls, now: datetime, *, keep_changed: bool = False) -> "Limits":
        """Those of a run at that moment."""
        return cls(latest=min(seconds_of(latest_wall(now)), LAST_POSSIBLE), changed=None if keep_changed else A_HANDFUL)


NO_LIMITS: Final = Limits()


class Step(Protocol):
    """Carries out one named piece of a run."""

    def __call__(self, name: str, do: Callable[[], Result], /) -> Result:
        """What `do` gives."""


# --- a run


def plain(_name: str, do: Callable[[], Result]) -> Result:
    """Run a step as it is, without Prefect."""
    return do()


def run(
    engine: Engine,
    source: TandemSource,
    pump: Pump,
    windows: Sequence[Window],
    *,
    zone: ZoneInfo,
    step: Step = plain,
    progress: Progress | None = None,
    at_once: int = 0,
    limits: Limits = NO_LIMITS,
) -> Stored:
    """Ask for these windows of a pump and store them, each in a transaction of its own: what is stored stays, whatever comes after.

    `at_once`: windows share a transaction until they have so many events. For answers that cost nothing to get again, because what
    waits is lost with the process (docs/decisions/windows-at-once.md). `step` carries out each fetch and each store under a name;
    Prefect's tasks go in there.
    """
    total, waiting = Stored(), list[Answer]()
    work_out = partial(step, "work out tables", lambda: Stored(rows=derive(engine)))

    def put_away() -> Stored:
        name = f"store {waiting[0][0]}" if len(waiting) == 1 else f"store {waiting[0][0]} to {waiting[-1][0]}"
        stored = step(name, partial(store_windows, engine, pump, tuple(waiting), zone=zone, limits=limits))
        for place, (window, _) in enumerate(waiting, 1):
            if progress is not None:
                progress(window, stored if place == len(waiting) else Stored())
        waiting.clear()
        return stored

    for window in windows:
        try:
            waiting.append((window, step(f"fetch {window}", partial(fetch, source, pump, window))))
        except TfxError:
            if waiting:
                put_away()  # what was asked for and answered before stays
            work_out()
            raise
        if sum(len(answer.batch) for _, answer in waiting) >= at_once:
            total += put_away()
    if waiting:
        total += put_away()
    return total + work_out()


def fetch(source: TandemSource, pump: Pump, window: Window) -> Received:
    """Ask for every event of one window. An answer of no known shape, cut or empty, is one that nobody can read, like any other such."""
    try:
        if source.era.wire == "binary":
            return received(source.era, source.pump_events(pump.key, window), window=window)
        return received(source.era, source.pump_logs(pump.key, window), device=pump.key)
    except AnswerError as e:
        return received(source.era, e.body)


def store_windows(
    engine: Engine, pump: Pump, answers: Sequence[tuple[Window | None, Received]], *, zone: ZoneInfo, limits: Limits = NO_LIMITS
) -> Stored:
    """Store these answers, all of them or nothing; where the window one answers is given, whether that was read is kept too.

    Raises UsageError where they are another pump's.
    """
    with engine.begin() as connection:
        device_id = register(connection, pump, zone=zone)
        stored = store(connection, device_id, joined([answer for _, answer in answers]), zone=zone, latest=limits.latest)
        if limits.changed is not None and stored.aside[Reason.CHANGED] > limits.changed:
            raise _another_pumps(stored.aside[Reason.CHANGED], len(answers))
        for window, answer in answers:
            if window is not None:
                unread_days.remember(connection, device_id, window, is_read=not answer.has_hole)
    asked = tuple((window, answer) for window, answer in answers if window is not None)
    return replace(
        stored, windows=tuple(window for window, _ in asked), unread=tuple(window for window, answer in asked if answer.has_hole)
    )


def _another_pumps(changed: int, windows: int) -> UsageError:
    return UsageError(
        f"{changed:,} events say something else than those of the same number that the database has of this pump: this is "
        "another person's pump, or a cassette of another recording (sanitized cassettes share serial numbers), or a pump that was reset "
        f"and counts from the beginning again. Nothing of {'this window' if windows == 1 else 'these windows'} was stored. Name another "
        "--database; where it is the same pump, --changed-records keep stores what is new and keeps the others in the quarantine"
    )


# --- one answer


def store(connection: Connection, device_id: int, answer: Received, *, zone: ZoneInfo, latest: int = LAST_POSSIBLE) -> Stored:
    """Store one answer in the caller's transaction."""
    rows: Counter[str] = Counter()
    news, changed = sift(connection, device_id, answer.batch, answer.era)
    rows["raw_events"] = insert(connection, "raw_events", raw_rows(device_id, news, answer.era))
    # Before the news are in the other tables: they are told by it at once.
    future = {group: _future(connection, device_id, news.take(news.groups == group), latest) for group in news.group_numbers}
    clock = replace(learned_clock(connection, device_id, news, zone, future), latest=latest)
    counted, faults = made(connection, device_id, news, clock)
    rows += counted
    faults.append(Fault(batch=changed, reason=Reason.CHANGED, detail="known identity, other content", whole=True))
    rows["quarantine"] = quarantine(connection, device_id, answer.rejects, faults)
    # What is in no other table: an event nobody could read, or that says something else under an identity that is taken.
    unknown = Counter(one.reason for one in answer.rejects if one.reason in _NO_RECORD)
    return Stored(received=len(answer.batch) + unknown.total(), rows=+rows, aside=unknown + Counter({Reason.CHANGED: len(changed)}))


def _future(connection: Connection, device_id: int, news: Batch, latest: int) -> npt.NDArray[np.int64]:
    """The sequence numbers of a group's events that were later than the run that received them, these among them."""
    return np.concatenate([later(connection, device_id, int(news.groups[0])), news.sequence[news.seconds > latest].astype(np.int64)])


def made(connection: Connection, device_id: int, news: Batch, clock: Clock) -> tuple[Counter[str], list[Fault]]:
    """Name, time and extract records that raw_events has and no other table. Rows by table, and what is wrong with which of them."""
    rows: Counter[str] = Counter()
    timed = Timed.told(device_id, news, clock)
    rows["events"] = insert(connection, "events", _event_rows(timed))
    mark_batch(connection, device_id, news)
    faults = _strange_headers(news, clock)
    for name, table, odd in _extracted(timed, clock):
        faults += odd
        rows[name] = insert(connection, name, table)
    return rows, faults


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timed:
    """New events with the columns that every table of single events begins with: the identity and the record's own time."""

    device_id: int
    batch: Batch
    columns: pa.Table

    @classmethod
    def told(cls, device_id: int, batch: Batch, clock: Clock) -> "Timed":
        """Each event at the time of its header."""
        columns = {**identity_columns(device_id, batch), **times(clock.dated(batch.seconds), batch, clock)}
        return cls(device_id=device_id, batch=batch, columns=pa.table(columns))

    def at(self, places: npt.NDArray[np.intp], seconds: npt.NDArray[np.uint32], clock: Clock) -> pa.Table:
        """The columns of the events at these places, with these times."""
        if np.array_equal(seconds, self.batch.seconds[places]):
            return self.columns.take(pa.array(places))
        batch = self.batch.take(places)
        return pa.table({**identity_columns(self.device_id, batch), **times(seconds, batch, clock)})


def _event_rows(timed: Timed) -> pa.Table:
    code = pa.array(timed.batch.codes.astype(np.int16))
    names = pa.DictionaryArray.from_arrays(code, _NAMES)
    return timed.columns.append_column("code", code).append_column("name", names)


def _extracted(timed: Timed, clock: Clock) -> Iterator[tuple[str, pa.Table, list[Fault]]]:
    """Per table: the rows that single events give it, and the events that give none."""
    parts: defaultdict[str, list[pa.Table]] = defaultdict(list)
    odd: defaultdict[str, list[Fault]] = defaultdict(list)
    for code, places, records in timed.batch.records.groups():
        if code in OF_CODE:
            table, faults = _read(code, timed, places, records, clock)
            parts[OF_CODE[code]].append(table)
            odd[OF_CODE[code]] += faults
    for name, tables in parts.items():
        # Messages of different codes have different columns; what one lacks is null.
        yield name, pa.concat_tables(tables, promote_options="default").unify_dictionaries(), odd[name]


def _read(code: int, timed: Timed, places: npt.NDArray[np.intp], records: Records, clock: Clock) -> tuple[pa.Table, list[Fault]]:
    """The rows one code's records, those at these places, give, and those that give none."""
    found = EXTRACTS[OF_CODE[code]][1](code, records)
    good = is_possible(found.seconds) & clock.has_been(records.seconds)  # where the header itself is no time, the quarantine has it already
    faults = []
    for detail, mask in found.trouble.items():
        if mask.any():
            odd = timed.batch.take(places[mask])
            faults.append(Fault(batch=odd.take(clock.has_been(odd.seconds)), reason=Reason.IMPOSSIBLE_VALUE, detail=detail))
            good &= ~mask
    kept = slice(None) if good.all() else np.flatnonzero(good)
    table = timed.at(places[kept], found.seconds[kept], clock)
    for name, column in found.columns.items():
        table = table.append_column(name, column if isinstance(kept, slice) else column.take(pa.array(kept)))
    return table, faults


def _strange_values(code: int, news: Batch, clock: Clock) -> list[Fault]:
    """Values of an event that has no table, and so nobody else who looks at them."""
    found = impossible(code, news.records.columns(code))
    timed = clock.has_been(news.seconds)  # of the others the quarantine has their place anyway
    return [Fault(batch=news.take(mask & timed), reason=Reason.IMPOSSIBLE_VALUE, detail=detail) for detail, mask in found.items()]


def _strange_headers(news: Batch, clock: Clock) -> list[Fault]:
    nameless = ~_HAS_NAME[news.codes]
    timeless, coming = ~is_possible(news.seconds), is_possible(news.seconds) & ~clock.has_been(news.seconds)
    beyond = [fault for code in _WATCHED if (here := news.codes == code).any() for fault in _strange_values(code, news.take(here), clock)]
    return [
        *beyond,
        Fault(batch=news.take(nameless), reason=Reason.UNKNOWN_CODE, detail="no layout is known"),
        Fault(batch=news.take(timeless), reason=Reason.IMPOSSIBLE_TIME, detail="pump seconds: not a time any pump can have"),
        Fault(batch=news.take(coming), reason=Reason.IMPOSSIBLE_TIME, detail=COMING),
    ]
