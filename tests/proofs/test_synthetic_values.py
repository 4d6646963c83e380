"""Synthetic values over a hundred structures and both wires: nothing of an amount goes in, what comes out is clean and stays what it is."""

import json
from datetime import UTC, datetime

import pytest
from structures import records_like

from sanitizer.check import looked_at
from sanitizer.scrub import again, scrub
from tandem.bff import events_from_records
from tandem.records import Records
from tfx.capture import Capture
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.store import dumps

ID = "7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904"
URLS = {
    "2025": f"https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents/{ID}/378904",
    "2026-10": f"https://source.tandemdiabetes.com/api/reports/bff/pump-logs/{ID}",
}
WINDOWS = 3
WIDEST = (6, 256)


@pytest.mark.parametrize("era", URLS)
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_amounts_never_show(era: str, first: int) -> None:
    for structure in range(first, first + 10):
        one, other = (
            scrub(
                capture(era, records_like(structure, amounts, 50 + structure, widest=WIDEST[structure % 2])), name="x", values="synthetic"
            ).cassette
            for amounts in (structure, structure + 1)
        )
        assert dumps(one) == dumps(other), structure
        assert looked_at(one) == (), structure
        assert dumps(again(one).cassette) == dumps(one), structure


def capture(era: str, records: Records) -> Capture:
    """The records in windows that overlap by half."""
    step = max(len(records) // (WINDOWS + 1), 1)
    parts = [records.take(slice(number * step, (number + 2) * step)) for number in range(WINDOWS)]
    exchanges = tuple(
        Exchange(
            request=Request(method="GET", url=URLS[era]),
            response=Response(status=200, headers=Headers([("Content-Type", "application/json")]), body=body(era, part)),
        )
        for part in parts
    )
    return Capture(exchanges=exchanges, era=era, region="us", clock=datetime(2026, 11, 18, 20, 30, tzinfo=UTC))


def body(era: str, records: Records) -> bytes:
    """An answer of that era."""
    if era == "2025":
        return records.to_body()
    return json.dumps({"events": events_from_records(records, device_assignment_id=ID), "clockChanges": []}).encode()
