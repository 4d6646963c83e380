"""A bounded cache of response bodies made from a cassette file, for those that are requested again. Thread-safe.

A body that is requested once is not kept, unless it is expensive to make: a test requests most of a cassette once, and would fill the cache
with bodies that are not needed again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from weakref import WeakSet

from tfx.exchange import Response

ROOM: Final = 64 << 20
"""Bytes of bodies that all shelves of a process hold together at most."""


class Shelf:
    """The answers of one opened cassette, those asked for longest ago given up first; it goes when the cassette goes.

    `held` counts the bytes.
    """

    __slots__ = ("__weakref__", "_answers", "_asked", "held")

    def __init__(self) -> None:
        self._answers: OrderedDict[int, Response] = OrderedDict()
        self._asked: set[int] = set()
        self.held = 0
        with _LOCK:
            _SHELVES.add(self)

    def answer(self, place: int, make: Callable[[], Response], *, at_once: bool = False) -> Response:
        """The answer at that place of the file, made if it is not here; kept when it is asked for again, or `at_once`."""
        if place not in self._asked and not at_once:
            self._asked.add(place)
            return make()
        with _LOCK:
            found = self._answers.get(place)
            if found is not None:
                self._answers.move_to_end(place)
                return found
        made = make()
        with _LOCK:
            self._put(place, made)
        return made

    def _put(self, place: int, made: Response) -> None:
        size = len(made.body)
        if size > ROOM or place in self._answers:
            return
        while sum(shelf.held for shelf in _SHELVES) + size > ROOM:
            max(_SHELVES, key=lambda shelf: shelf.held).give_up()
        self._answers[place] = made
        self.held += size

    def give_up(self) -> None:
        """Let go of the answer nobody has asked for the longest."""
        _, gone = self._answers.popitem(last=False)
        self.held -= len(gone.body)


_LOCK: Final = threading.Lock()
_SHELVES: Final[WeakSet[Shelf]] = WeakSet()
