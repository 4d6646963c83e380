"""Requests that were sent while a client was recorded and got no whole answer. The cassette lacks them, and that is said."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from recorder.unrecorded import recorded
from tandem.endpoints import locate
from tfx.plural import plural

Unfinished = Callable[[str], None]
"""Called with the method and the path template, once for each request."""


@contextmanager
def asking(unfinished: Unfinished, method: str, url: str) -> Iterator[None]:
    """A request is sent and its answer read: connections made meanwhile are no loss, and an answer that never comes or breaks off is told.

    Told is also what the client itself ends: a task that is cancelled, a signal.
    """
    try:
        with recorded():
            yield
    except BaseException:
        place = locate(method, url)
        unfinished(f"{place.endpoint.method} {place.endpoint.path}" if place else "a path that tfx does not know")
        raise


def told(unfinished: Mapping[str, int]) -> str:
    """What to say of these requests, counted by method and path template."""
    listed = ", ".join(f"{asked} ({count})" for asked, count in sorted(unfinished.items()))
    count = sum(unfinished.values())
    return (
        f"{plural(count, 'request')} got no whole answer (timed out, cancelled or broken off), so the cassette lacks "
        f"{'it' if count == 1 else 'them'}: {listed}. Where the client asked again, replay has an answer too few: record again, or replay "
        "with a fault in its place, such as --fault pumper:1:timeout, or after a cancelled one let the next answer repeat "
        '("replay": {"repeat": "last"})'
    )
