"""Sensor readings on a cassette, for the chart of the HTML report. Pure."""

from collections.abc import Iterator, Mapping

import numpy as np

from replayer.matching.keys import Question, question_of
from tandem.bff import columns_from_events
from tandem.clock import is_date
from tandem.glucose import HIDDEN, SENSORS, shown
from tandem.records import Column, Records
from tfx import codec
from tfx.cassette import Cassette
from tfx.exchange import Response
from tfx.jsonbody import parse

Reading = tuple[int, int]
"""Pump seconds of the reading, and mg/dL."""


def readings(cassette: Cassette) -> tuple[Reading, ...]:
    """Every reading once, in the order of time; messages without one are left out."""
    found: set[Reading] = set()
    for exchange in cassette.exchanges:
        for columns in _columns(question_of(exchange.request), exchange.response):
            found.update(_shown(columns))
    return tuple(sorted(found))


def _columns(question: Question, response: Response) -> Iterator[Mapping[str, Column]]:
    if response.status != 200 or question.endpoint not in ("pump-logs", "pump-events"):  # noqa: PLR2004  # HTTP's OK
        return
    body = codec.decoded(response.headers, response.body)
    if question.endpoint == "pump-events":
        records = Records.from_body(body)
        yield from (records.columns(code) for code in SENSORS)
        return
    said = parse(body)
    listed = said.get("events") if isinstance(said, dict) else None
    by_code = columns_from_events(listed if isinstance(listed, list) else []).columns
    yield from (by_code[code].properties for code in SENSORS if code in by_code)


def _shown(columns: Mapping[str, Column]) -> Iterator[Reading]:
    taken = columns["egvTimeStamp"].astype(np.int64)
    seen = shown(columns["glucoseValueStatus"], columns["currentGlucoseDisplayValue"])
    has_one = is_date(taken) & (seen.kind != HIDDEN)
    yield from zip(taken[has_one].tolist(), seen.glucose[has_one].tolist(), strict=True)
