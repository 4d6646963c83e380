"""Errors without the frames they came through: those hold live requests, and pytest --showlocals or a crash reporter prints them. Pure."""

from collections.abc import Callable
from typing import TypeVar

from tfx.errors import TfxError

__tracebackhide__ = True  # the frame below holds the call, and the call the request

Value = TypeVar("Value")


def outcome(call: Callable[[], Value]) -> Value | TfxError:
    """What the call gives, or the error of ours it ended in, its traceback cut off.

    Who raises that error lets go of the live values first (`del request`): the error then leads through no frame that holds one.
    """
    try:
        return call()
    except TfxError as error:
        return error.with_traceback(None)
