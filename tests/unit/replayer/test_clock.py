"""The clock of a replay: set to an instant, it leaves everything else of time alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from replayer.clock import start


@pytest.mark.parametrize("virtual", [False, True])
def test_the_time_zone_of_the_process_stays(virtual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    stop = start(datetime(2024, 7, 3, 12, 0, tzinfo=UTC), virtual=virtual)
    try:
        assert (time.tzname[0], time.localtime().tm_hour) == ("EST", 8)
    finally:
        stop()
        monkeypatch.undo()
        time.tzset()


async def one_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def many_sleeps(seconds: float) -> None:
    for _ in range(3):
        await asyncio.sleep(seconds)


async def waits_for_another(seconds: float) -> None:
    done = asyncio.Event()
    sleeper = asyncio.create_task(asyncio.sleep(seconds))
    sleeper.add_done_callback(lambda _: done.set())
    await done.wait()


async def blocks(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251  # as a client does that does not know better
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("work", "seconds", "patience", "slept", "why"),
    [
        (one_sleep, 40, 5, 5, "an answer that comes too late"),
        (one_sleep, 40, 50, 40, "one that comes in time"),
        (many_sleeps, 30, 70, 70, "several that are too long together"),
        (many_sleeps, 30, 100, 90, "and several that are not"),
        (waits_for_another, 40, 5, 5, "a task that waits for one that sleeps"),
        (blocks, 40, 5, 40, "a sleep nobody can cut short"),
    ],
)
def test_a_sleep_meets_the_timeouts_it_outlasts(
    work: Callable[[float], Awaitable[None]], seconds: float, patience: float, slept: float, why: str
) -> None:
    async def patient() -> bool:
        try:
            async with asyncio.timeout(patience):
                await work(seconds)
        except TimeoutError:
            return False
        return True

    began, now = time.monotonic(), time.time()
    stop = start(None, virtual=True)
    try:
        assert asyncio.run(patient()) is (slept < patience), why
        assert time.time() - now == pytest.approx(slept, abs=4), why  # what a busy machine takes is added to it
    finally:
        stop()
    assert time.monotonic() - began < 5, why


def test_what_is_planned_is_done_in_its_turn() -> None:
    done: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        done.append(name)

    async def all_of_it() -> None:
        asyncio.get_running_loop().call_later(10, done.append, "planned")
        await asyncio.gather(sleeper("third", 20), sleeper("first", 5), sleeper("last", 30))

    stop = start(None, virtual=True)
    try:
        asyncio.run(all_of_it())
    finally:
        stop()
    assert done == ["first", "planned", "third", "last"]
