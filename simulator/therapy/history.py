"""The whole history of one invented pump, from power-up to its last upload, as pump records."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.identity import PumpIdentity
from simulator.settings import Settings
from simulator.therapy import boluses, delivery, sensors
from simulator.therapy.body import glucose, meals, on_board
from simulator.therapy.log import Log
from simulator.therapy.service import SERVICE, Row, clock_setting, log_service, service_boluses
from simulator.therapy.timeline import SLOT, Seconds, Timeline
from tandem.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is drawn: `length` seconds of therapy after the first hours, for a sensor family; `density` as in `account`."""

    timeline: Timeline
    length: int
    density: float
    family: sensors.Family
    serviced: bool

    @property
    def begin(self) -> int:
        """When ordinary therapy starts, in elapsed seconds."""
        return SERVICE if self.serviced else SLOT

    @property
    def slots(self) -> Seconds:
        """The five-minute slots of ordinary therapy."""
        return np.arange(self.begin, self.begin + self.length, SLOT, dtype=np.int64)


def history(span: Span, pump: PumpIdentity, settings: Settings, names: tuple[str, ...], rng: np.random.Generator) -> Records:
    """Every record of this pump in write order."""
    log, timeline = Log(), span.timeline
    if span.serviced:
        log_service(log, timeline, pump, settings, names=names, rng=rng)
    else:
        _add(log, clock_setting(timeline, pump, 1))
    if 0 < timeline.change_at < span.begin + span.length:
        _add(log, _clock_change(timeline, pump))  # first, so that it comes before what happens in the same second
    _log_therapy(log, span, pump, settings, rng)
    return log.records(timeline, sequence_base=pump.sequence_base, rng=rng)


def _log_therapy(log: Log, span: Span, pump: PumpIdentity, settings: Settings, rng: np.random.Generator) -> None:
    timeline, slots, end = span.timeline, span.slots, span.begin + span.length
    eaten = meals(timeline, span.begin, end, rng)
    curve = glucose(timeline, slots, eaten, rng)
    lost = sensors.losses(slots, rng)
    halts = delivery.suspensions(span.begin, end)
    asked = boluses.for_meals(eaten, curve, slots, settings, timeline=timeline, rng=rng)
    basal = delivery.deliver(slots, curve, settings, timeline, blind=lost.blind(slots), halts=halts, density=span.density)
    added = boluses.automatic(asked, curve, slots, settings, timeline=timeline, usable=basal.source == delivery.ALGORITHM)
    given = boluses.join(*((service_boluses(),) if span.serviced else ()), asked, added)

    delivery.log_days(log, basal, settings, timeline, sensor=span.family.kind)
    sensors.log_readings(log, span.family, slots, curve, timeline=timeline, rng=rng, lost=lost)
    delivery.log_basal(log, basal, settings, timeline, on_board(slots, *given.units()), halts=halts)
    delivery.log_suspensions(log, basal, settings, halts)
    boluses.log_boluses(log, given, slots, first_id=pump.bolus_base)
    sensors.log_excursions(log, span.family, slots, curve, settings, lost=lost)
    if settings.closed_loop:
        sensors.log_losses(log, lost, span.family)


def _clock_change(timeline: Timeline, pump: PumpIdentity) -> Iterator[Row]:
    """The owner sets the clock: 13, and 14 if that is another day. Headers are already on the new clock, as in public records."""
    at = timeline.change_at
    after = int(timeline.wall(at))
    before, counter = after - timeline.change_by, (pump.rtc + at * 1000) % 0x1_0000_0000  # it wraps every 49 days
    yield at, 13, {"timePrior": before % 86_400 * 1000, "timeAfter": after % 86_400 * 1000, "rawRtcTime": counter}
    if before // 86_400 != after // 86_400:
        yield at, 14, {"datePrior": before // 86_400, "dateAfter": after // 86_400, "rawRtcTime": counter}


def _add(log: Log, rows: Iterator[Row]) -> None:
    for at, code, fields in rows:
        log.add(code, at, **fields)
