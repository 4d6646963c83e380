"""Decode the service's event responses of every era into arrays of records. Pure.

Nothing here raises because of a response's content. What cannot be read becomes a `Reject` with the raw text, for the quarantine; reasons
and details name places, never values.
"""

from pipeline.receive.batch import Received
from pipeline.receive.event_answers import from_events
from pipeline.receive.record_answers import from_records
from tandem.eras import Era
from tandem.windows import Window


def received(era: Era, body: bytes, *, device: str | None = None, window: Window | None = None) -> Received:
    """Read the answer of `pumpevents` or of `pump-logs`, as the era has it.

    `device` is the assignment id asked for (json eras); events of another one are rejected. `window` is the days asked for: by them a
    stream of records (era 2025) is found out of step.
    """
    return from_records(era, body, window) if era.wire == "binary" else from_events(era, body, device)
