"""Sensor readings on a cassette, for its picture. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from replayer.keys import Question, question
from tandem.bff import columns_from_events
from tandem.clock import is_date
from tandem.records import Column, Records
from tfx import codec
from tfx.cassette import Cassette
from tfx.exchange import Response
from tfx.jsonbody import parse

SENSOR_CODES: Final = (256, 372, 399, 480)
LOW, HIGH = 39, 401
"""What stands for "low" and "high", mg/dL: what the service's own pages show."""
_LOW_STATUS, _HIGH_STATUS = 2, 1

Reading = tuple[int, int]
"""Pump seconds of the reading, and mg/dL."""


def readings(cassette: Cassette) -> tuple[Reading, ...]:
    """Every reading once, in the order of time; messages without one are left out."""
    found: set[Reading] = set()
    for exchange in cassette.exchanges:
        for columns in _columns(question(exchange.request), exchange.response):
            found.update(_shown(columns))
    return tuple(sorted(found))


def _columns(asked: Question, response: Response) -> Iterator[Mapping[str, Column]]:
    if response.status != 200 or asked.endpoint not in ("pump-logs", "pump-events"):  # noqa: PLR2004  # HTTP's OK
        return
    body = codec.decoded(response.headers, response.body)
    if asked.endpoint == "pump-events":
        records = Records.from_body(body)
        yield from (records.columns(code) for code in SENSOR_CODES)
        return
    said = parse(body)
    listed = said.get("events") if isinstance(said, dict) else None
    by_code = columns_from_events(listed if isinstance(listed, list) else []).columns
    yield from (by_code[code].properties for code in SENSOR_CODES if code in by_code)


def _shown(columns: Mapping[str, Column]) -> Iterator[Reading]:
    status, value = (columns[name].astype(np.int64) for name in ("glucoseValueStatus", "currentGlucoseDisplayValue"))
    taken = columns["egvTimeStamp"].astype(np.int64)
    glucose = np.select([status == _LOW_STATUS, status == _HIGH_STATUS], [LOW, HIGH], np.clip(value, LOW, HIGH))
    has_one = is_date(taken) & ((status == _LOW_STATUS) | (status == _HIGH_STATUS) | ((status == 0) & (value > 0)))
    yield from zip(taken[has_one].tolist(), glucose[has_one].tolist(), strict=True)
