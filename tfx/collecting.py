"""Pause the garbage collector while many objects are made that are not garbage. The only module that switches it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is collected meanwhile; for a function that makes many objects and returns soon, as a decorator of it.

    Python looks for cycles whenever it has made some hundred containers more, and reading a cassette makes a hundred thousand: that is
    half of the time (Mercurial's `util.nogc` is there for the same reason). Threads and nesting are no trouble: who finds it
    switched off leaves it so, and who switched it off switches it on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not _others_freeze():
                # What was made goes to the oldest generation as it is; else the next container would have all of it gone through at once.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


_FREEZING: Final[set[bool]] = set()


def _others_freeze() -> bool:
    """Whether somebody else keeps objects frozen; not asked again after a yes, for counting goes through every one of them."""
    if not _FREEZING and gc.get_freeze_count():
        _FREEZING.add(True)
    return bool(_FREEZING)
