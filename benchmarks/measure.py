"""Measure rivals in turns within one run, so that a busy machine slows all alike; report medians and ratios."""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Something measured: CPU time is taken around `work`, which does `units` of work; `around` is entered before and left after."""

    name: str
    work: Callable[[], object]
    units: float
    around: Callable[[], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Rivals on the same work. The first is the yardstick; `target` is what the contract asks of the last, as words."""

    title: str
    unit: str
    rivals: Sequence[Rival]
    target: str
    rounds: int = 5


def measured(contest: Contest) -> Table:
    """Run the contest: every rival once to warm up, then in turns."""
    times: dict[str, list[float]] = {rival.name: [] for rival in contest.rivals}
    for number in range(contest.rounds + 1):
        for rival in contest.rivals:
            with rival.around():
                start = time.process_time()
                rival.work()
                spent = time.process_time() - start
            if number:
                times[rival.name].append(spent)
    medians = {rival.name: statistics.median(times[rival.name]) / rival.units for rival in contest.rivals}
    first = medians[contest.rivals[0].name]
    table = Table(title=f"{contest.title} (target: {contest.target})", title_justify="left", box=box.SIMPLE)
    for heading in ("", f"{contest.unit} per second", "time, x the first", "speed, x the first"):
        table.add_column(heading, justify="left" if not heading else "right")
    for rival in contest.rivals:
        median = medians[rival.name]
        table.add_row(rival.name, f"{1 / median:,.0f}", f"{median / first:.2f}", f"{first / median:.3f}")
    return table


def show(contests: Sequence[Callable[[], Contest]]) -> None:
    """Measure and print, contest by contest."""
    console = Console(width=120)
    for make in contests:
        console.print(measured(make()))
