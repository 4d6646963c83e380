"""The steps of the pipeline as plain functions: ask, keep as received, name and time, extract, join; one transaction a window.

Running twice, over overlapping windows, or in another order gives the same tables: an event is known by device, sequence group and
sequence number, only new ones go on, and what depends on others (chains of events, instants near clock changes) is worked out anew.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine

from pipeline.clocks import TIME_CHANGED, Clock, clock_of, settle, times
from pipeline.decode import Batch, Received, Reject, received
from pipeline.derive import derive, mark_batch
from pipeline.extracts.tables import EXTRACTS, OF_CODE
from pipeline.load import identity_columns, insert, quarantine, raw_rows, sift
from pipeline.pumps import Pump
from pipeline.warehouse import driver
from tandem.client import TandemSource
from tandem.clock import is_date
from tandem.events import EVENTS
from tandem.windows import Window
from tfx.errors import UsageError

UNKNOWN: Final = "unknown"
_NAMES: Final = pa.array([EVENTS[code].name if code in EVENTS else UNKNOWN for code in range(4096)])

Result = TypeVar("Result")
Progress = Callable[[Window, "Stored"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What one window, or a whole run, brought: events received, and rows added per table."""

    received: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(received=self.received + other.received, rows=Counter(self.rows) + other.rows)


class Step(Protocol):
    """Carries out one named piece of a run."""

    def __call__(self, name: str, do: Callable[[], Result], /) -> Result:
        """What `do` gives."""


# --- a run


def plain(_name: str, do: Callable[[], Result]) -> Result:
    """A step without a dress: it is just done."""
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
) -> Stored:
    """Ask for these windows of a pump and store them, each in a transaction of its own: what is stored stays, whatever comes after.

    `step` carries out each fetch and each store under a name; Prefect's tasks go in there.
    """
    total = Stored()
    for window in windows:
        answer = step(f"fetch {window}", partial(fetch, source, pump, window))
        stored = step(f"store {window}", partial(store_window, engine, pump, answer, zone=zone))
        total += stored
        if progress is not None:
            progress(window, stored)
    return total + step("work out tables", lambda: Stored(rows=derive(engine)))


def fetch(source: TandemSource, pump: Pump, window: Window) -> Received:
    """Ask for every event of one window."""
    if source.era.wire == "binary":
        return received(source.era, source.pump_events(pump.key, window))
    return received(source.era, source.pump_logs(pump.key, window), device=pump.key)


def store_window(engine: Engine, pump: Pump, answer: Received, *, zone: ZoneInfo) -> Stored:
    """Store one answer, all of it or nothing."""
    with engine.begin() as connection:
        return store(connection, register(connection, pump, zone=zone), answer, zone=zone)


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises UsageError for any other."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise UsageError(f"there is no time zone called {name!r}; name one like Europe/Berlin with --zone") from e


def register(connection: Connection, pump: Pump, *, zone: ZoneInfo) -> int:
    """The device's number in this warehouse, given when it is first met; what the account says of it is brought up to date.

    Raises UsageError if its instants were computed under another zone: half a table in another zone would be silently wrong.
    """
    known = driver(connection).execute("SELECT id, zone FROM devices WHERE serial_number = $1", [pump.serial_number]).fetchall()
    said = [pump.model_number, pump.model_name, pump.software_version]
    if not known:
        driver(connection).execute(
            "INSERT INTO devices (id, serial_number, zone, model_number, model_name, software_version) "
            "SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5 FROM devices",
            [pump.serial_number, zone.key, *said],
        )
        return register(connection, pump, zone=zone)
    device_id, computed_under = cast("tuple[int, str]", known[0])
    if computed_under != zone.key:
        raise UsageError(
            f"this database holds the pump's instants under the zone {computed_under}; go on with --zone {computed_under}, "
            f"or start another database for {zone.key}"
        )
    driver(connection).execute(
        "UPDATE devices SET model_number = coalesce($2, model_number), model_name = coalesce($3, model_name), "
        "software_version = coalesce($4, software_version) WHERE id = $1",
        [device_id, *said],
    )
    return device_id


def last_day(engine: Engine, pump: Pump) -> date | None:
    """The last day of which the warehouse has events of this pump, on the pump's wall clock; None if it has none."""
    query = "SELECT max(pump_time)::DATE FROM events JOIN devices ON devices.id = device_id WHERE serial_number = $1"
    with engine.connect() as connection:
        found = driver(connection).execute(query, [pump.serial_number]).fetchall()
        return cast("date | None", found[0][0])


# --- one answer


def store(connection: Connection, device_id: int, answer: Received, *, zone: ZoneInfo) -> Stored:
    """Store one answer in the caller's transaction."""
    rows: Counter[str] = Counter()
    fresh, changed = sift(connection, device_id, answer.batch, answer.era)
    news = answer.batch.take(fresh)
    rejects = [*answer.rejects, *_changed(answer.batch.take(changed))]
    rows["raw_events"] = insert(connection, "raw_events", raw_rows(device_id, news, answer.era))
    clock = clock_of(connection, device_id, zone)
    rows["events"] = insert(connection, "events", _event_rows(device_id, news, clock))
    mark_batch(connection, device_id, news)
    rejects += _strange_headers(news)
    extracted: defaultdict[str, list[pa.Table]] = defaultdict(list)
    for code, places, _ in news.records.groups():
        if code in OF_CODE:
            table, odd = _extracted(device_id, code, news.take(places), clock)
            extracted[OF_CODE[code]].append(table)
            rejects += odd
    for name, parts in extracted.items():
        # Messages of different codes have different columns; what one lacks is null.
        whole = pa.concat_tables(parts, promote_options="default").unify_dictionaries()
        rows[name] = insert(connection, name, whole)
    settings = news.take(news.records.code == TIME_CHANGED)
    if len(settings):
        settle(connection, device_id, settings, zone)
    rows["quarantine"] = quarantine(connection, device_id, rejects)
    return Stored(received=len(answer.batch), rows=+rows)


def _event_rows(device_id: int, news: Batch, clock: Clock) -> pa.Table:
    code = news.records.code
    return pa.table(
        {
            **identity_columns(device_id, news),
            **times(news.records.seconds, news, clock),
            "code": pa.array(code.astype(np.int16)),
            "name": _NAMES.take(pa.array(code)),
        }
    )


def _extracted(device_id: int, code: int, news: Batch, clock: Clock) -> tuple[pa.Table, list[Reject]]:
    """The rows one code's records give, and those that give none."""
    found = EXTRACTS[OF_CODE[code]][1](code, news.records)
    good = is_date(found.seconds)  # where the header itself is no time, the quarantine has it already
    rejects: list[Reject] = []
    for detail, mask in found.trouble.items():
        rejects += _places(news.take(mask & is_date(news.records.seconds)), "impossible value", detail)
        good &= ~mask
    table = pa.table({**identity_columns(device_id, news), **times(found.seconds, news, clock), **found.columns})
    return table.filter(pa.array(good)), rejects


def _strange_headers(news: Batch) -> list[Reject]:
    codes = news.records.code
    nameless = ~np.isin(codes, np.array(tuple(EVENTS)))
    timeless = ~is_date(news.records.seconds)
    return [
        *_places(news.take(nameless), "unknown code", "no layout is known"),
        *_places(news.take(timeless), "impossible time", "pump seconds: not a time"),
    ]


def _changed(batch: Batch) -> list[Reject]:
    """Records under an identity that is taken by other content: the first stays, these are kept whole."""
    bare = _places(batch, "changed record", "known identity, other content")
    return [replace(reject, raw=row.tobytes()) for reject, row in zip(bare, batch.records.rows, strict=True)]


def _places(batch: Batch, reason: str, detail: str) -> list[Reject]:
    """Rejects of events that raw_events keeps."""
    identities = zip(batch.groups.tolist(), batch.records.sequence.tolist(), batch.records.code.tolist(), strict=True)
    return [
        Reject(reason=reason, detail=detail, raw=None, group=group, sequence=sequence, code=code) for group, sequence, code in identities
    ]
