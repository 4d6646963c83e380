"""The clock of a replay: set to the cassette's now, and, if asked, one on which waiting costs no time. The module that touches clocks.

On a virtual clock `time.sleep` and `asyncio.sleep` come back at once and the wall clock (`time.time`, `datetime.now`) has moved on by
what they were asked for: `Retry-After`, back-off and a late answer are seen, not waited for. `time.monotonic` is left alone, for event
loops and locks run on it; so are waits on locks and events, `from time import sleep` of before, and threads that ran before the clock
did (a runner's own may sleep in a loop).
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

from tfx.errors import UsageError

if TYPE_CHECKING:
    import time_machine

Result = TypeVar("Result")


class VirtualClock:
    """Waiting that costs no time. `slept` is how many seconds were asked for so far."""

    __slots__ = ("_asleep", "_lock", "_order", "_others", "_sleep", "_sleep_async", "_traveller", "slept")

    def __init__(self, traveller: "time_machine.Traveller") -> None:
        self._traveller = traveller
        self._lock = threading.Lock()
        self._others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        self._sleep, self._sleep_async = time.sleep, asyncio.sleep
        self._asleep: list[tuple[float, int]] = []
        self._order = count()
        self.slept = 0.0

    def __repr__(self) -> str:
        return f"VirtualClock({self.slept:g} s)"

    def start(self) -> None:
        """Take the place of `time.sleep` and `asyncio.sleep`."""
        _put(self.sleep, self.sleep_async)

    def stop(self) -> None:
        """Give them back."""
        _put(self._sleep, self._sleep_async)

    def sleep(self, seconds: float, /) -> None:
        """As `time.sleep`, on this clock."""
        if threading.get_ident() in self._others or seconds < 0:
            return self._sleep(seconds)
        self._advance(self.slept + float(seconds))
        return self._sleep(0)

    async def sleep_async(self, delay: float, result: Result | None = None) -> Result | None:
        """As `asyncio.sleep`, on this clock: of several sleepers the first to be due wakes first."""
        due = (self.slept + max(0.0, float(delay)), next(self._order))
        heappush(self._asleep, due)
        try:
            while True:
                await self._sleep_async(0)
                if self._asleep[0] == due:
                    break
        finally:
            if self._asleep[0] == due:
                heappop(self._asleep)
            else:
                self._asleep.remove(due)
        self._advance(due[0])
        return result

    def _advance(self, until: float) -> None:
        with self._lock:
            if until > self.slept:
                self._traveller.shift(until - self.slept)
                self.slept = until


def _put(sleep: object, sleep_async: object) -> None:
    setattr(time, "sleep", sleep)  # noqa: B010  # mypy would have its very signature
    for module in (asyncio, asyncio.tasks):
        setattr(module, "sleep", sleep_async)  # noqa: B010  # as above


_ON: Final[list[VirtualClock]] = []


def start(at: datetime | None, *, virtual: bool = False) -> Callable[[], None]:
    """Set the clock to an instant (None: it stays), from where it runs on; the function that is returned sets it right again.

    Raises:
        UsageError: time-machine is not installed.
    """
    if at is None and not virtual:
        return lambda: None
    try:
        import time_machine
    except ModuleNotFoundError as error:
        raise UsageError("setting the clock needs time-machine; install it with: pip install time-machine") from error
    # A number, not a datetime: of a datetime time-machine would take the zone too, and make it the process's.
    travel = time_machine.travel((at or datetime.now(UTC)).timestamp(), tick=True)
    traveller = travel.start()
    undo = ExitStack()
    undo.callback(travel.stop)
    if virtual:
        clock = VirtualClock(traveller)
        clock.start()
        _ON.append(clock)
        undo.callback(clock.stop)
        undo.callback(_ON.remove, clock)
    return undo.close


def is_virtual() -> bool:
    """Whether waiting costs no time now."""
    return bool(_ON)


def pause(seconds: float) -> None:
    """Wait, on whatever clock there is."""
    (_ON[-1].sleep if _ON else time.sleep)(seconds)


async def pause_async(seconds: float) -> None:
    """Wait without holding up others, on whatever clock there is."""
    if _ON:
        await _ON[-1].sleep_async(seconds)
    elif "anyio" in sys.modules:  # httpx under trio sleeps by it
        await sys.modules["anyio"].sleep(seconds)
    else:
        await asyncio.sleep(seconds)
