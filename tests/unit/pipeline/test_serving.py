"""Repeated runs: none overlaps, a failing service is tried again, an interruption ends them cleanly."""

from collections import Counter
from collections.abc import Callable

import pytest

from pipeline.running.serving import Clock, Stop, serve
from pipeline.running.steps import Stored
from tfx.errors import BlockedError, InUseError, LoginError, NetworkError, TfxError, UsageError


class World:
    """A clock that moves when waited for, and runs that take as long as they are said to."""

    def __init__(self, *runs: float | BaseException) -> None:
        self.time = 100.0
        self.runs = list(runs)
        self.begun: list[float] = []
        self.told: list[str] = []
        self.stop = Stop()

    def once(self) -> Stored:
        self.begun.append(self.time)
        if not self.runs:
            raise KeyboardInterrupt
        lasts = self.runs.pop(0)
        if isinstance(lasts, BaseException):
            raise lasts
        self.time += lasts
        return Stored(received=9, rows=Counter(raw_events=2))

    def wait(self, seconds: float) -> None:
        self.time += seconds

    def serve(self, once: Callable[[], Stored] | None = None) -> int:
        return serve(
            once or self.once, interval=60, clock=Clock(now=lambda: self.time, wait=self.wait), tell=self.told.append, stop=self.stop
        )


def test_runs_begin_on_the_beat() -> None:
    world = World(5, 30, 59)
    assert world.serve() == 3
    assert world.begun == [100, 160, 220, 280]
    assert world.told == ["9 events received, 2 new"] * 3


def test_a_run_longer_than_the_interval_makes_beats_fall_out() -> None:
    world = World(150, 60, 1)
    assert world.serve() == 3
    assert world.begun == [100, 280, 400, 460]


def test_what_the_next_run_may_do_better_is_told_and_tried_again() -> None:
    world = World(NetworkError("no answer"), InUseError("somebody looks at it"), 5)
    assert world.serve() == 1
    assert world.begun == [100, 160, 220, 280]
    assert world.told[:2] == [
        "NetworkError: no answer; trying again at the next beat",
        "InUseError: somebody looks at it; trying again at the next beat",
    ]


@pytest.mark.parametrize("error", [UsageError("no such pump"), LoginError("refused"), BlockedError("turned away")])
def test_what_no_next_run_would_do_better_ends_it(error: TfxError) -> None:
    with pytest.raises(type(error)):
        World(5, error, 5).serve()


def test_an_interruption_while_waiting_is_a_clean_end() -> None:
    world = World(5)

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    clock = Clock(now=lambda: world.time, wait=interrupted)
    assert serve(world.once, interval=60, clock=clock, tell=world.told.append, stop=world.stop) == 1


def test_a_signal_that_comes_out_as_another_error_is_a_clean_end() -> None:
    world = World(5)

    def once() -> Stored:
        try:
            world.stop.hear(15)
        except KeyboardInterrupt:
            world.stop.hear(15)  # while the first one is on its way out
            world.told.append("still here")
            raise ImportError from None  # as an import interrupted in its middle
        raise AssertionError

    assert (world.serve(once), world.told) == (0, ["still here"])


def test_a_signal_that_somebody_swallows_ends_it_after_the_run() -> None:
    world = World(5, 5)

    def once() -> Stored:
        if len(world.begun) == 1:
            with pytest.raises(KeyboardInterrupt):
                world.stop.hear(2)
        return world.once()

    assert world.serve(once) == 2
    assert world.begun == [100, 160]


def test_a_signal_before_the_first_run_is_heard() -> None:
    world = World(5)
    world.stop.hear(2)
    assert world.serve() == 0
    assert world.begun == []
