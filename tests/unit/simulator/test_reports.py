import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tfx.exchange import Response

USED = "11111111-1111-4111-8111-111111111111"
NEVER_UPLOADED = "22222222-2222-4222-8222-222222222222"
PUMPER = "33333333-3333-4333-8333-333333333333"
Text = Callable[[Response], str]
ALL = [("pumperId", PUMPER), ("startDate", "2026-11-01T00:00:00Z"), ("endDate", "2026-11-02T23:59:59Z")]


def logs(client: Any, query: Sequence[tuple[str, str]], device: str = USED) -> Response:
    found = client.ask(f"api/reports/bff/pump-logs/{device}", query=query)
    assert isinstance(found, Response)
    return found


def codes(body: str, member: str = "events") -> list[int]:
    return [event["eventCode"] for event in json.loads(body)[member]]


def test_every_pump_is_listed_and_the_unused_one_with_nulls(client: Callable[..., Any], text: Text) -> None:
    body = json.loads(text(client().ask(f"api/reports/bff/pumper/{PUMPER}")))
    unused, used = body.pop("pumps")
    assert body == {
        "firstName": "José",
        "lastName": "Müller",
        "name": "José Müller",
        "dateOfBirth": "1980-02-29",
        "country": "US",
        "lowGlucoseThreshold": 70,
        "highGlucoseThreshold": 180,
    }
    assert used["availableDataRange"]["end"] == used["maxDateOfEvents"] == "2026-11-02T07:00:00"
    assert (used["lastUploadDate"], used["lastUploadClientType"]) == ("2026-11-02T07:30:12Z", "mobile_tconnect")
    assert used["settings"]["details"]["profiles"]["profile"][0]["name"] == "José"
    assert "algorithm" not in unused
    assert unused["availableDataRange"] == {"start": None, "end": None}
    assert {unused[name] for name in ("maxDateOfEvents", "lastUploadDate", "lastUploadClientType", "glucoseUnit", "settings")} == {None}


def test_names_travel_as_utf8_not_as_escapes(client: Callable[..., Any], text: Text) -> None:
    assert "t:slim X2™ Insulin Pump" in text(client().ask(f"api/reports/bff/pumper/{PUMPER}"))


@pytest.mark.parametrize("role", ["personal_standard", "personal_guardian"])
def test_the_account_record_names_the_role(client: Callable[..., Any], text: Text, role: str) -> None:
    body = json.loads(text(client(role=role).ask(f"api/pumpers/pumpers/{PUMPER}")))
    assert body["account"]["role"] == role
    assert body["devices"][1]["assignedAt"] == "2026-09-01T12:24:16.063+00:00"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("api/reports/bff/pumper/00000000-0000-4000-8000-000000000000", "another person's pumps"),
        ("api/pumpers/pumpers/00000000-0000-4000-8000-000000000000", "another person"),
        ("api/reports/bff/pump-logs/00000000-0000-4000-8000-000000000000", "another person's events"),
    ],
)
def test_nobody_elses_things_are_there(client: Callable[..., Any], path: str, why: str) -> None:
    assert client().ask(path, query=ALL if "logs" in path else ()).status == 404, why


def test_a_window_is_compared_with_the_pumps_wall_clock_ends_included(client: Callable[..., Any], text: Text) -> None:
    asked = client()
    first_day = [ALL[0], ALL[1], ("endDate", "2026-11-01T23:59:59Z")]
    body = text(logs(asked, first_day))
    assert codes(body) == [11, 12]
    assert json.loads(body)["events"][0]["estimatedDateTime"] == "2026-11-01T00:00:00Z"
    assert codes(text(logs(asked, ALL))) == [11, 12, 11, 4000]


def test_clock_changes_come_apart_and_whole_whatever_the_window(client: Callable[..., Any], text: Text) -> None:
    assert codes(text(logs(client(), ALL)), "clockChanges") == [13, 14]


@pytest.mark.parametrize(
    ("extra", "found", "why"),
    [
        ([("eventCodes", "11")], [11, 11], "one type"),
        ([("eventCodes", "11,12")], [11, 12, 11], "one value, commas"),
        ([("eventCodes", "")], [11, 12, 11, 4000], "empty means all: tconnectsync 3.0.3 sends it"),
        ([("eventCodes", "11"), ("eventCodes", "12")], [], "repeated keys name nothing (GlucoseBar)"),
        ([("eventCodes", "16")], [], "a type that did not happen"),
    ],
)
def test_types_are_filtered_since_october(
    client: Callable[..., Any], text: Text, extra: list[tuple[str, str]], found: list[int], why: str
) -> None:
    assert codes(text(logs(client(era="2026-10"), [*ALL, *extra]))) == found, why


@pytest.mark.parametrize("key", ["eventIds", "eventCodes"])
def test_before_october_every_type_came_whatever_was_asked(client: Callable[..., Any], text: Text, key: str) -> None:
    assert codes(text(logs(client(era="2026-07"), [*ALL, (key, "11")]))) == [11, 12, 11, 4000]


def test_the_old_key_is_unrecognized_since_october(client: Callable[..., Any], text: Text) -> None:
    found = logs(client(era="2026-10"), [*ALL, ("eventIds", "11")])
    (issue,) = json.loads(text(found))["issues"]
    assert (found.status, issue["code"], issue["keys"]) == (400, "unrecognized_keys", ["eventIds"])


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2026-11-01", "2026-11-02", "dates without a time"),
        ("", "2026-11-02T23:59:59Z", "nothing"),
        ("2026-13-01T00:00:00Z", "2026-11-02T23:59:59Z", "a month too many"),
        ("2026-10-01T00:00:00Z", "2026-11-02T23:59:59Z", "longer than four weeks"),
    ],
)
def test_a_wrong_window_is_a_400(client: Callable[..., Any], text: Text, first: str, last: str, why: str) -> None:
    found = logs(client(), [ALL[0], ("startDate", first), ("endDate", last)])
    assert (found.status, json.loads(text(found))["name"]) == (400, "ZodError"), why


def test_codes_that_are_no_numbers_are_a_400(client: Callable[..., Any]) -> None:
    assert logs(client(), [*ALL, ("eventCodes", "eleven")]).status == 400


def test_exactly_four_weeks_are_a_window(client: Callable[..., Any]) -> None:
    assert logs(client(), [ALL[0], ("startDate", "2026-10-06T00:00:00Z"), ALL[2]]).status == 200


def test_a_pump_that_never_uploaded_has_an_empty_history(client: Callable[..., Any], text: Text) -> None:
    assert json.loads(text(logs(client(), ALL, NEVER_UPLOADED))) == {"events": [], "clockChanges": []}
