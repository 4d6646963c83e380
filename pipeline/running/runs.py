"""A whole run, from its options to its report: plain functions, called by the command and wrapped by Prefect flows."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import Engine

from pipeline.receive import plans
from pipeline.receive.origin import Origin, from_cassette, live
from pipeline.receive.pumps import Pump, chosen, pumps_of
from pipeline.running.steps import Limits, Step, Stored, plain, run
from pipeline.store.devices import last_day, unread, zone_for
from tandem.eras import CURRENT
from tandem.windows import Window
from tfx.errors import CassetteError, ServiceError, UsageError
from tfx.progress import track

Mode = Literal["full", "incremental", "backfill"]
AT_ONCE: Final = 250_000
"""Events of a cassette stored in one transaction: twice what DuckDB keeps together, so that a commit copies no row; 50 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Order:
    """What a run is asked to do. `pump` is a serial number, so the `repr` hides everything.

    `mode`: `full` asks for all the service has, `incremental` from the last stored day on, `backfill` for `since` to `until`
    (the last `days` days where only they are given). A cassette answers the windows it has; the days cut them; `as_era` serves it as that
    era's. `loopback` leaves this machine reachable while a cassette stands for the network: Prefect's server is there. Not `guarded`,
    nothing is blocked meanwhile: a worker of a cluster talks to other machines, and the cassette's session has no way out of its own.
    `zone`: where none is named, the one that the warehouse is kept under, and UTC where it is new.
    `keep_changed` stores what looks like another pump's: more than a handful of events that say something else under a known identity.
    """

    mode: Mode = "incremental"
    cassette: str | None = None
    as_era: str | None = None
    zone: str | None = None
    region: str = "us"
    era: str = CURRENT
    credentials: Path | None = None
    pump: str | None = None
    since: date | None = None
    until: date | None = None
    days: int | None = None
    loopback: bool = False
    guarded: bool = True
    keep_changed: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError for days that contradict each other, before anybody signs in."""
        if self.days is not None and self.since is not None:
            raise UsageError("--days and --since exclude each other; leave one out")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise UsageError("--since is after --until; exchange them")
        if self.mode == "backfill" and self.days is None and self.since is None and (self.cassette is None or self.until is None):
            raise UsageError("a backfill needs its first day: name it with --since, or count it with --days")


def perform(engine: Engine, order: Order, *, step: Step = plain) -> Stored:
    """Carry the order out into a migrated warehouse. Returns what was received and which rows were added.

    Progress shows on a terminal, window by window.

    Raises UsageError, CassetteError, or what the service's refusals are called; a note on these says what is stored already.
    """
    zone = zone_for(engine, order.zone)
    total, before = Stored(), list[int]()
    with opened(order) as origin:
        listed = step("list pumps", lambda: pumps_of(origin.source))
        plan = planned(engine, origin, listed, order)
        with track("windows", sum(len(windows) for _, windows in plan)) as advance:

            def put_away(_: Window, stored: Stored) -> None:
                before.append(stored.received)
                advance(1)

            try:
                for pump, windows in plan:
                    total += run(
                        engine, origin.source, pump, windows, zone=zone, step=step, progress=put_away,
                        at_once=AT_ONCE if origin.recorded is not None else 0,
                        limits=Limits.at(origin.now, keep_changed=order.keep_changed),
                    )  # fmt: skip
            except ServiceError as e:
                if any(before) and engine.url.database not in (None, "", ":memory:"):
                    e.add_note(_stays(sum(before), order.mode))
                raise
    return total


def _stays(received: int, mode: Mode) -> str:
    """What is said where the service failed in the middle of a run."""
    after = "the next run goes on from there" if mode == "incremental" else "the same command again adds what is missing"
    return f"the {received:,} events received before that are stored and worked out; {after}"


def opened(order: Order) -> AbstractContextManager[Origin]:
    """The origin the order names."""
    if order.cassette is not None:
        return from_cassette(order.cassette, as_era=order.as_era, loopback=order.loopback, guarded=order.guarded)
    return live(order.region, order.era, order.credentials)


def planned(engine: Engine, origin: Origin, pumps: Sequence[Pump], order: Order) -> tuple[tuple[Pump, tuple[Window, ...]], ...]:
    """Which windows of which pumps to ask for: on a cassette every pump it has events of, live the one that is meant."""
    today = origin.now.astimezone(zone_for(engine, order.zone)).date()
    since, until = span(order, today)
    if origin.recorded is not None:
        wanted = pumps if order.pump is None else (chosen(pumps, order.pump),)
        plan = tuple((pump, plans.clipped(origin.windows_of(pump), since, until)) for pump in wanted)
        if not any(windows for _, windows in plan):
            raise CassetteError("the cassette has no pump events of the days and pumps asked for; look with: tfx show CASSETTE")
        return tuple((pump, windows) for pump, windows in plan if windows)
    pump = chosen(pumps, order.pump)
    if order.mode == "backfill" and since is not None:
        return ((pump, plans.backfill(since, until or today)),)
    stored = last_day(engine, pump, origin.now) if order.mode == "incremental" else None
    return ((pump, plans.incremental(pump, origin.now, stored, unread(engine, pump) if order.mode == "incremental" else ())),)


def span(order: Order, today: date) -> tuple[date | None, date | None]:
    """The days the order names, if any."""
    if order.days is None:
        return order.since, order.until
    until = order.until or today
    return until - timedelta(days=order.days - 1), until
