"""Ctrl-C and SIGTERM as something to wait for: the only module that sets signal handlers."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def interrupted() -> Iterator[Event]:
    """An event that Ctrl-C or a polite kill sets; the handlers of before come back at the end."""
    stop = Event()
    with heard(lambda _number: stop.set()):
        yield stop


@contextmanager
def heard(told: Callable[[int], None]) -> Iterator[None]:
    """Call `told` with the signal's number on Ctrl-C and SIGTERM, and do nothing else; for the main thread."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        told(number)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
