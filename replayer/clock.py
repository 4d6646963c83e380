"""The clock of a replay: set to the cassette's time, and optionally virtual, so that waiting takes no time. Patches clocks.

On a virtual clock `time.sleep` and `asyncio.sleep` come back at once and the wall clock (`time.time`, `datetime.now`) has moved on by
what they were asked for: `Retry-After`, back-off and a late answer are seen, not waited for. What the running event loop has planned
(`asyncio.timeout`, `wait_for`, `call_later`) falls due as it would have: a sleep that would outlast a timeout meets it. `time.monotonic` is
left alone, for locks run on it; so are waits on locks and events, `from time import sleep` of before, threads that ran before the clock did
(a runner's own may sleep in a loop), loops that are not asyncio's own (uvloop, trio) and programs that are not Python.
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
                if self._asleep[0] == due and not await self._is_outlasted(due[0]):
                    break
        finally:
            if self._asleep[0] == due:
                heappop(self._asleep)
            else:
                self._asleep.remove(due)
        self._advance(due[0])
        return result

    async def _is_outlasted(self, until: float) -> bool:
        """Whether the loop had planned something before that moment; it has been done then."""
        loop = asyncio.get_running_loop()
        planned = [handle.when() for handle in _planned(loop) if not handle.cancelled()]
        first = self.slept + max(0.0, min(planned) - loop.time()) if planned else until
        if first >= until:
            return False
        self._advance(first)
        for _ in range(_TURNS):
            await self._sleep_async(0)
        return True

    def _advance(self, until: float) -> None:
        with self._lock:
            step = until - self.slept
            if step <= 0:
                return
            self._traveller.shift(step)
            self.slept = until
        for handle in _planned(_running()):
            # All by as much, so that the loop's heap stays one.
            handle._when -= step  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public way; the loop's own clock is the locks', too


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _planned(loop: asyncio.AbstractEventLoop | None) -> list[asyncio.TimerHandle]:
    """What an event loop of asyncio's own is to do later; of others nothing is known."""
    return getattr(loop, "_scheduled", [])


_TURNS: Final = 3
"""Turns of a loop in which a planned call is made, cancels a task, and the task hears of it."""


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
