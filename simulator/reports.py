"""The JSON API (bff) of the source host: an account and its pumps. Pure. Shapes: tandem-source 1.4."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from simulator.account import Device
from simulator.answers import Answer, Call, World, json_answer
from tandem.asked import FORMS, refusal
from tandem.bff import events_from_records
from tandem.clock import PUMP_EPOCH
from tandem.codes import codes_of
from tandem.records import Records

CLOCK_CHANGES: Final = (13, 14)


def window_of(records: Records, first: datetime, last: datetime, codes: frozenset[int] | None) -> Records:
    """The records whose naive wall clock reads between these two, both included; `codes` None means every type."""
    seconds = records.seconds.astype(np.int64)
    keep = (seconds >= (first - PUMP_EPOCH) // timedelta(seconds=1)) & (seconds <= (last - PUMP_EPOCH) // timedelta(seconds=1))
    if codes is not None:
        keep &= np.isin(records.code, list(codes))
    return records.take(keep)


def span(device: Device) -> tuple[str | None, str | None]:
    """The first and the last wall-clock time of its records, as the service writes them; nulls for a pump that never uploaded."""
    if not len(device.records):
        return None, None
    # A factory clock that was set later dates a pump's first records years too early; the service does not list those either.
    seconds = device.records.seconds
    after = device.records.positions(14)
    start = int(after[0]) if len(after) and len(seconds) > int(after[0]) else 0
    first, last = int(seconds[start:].min()), int(seconds.max())
    return (PUMP_EPOCH + timedelta(seconds=first)).isoformat(), (PUMP_EPOCH + timedelta(seconds=last)).isoformat()


def pumper(world: World, call: Call) -> Answer:
    """The account and every pump ever on it; retired and never-uploaded ones carry nulls."""
    account = world.account
    if call.place.path_values["pumperId"] != account.pumper_id:
        return missing()
    return json_answer(
        {
            "firstName": account.given_name,
            "lastName": account.family_name,
            "name": account.name,
            "dateOfBirth": account.date_of_birth.isoformat(),
            "country": account.country,
            "lowGlucoseThreshold": account.low_glucose,
            "highGlucoseThreshold": account.high_glucose,
            "pumps": [pump(device) for device in account.devices],
        },
        chunked=True,
    )


def pump(device: Device) -> dict[str, object]:
    """One member of `pumps`."""
    start, end = span(device)
    client = "mobile_mobi" if "Mobi" in device.model_name else "mobile_tconnect"
    body: dict[str, object] = {
        "assignmentId": device.assignment_id,
        "serialNumber": device.serial_number,
        "modelNumber": device.model_number,
        "partNumber": device.part_number,
        "modelName": device.model_name,
        "softwareVersion": device.software_version,
    }
    if device.algorithm is not None:
        body["algorithm"] = device.algorithm
    return body | {
        "availableDataRange": {"start": start, "end": end},
        "maxDateOfEvents": end,
        "lastUploadDate": device.last_upload and f"{device.last_upload:%Y-%m-%dT%H:%M:%SZ}",
        "lastUploadClientType": client if device.last_upload else None,
        "glucoseUnit": "mg/dL" if device.last_upload else None,
        "settings": device.settings,
    }


def pumpers(world: World, call: Call) -> Answer:
    """The account record that both eras serve."""
    account = world.account
    if call.place.path_values["pumperId"] != account.pumper_id:
        return missing()
    devices = [
        {
            "modelNumber": device.model_number,
            "serialNumber": device.serial_number,
            "modelName": device.model_name,
            "assignmentId": device.assignment_id,
            "assignedAt": device.assigned_at.isoformat(timespec="milliseconds"),
        }
        for device in account.devices
    ]
    return json_answer(
        {
            "id": account.pumper_id,
            "firstName": account.given_name,
            "lastName": account.family_name,
            "name": account.name,
            "birthdate": account.date_of_birth.isoformat(),
            "type": "PersonalUser",
            "account": {
                "id": account.account_id,
                "email": account.email,
                "role": account.role,
                "countrySubdivision": account.country_subdivision,
                "preferredLanguage": account.language,
            },
            "devices": devices,
            "lowGlucoseThreshold": account.low_glucose,
            "highGlucoseThreshold": account.high_glucose,
        },
        chunked=True,
    )


def missing() -> Answer:
    """No such pumper or pump on this account."""
    return json_answer({"message": "Not Found", "statusCode": 404}, status=404)


def pump_logs(world: World, call: Call) -> Answer:
    """Events of a window of wall-clock time, and the clock changes of the pump's whole history apart from them."""
    device = next((item for item in world.account.devices if item.assignment_id == call.place.path_values["assignmentId"]), None)
    if device is None or call.one("pumperId") != world.account.pumper_id:
        return missing()
    refused = refusal("pump-logs", [key for key, _ in call.query], call.all, world.era)
    first, last = FORMS["pump-logs"].ends(call.all)
    if refused:
        return json_answer(refused.told, status=400)
    assert first
    assert last
    codes = codes_of(call.all(world.era.events_key), world.era)
    records = device.records
    inside = window_of(records, first, last, codes)
    inside = inside.take(~np.isin(inside.code, CLOCK_CHANGES))
    changes = records.take(np.isin(records.code, CLOCK_CHANGES))
    return json_answer(
        {
            "events": events_from_records(inside, device_assignment_id=device.assignment_id, sequence_group=device.sequence_group),
            "clockChanges": events_from_records(changes, device_assignment_id=device.assignment_id, sequence_group=device.sequence_group),
        },
        chunked=True,
    )
