"""What a patch of an HTTP library needs: what answers a request, and which requests the cassette does not handle. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from tfx.exchange import Request, Response

Answer = Callable[[Request], Response]
Undo = tuple[type | ModuleType, str, object]
"""Whose attribute was replaced, its name, and what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """`answer` gives the cassette's answer. `replace` puts something in the place of an attribute of a class, and returns how to undo it.

    `is_elsewhere` says of a URL whether the guard lets its host through and the cassette holds nothing of it: a server of the test's own
    on loopback, where loopback is allowed. `is_on` says whether anything plays.
    """

    answer: Answer
    replace: Callable[[type, str, object], Undo]
    is_elsewhere: Callable[[str], bool]
    is_on: Callable[[], bool]


Patch = Callable[[ModuleType, Switch], list[Undo]]
