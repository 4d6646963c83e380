"""Remove traceback frames from errors: frames hold live requests, which pytest --showlocals or a crash reporter would print. Pure."""

from collections.abc import Callable
from typing import TypeVar, cast

from replayer.faults import Struck
from tfx.errors import TfxError

__tracebackhide__ = True  # the frame below holds the call, and the call the request

Value = TypeVar("Value")


def outcome(call: Callable[[], Value], *kinds: type[Exception]) -> Value | TfxError | Struck:
    """What the call gives, or the error of ours or the fault it ended in (or one of these kinds), its traceback cut off.

    Who raises that error lets go of the live values first (`del request`): the error then leads through no frame that holds one.
    """
    try:
        return call()
    except Exception as error:
        if not isinstance(error, (TfxError, Struck, *kinds)):
            raise
        return cast("TfxError | Struck", error.with_traceback(None))  # of the caller's kinds only that it is an exception counts
