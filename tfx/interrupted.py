"""Ctrl-C and SIGTERM as something to wait for. Only this module and `tfx.cli` set signal handlers."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from types import FrameType

_BOTH = (signal.SIGINT, signal.SIGTERM)


def end_at_once(words: str) -> None:
    """From now on Ctrl-C and SIGTERM print these words and end the process with exit code 0; for the time when it has nothing to close.

    Not by an exception: in the middle of an import it is swallowed, or comes out as another one.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(1, f"{words}\n".encode())
        os._exit(0)

    for number in _BOTH:
        signal.signal(number, on_signal)


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

    before = {number: signal.signal(number, on_signal) for number in _BOTH}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
