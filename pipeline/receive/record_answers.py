"""Answers of era 2025: a JSON string of base64 of records. Pure."""

import binascii
from typing import Final

import numpy as np
import orjson
import pybase64

from pipeline.receive.batch import Batch, Received, Reject, unreadable
from pipeline.receive.framing import believed
from pipeline.store.reasons import Reason
from tandem.eras import Era
from tandem.events import RECORD_LENGTH
from tandem.records import Records
from tandem.windows import Window

NO_GROUP: Final = 0
"""The sequence group of era 2025, which knew none; every group ever seen in the json eras is 0 too."""


def from_records(era: Era, body: bytes, window: Window | None) -> Received:
    """The records of an answer, as far as they are believed; the rest is a reject."""
    stream = _stream(body)
    if stream is None:
        return unreadable(era, body, "the answer is not a JSON string of base64")
    end = believed(stream, window) * RECORD_LENGTH
    records = Records.parse(memoryview(stream)[:end])
    rejects = (_rest(stream[end:]),) if len(stream) > end else ()
    return Received(era=era.name, batch=Batch(records=records, groups=np.full(len(records), NO_GROUP, np.int64)), rejects=rejects)


def _rest(tail: bytes) -> Reject:
    if len(tail) < RECORD_LENGTH:
        return Reject(reason=Reason.TRUNCATED, detail=f"{len(tail)} of {RECORD_LENGTH} bytes", raw=tail)
    return Reject(reason=Reason.BROKEN, detail=f"{len(tail):,} bytes in which no record can be told from the next", raw=tail)


def _stream(body: bytes) -> bytes | None:
    """The bytes of a JSON string of base64; None where it is something else."""
    try:
        if len(body) > 1 and body[:1] == body[-1:] == b'"' and b"\\" not in body:  # nothing is escaped: the text is between the quotes
            return pybase64.b64decode(memoryview(body)[1:-1], validate=True)
        text: object = orjson.loads(body)
        return pybase64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (orjson.JSONDecodeError, binascii.Error, ValueError):
        return None
