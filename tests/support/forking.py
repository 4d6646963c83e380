"""A forked copy of this process that ends with its work: going on, it would be a second pytest that talks into this one's pipe."""

import os
import traceback
from collections.abc import Callable


def forked(work: Callable[[], object]) -> Callable[[], bool]:
    """Begin the work in a copy of this process. Call what comes back to wait for its end: was what it came to true?"""
    child = os.fork()
    if child == 0:
        is_true = False
        try:
            is_true = bool(work())
        except BaseException:  # noqa: BLE001  # nothing may leave here
            traceback.print_exc()
        finally:
            os._exit(int(is_true))
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
