"""`make bench-linkage`: how often a sanitized week is matched with another copy of it, by nearest neighbour among a thousand.

The adversary holds an exact copy of every trace, knows that cassettes move by whole weeks, and compares on the pump's wall clock. For
each sanitized week the traces are ranked by distance; a hit is the source in the first place, ties counted as chance would break them.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sanitizer.scrub import scrub
from simulator import settings as pump_settings
from simulator.identity import identity
from simulator.therapy import sensors
from simulator.therapy.history import Span, history
from simulator.therapy.timeline import DAY, Timeline
from tandem.clock import seconds_of
from tandem.records import Records
from tfx.capture import Capture
from tfx.exchange import Exchange, Headers, Request, Response

Floats = npt.NDArray[np.float64]

DAYS: Final = 7
WEEK: Final = 7 * DAY
SLOT: Final = 300
SLOTS: Final = WEEK // SLOT
NOW: Final = datetime(2026, 11, 15, 23, 0, tzinfo=UTC)  # a Sunday: the week before it is one week of the calendar
MONDAY: Final = seconds_of(datetime(2026, 11, 9))  # noqa: DTZ001  # the pump's clock has no zone
URL: Final = "https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904/987654321"
READING, BOLUS, BASAL, ALERT = 399, 280, 279, 369


def person(seed: int) -> Records:
    """A week of one invented person; sensor and pump are out of step with everybody else's, as they are."""
    rng = np.random.default_rng([77, seed])
    timeline = Timeline(start=MONDAY + int(rng.integers(0, SLOT)), change_at=10 * WEEK, change_by=0)
    span = Span(timeline=timeline, length=WEEK - 2 * SLOT, density=1.0, family=sensors.G7, serviced=False)
    return history(span, identity(seed).pumps[0], pump_settings.draw(rng), identity(seed).profile_names, rng)


def sanitized(records: Records, values: str) -> Records:
    """The same week as it stands on a cassette."""
    response = Response(status=200, headers=Headers([("Content-Type", "application/json")]), body=records.to_body())
    exchange = Exchange(request=Request(method="GET", url=URL), response=response)
    capture = Capture(exchanges=(exchange,), era="2025", region="us", clock=NOW)
    return Records.from_body(scrub(capture, name="linkage", values=values).cassette.exchanges[0].response.body)


# --- what a trace looks like to the adversary: a vector each, by wall-clock time of the week


def by_slot(seconds: npt.NDArray[np.uint32], values: Floats) -> Floats:
    """The last value in each five minutes of the week; NaN where there is none."""
    out = np.full(SLOTS, np.nan)
    out[(seconds.astype(np.int64) - MONDAY) % WEEK // SLOT] = values
    return out


def glucose(records: Records) -> Floats:
    chosen = records.columns(READING)
    shown = chosen["currentGlucoseDisplayValue"].astype(np.float64)
    return by_slot(chosen["egvTimeStamp"].astype(np.uint32), np.where(shown > 0, shown, np.nan))


def glucose_shape(records: Records) -> Floats:
    level = glucose(records)
    return np.asarray((level - np.nanmean(level)) / np.nanstd(level))


def glucose_day(records: Records) -> Floats:
    return np.asarray(np.nanmean(glucose(records).reshape(DAYS, -1, 12), axis=(0, 2)))


def signal(records: Records) -> Floats:
    chosen = records.columns(READING)
    return by_slot(chosen["egvTimeStamp"].astype(np.uint32), chosen["rssi"].astype(np.float64))


def _doses(records: Records) -> tuple[npt.NDArray[np.uint32], Floats]:
    chosen, columns = records.select(BOLUS), records.columns(BOLUS)
    done = columns["bolusDeliveryStatus"] == 0
    return chosen.seconds[done], columns["deliveredTotal"][done].astype(np.float64) / 1000


def dose_sizes(records: Records) -> Floats:
    _, units = _doses(records)
    return np.quantile(units, np.linspace(0, 1, 21)) if len(units) else np.zeros(21)


def basal_day(records: Records) -> Floats:
    rates = by_slot(records.select(BASAL).seconds, records.columns(BASAL)["commandedRate"].astype(np.float64))
    return np.asarray(np.nanmean(rates.reshape(DAYS, -1, 12), axis=(0, 2)))


def iob(records: Records) -> Floats:
    level = by_slot(records.select(81).seconds, records.columns(81)["iob"].astype(np.float64))
    return np.asarray(np.nanmean(level.reshape(-1, 12), axis=1))


def _present(seconds: npt.NDArray[np.uint32], width: int) -> Floats:
    out = np.zeros(WEEK // width)
    out[(seconds.astype(np.int64) - MONDAY) % WEEK // width] = 1
    return out


def gaps(records: Records) -> Floats:
    """When live readings came."""
    return _present(records.select(READING).seconds, SLOT)


def bolus_times(records: Records) -> Floats:
    """When boluses began, to the quarter of an hour: as somebody would remember them."""
    return _present(records.select(64).seconds, 900)


def one_days_boluses(records: Records) -> Floats:
    """When the boluses of Wednesday began."""
    return bolus_times(records)[2 * 96 : 3 * 96]


def bolus_durations(records: Records) -> Floats:
    """How long boluses took, sorted into quantiles: a large one takes longer, so this is their sizes by another road."""
    begun, done = records.select(55), records.select(20)
    starts = dict(zip(records.columns(55)["bolusId"].tolist(), begun.seconds.astype(np.int64).tolist(), strict=True))
    ends = zip(records.columns(20)["bolusId"].tolist(), done.seconds.astype(np.int64).tolist(), strict=True)
    took = [end - starts[bolus] for bolus, end in ends if bolus in starts]
    return np.quantile(np.array(took, np.float64), np.linspace(0, 1, 21)) if took else np.zeros(21)


def alert_times(records: Records) -> Floats:
    return _present(records.select(ALERT).seconds, SLOT)


def every_second(records: Records) -> Floats:
    """Every event's second within the hour: how pump and sensor are out of step."""
    out = np.bincount(records.seconds % 3600, minlength=3600).astype(np.float64)
    return out / np.linalg.norm(out)


VALUES: Final[Mapping[str, Callable[[Records], Floats]]] = {
    "glucose, aligned readings": glucose,
    "glucose, aligned, level and scale taken out": glucose_shape,
    "glucose, mean by hour of day": glucose_day,
    "signal strength, aligned": signal,
    "bolus sizes, without times": dose_sizes,
    "basal rate, mean by hour of day": basal_day,
    "insulin on board, by the hour": iob,
}
STRUCTURE: Final[Mapping[str, Callable[[Records], Floats]]] = {
    "gaps between readings": gaps,
    "bolus times, to the quarter hour": bolus_times,
    "bolus times of one day, to the quarter hour": one_days_boluses,
    "how long boluses took, without times": bolus_durations,
    "alert times, to five minutes": alert_times,
    "seconds of all events within the hour": every_second,
}


_ALIKE: Final = 1e-12
_NOTHING_SHARED: Final = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How often the source came first, the median of its rank (1 is first), over this many tries among so many traces."""

    hits: float
    rank: float
    tries: int
    among: int

    @classmethod
    def of(cls, ranks: Sequence[tuple[int, int]], among: int) -> "Outcome":
        """`ranks`: how many are nearer than the source, and how many are just as near, itself included."""
        hits = sum(1 / ties for nearer, ties in ranks if not nearer)
        return cls(
            hits=hits / len(ranks),
            rank=float(np.median([nearer + (ties + 1) / 2 for nearer, ties in ranks])),
            tries=len(ranks),
            among=among,
        )


def rank(known: Floats, own: Floats, source: int) -> tuple[int, int]:
    """Where the source stands when all traces are ordered by mean squared difference over what both have."""
    apart = (known - own) ** 2
    both = np.isfinite(apart)
    far = np.where(both, apart, 0).sum(axis=1) / np.maximum(both.sum(axis=1), 1) + np.where(both.any(axis=1), 0, _NOTHING_SHARED)
    return int((far < far[source] - _ALIKE).sum()), int((np.abs(far - far[source]) <= _ALIKE).sum())


def linked(traces: Sequence[Records], probes: Sequence[tuple[int, Records]]) -> dict[str, Outcome]:
    """Each distance over all probes, which are sanitized weeks with the number of their source."""
    out = {}
    for name, feature in {**VALUES, **STRUCTURE}.items():
        known = np.array([feature(trace) for trace in traces])
        out[name] = Outcome.of([rank(known, feature(probe), source) for source, probe in probes], len(traces))
    return out


def show(kept: dict[str, Outcome], synthetic: dict[str, Outcome], console: Console) -> None:
    first = next(iter(kept.values()))
    table = Table(
        title=f"Finding the source of a sanitized week among {first.among:,} traces, n = {first.tries} weeks\n"
        f"(chance: hit {1 / first.among:.1%}, median rank {(first.among + 1) / 2:.0f})",
        title_justify="left",
        box=box.SIMPLE,
    )
    for heading in ("distance", "keep: hit", "median rank", "synthetic: hit", "median rank"):
        table.add_column(heading, justify="left" if heading == "distance" else "right")
    for part, names in (("values", VALUES), ("structure alone", STRUCTURE)):
        table.add_section()
        table.add_row(f"[bold]{part}")
        for name in names:
            one, other = kept[name], synthetic[name]
            table.add_row(f"  {name}", f"{one.hits:.1%}", f"{one.rank:.0f}", f"{other.hits:.1%}", f"{other.rank:.0f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=1_000)
    parser.add_argument("--weeks", type=int, default=200, help="how many of them are sanitized and looked for")
    chosen = parser.parse_args()
    console = Console(width=120)
    traces = [person(seed) for seed in track(range(chosen.traces), "inventing", console=console, disable=not console.is_terminal)]
    sources = range(0, chosen.traces, max(1, chosen.traces // chosen.weeks))
    found = {
        values: linked(traces, [(source, sanitized(traces[source], values)) for source in sources]) for values in ("keep", "synthetic")
    }
    show(found["keep"], found["synthetic"], console)


if __name__ == "__main__":
    main()
