"""`tfx pipeline trace`: follow one event from the response to its rows, or say why it has none. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.extracts.tables import CLAIMS, DERIVED, EVENTS_ONLY, OF_CODE
from pipeline.extracts.wire import of_payload
from pipeline.inspection.missing_numbers import neighbours
from pipeline.models import IDENTITY
from pipeline.store.engine import driver
from pipeline.store.reasons import Reason
from pipeline.store.unread_days import unread_days

_KEY: Final = ", ".join(IDENTITY)
_THIS: Final = "device_id = $1 AND sequence_group = $2 AND sequence_number = $3"
_CHAINS: Final = {code: derived for derived in DERIVED if derived.row for code in derived.codes}
_NO_ROW: Final = (Reason.IMPOSSIBLE_VALUE, Reason.IMPOSSIBLE_TIME)
_DEVICES: Final = "SELECT id, serial_number FROM devices ORDER BY id"
_GROUPS: Final = """
SELECT DISTINCT sequence_group FROM raw_events WHERE device_id = $1
UNION SELECT DISTINCT sequence_group FROM quarantine WHERE device_id = $1 AND sequence_group IS NOT NULL ORDER BY 1
"""
_RECEIVED: Final = f"SELECT code, era, source, pump_seconds, hex(payload) FROM raw_events WHERE {_THIS}"  # noqa: S608  # our own words
_NAMED: Final = f"SELECT name, pump_time, instant, clock FROM events WHERE {_THIS}"  # noqa: S608  # our own words
_ASIDE: Final = f"SELECT reason, detail, raw IS NOT NULL FROM quarantine WHERE {_THIS} ORDER BY ALL"  # noqa: S608  # our own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The way of one event of one device: whether it was `received`, and the steps it took, a sentence each."""

    device: int
    sequence_group: int
    sequence_number: int
    received: bool
    steps: tuple[str, ...]


def trace(connection: Connection, number: int, *, serial_number: str | None = None, group: int | None = None) -> tuple[Traced, ...]:
    """The way of the event of that sequence number, of every device and sequence group, or of those named; empty where there is none."""
    traced = []
    for device, serial in cast("list[tuple[int, str]]", driver(connection).execute(_DEVICES).fetchall()):
        if serial_number in (None, serial):
            groups = [found for (found,) in cast("list[tuple[int]]", driver(connection).execute(_GROUPS, [device]).fetchall())]
            traced += [_traced(connection, device, one, number) for one in groups if group in (None, one)]
    return tuple(traced)


def _traced(connection: Connection, device: int, group: int, number: int) -> Traced:
    key = [device, group, number]
    kept = cast("list[tuple[str, str, bool]]", driver(connection).execute(_ASIDE, key).fetchall())
    aside = [_set_aside(*row) for row in kept]
    record = cast("list[tuple[int, str, int, int, str]]", driver(connection).execute(_RECEIVED, key).fetchall())
    wrong = any(reason in _NO_ROW for reason, *_ in kept)
    steps = [*(_stored(connection, key, record[0], has_row=not wrong) if record else ()), *aside]
    if not record and not aside:
        steps = [_not_received(connection, device, group, number)]
    return Traced(device=device, sequence_group=group, sequence_number=number, received=bool(record or aside), steps=tuple(steps))


def _stored(connection: Connection, key: list[int], record: tuple[int, str, int, int, str], *, has_row: bool) -> list[str]:
    code, era, source, seconds, payload = record
    steps = [f"raw_events: event {code}, as era {era} told it: source {source}, pump seconds {seconds}, payload {payload}"]
    named = cast("list[tuple[str, datetime | None, datetime | None, str | None]]", driver(connection).execute(_NAMED, key).fetchall())
    if not named:
        return [*steps, "events: not there, which no run leaves behind; see tfx pipeline check"]
    name, pump_time, instant, clock = named[0]
    when = f"{pump_time} on the pump's clock, {instant} ({clock})" if pump_time else "without a possible time"
    steps.append(f"events: {name}, {when}")
    if code not in CLAIMS:
        return [*steps, f"no other table uses it: {EVENTS_ONLY.get(code, 'no layout of its code is known')}"]
    if not has_row:
        return [*steps, f"{CLAIMS[code]}: no row"]
    if code in OF_CODE:
        steps.append(_row(connection, OF_CODE[code], key))
    if code in _CHAINS:
        steps.append(_chain(connection, code, key))
    elif code not in OF_CODE:
        steps.append(_row(connection, CLAIMS[code], key))
    return steps


def _row(connection: Connection, table: str, key: list[int]) -> str:
    found = driver(connection).execute(f"FROM {table} WHERE {_THIS}", key).fetchall()  # our own names
    return f"{table}: {'a row of its own' if found else 'no row'}"


def _chain(connection: Connection, code: int, key: list[int]) -> str:
    """Which row a message is part of: of those with its key, the last that begins with it or before it."""
    derived = _CHAINS[code]
    told = derived.messages[code]
    source = derived.source or f"raw_events JOIN events USING ({_KEY}, code)"
    same = ", ".join(derived.key if derived.source else (of_payload(told[column]) for column in derived.key)) or "1"
    of_key = f" AND row({', '.join(derived.key)}) = (SELECT row({same}) FROM {source} WHERE {_THIS})" if derived.key else ""  # noqa: S608  # our own
    found = driver(connection).execute(
        f"SELECT max(sequence_number) FROM {derived.table} "  # noqa: S608  # our own names
        f"WHERE device_id = $1 AND sequence_group = $2 AND sequence_number <= $3{of_key}",
        key,
    )
    ((first,),) = found.fetchall()
    return f"{derived.table}: {'no row' if first is None else f'part of the row that begins with event {first}'}"


def _set_aside(reason: str, detail: str, is_kept: bool) -> str:
    kept = "what came is kept there" if is_kept else "raw_events keeps the record"
    return f"quarantine: {reason} ({detail}); {kept}"


def _not_received(connection: Connection, device: int, group: int, number: int) -> str:
    before, after = neighbours(connection, device, group, number)
    last, first = (f"number {number}" if number is not None else "none" for number in (before, after))
    between = f"the last received before it is {last}, the first after it {first}"
    lost = "".join(f"; the answer for {window} could not be read to its end" for window in unread_days(connection))
    return f"not received: {between}{lost}"
