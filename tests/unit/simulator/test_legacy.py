import json
from collections.abc import Callable
from typing import Any

import pytest

from tandem.records import Records
from tfx.exchange import Response

PUMPER = "33333333-3333-4333-8333-333333333333"
EVENTS = f"api/reports/reportsfacade/pumpevents/{PUMPER}/378904"
METADATA = f"api/reports/reportsfacade/{PUMPER}/pumpeventmetadata"
Text = Callable[[Response], str]


def test_metadata_lists_the_pump_that_uploaded(client: Callable[..., Any], text: Text) -> None:
    asked = client(era="2025")
    (pump,) = json.loads(text(asked.ask(METADATA)))
    assert (pump["tconnectDeviceId"], pump["maxDateWithEvents"]) == (378904, "2026-11-02T07:00:00")
    assert pump["lastUpload"]["lastUploadedAt"] == "2026-11-02T07:30:12.43"
    assert (pump["patientName"], pump["patientDateOfBirth"]) == ("José Müller", "1980-02-29")
    assert str(pump["lastUpload"]["uploadId"]) in {seen.value for seen in asked.service.secrets()}


def test_a_guardian_has_no_metadata(client: Callable[..., Any]) -> None:
    assert client(era="2025", role="personal_guardian").ask(METADATA).status == 404


@pytest.mark.parametrize(
    ("query", "found", "why"),
    [
        ({"minDate": "2026-11-01", "maxDate": "2026-11-02"}, [11, 12, 14, 11, 4000], "no filter: every type, clock changes too"),
        ({"minDate": "2026-11-01", "maxDate": "2026-11-01"}, [11, 12], "whole days, both included"),
        ({"minDate": "2026-11-01", "maxDate": "2026-11-02", "eventIds": "12,14"}, [12, 14], "the filter counts"),
        ({"minDate": "2020-01-01", "maxDate": "2020-01-02"}, [], "an empty window"),
    ],
)
def test_events_are_one_json_string_of_base64(
    client: Callable[..., Any], text: Text, query: dict[str, str], found: list[int], why: str
) -> None:
    body = json.loads(text(client(era="2025").ask(EVENTS, query=list(query.items()))))
    assert Records.from_base64(body).code.tolist() == found, why


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"minDate": "11-01-2026", "maxDate": "11-02-2026"},
        {"minDate": "2026-11-02", "maxDate": "2026-11-01"},
        {"minDate": "2026-11-01", "maxDate": "2026-11-31"},
        {"minDate": "2026-11-01", "maxDate": "2026-11-02", "eventIds": "a"},
    ],
)
def test_wrong_parameters_are_named_as_little_as_the_service_did(client: Callable[..., Any], text: Text, query: dict[str, str]) -> None:
    found = client(era="2025").ask(EVENTS, query=list(query.items()))
    assert (found.status, text(found)) == (400, '{"message":"Check input parameters."}')


def test_another_pump_is_not_there(client: Callable[..., Any]) -> None:
    assert client(era="2025").ask(EVENTS.replace("378904", "1")).status == 404
