"""The API of era 2025 (reportsfacade): pump metadata and binary events. Pure. Shapes: tandem-source 1.5."""

from datetime import UTC, datetime, time

from simulator.account import Account, Device
from simulator.answers import Answer, Call, World, json_answer
from simulator.reports import missing, span, window_of
from tandem.asked import FORMS, refusal
from tandem.codes import codes_of


def metadata(world: World, call: Call) -> Answer:
    """A list with every pump that has uploaded; guardian accounts have none of their own and get a 404."""
    account = world.account
    if call.place.path_values["pumperId"] != account.pumper_id or account.role == "personal_guardian":
        return missing()
    return json_answer([pump(account, device) for device in account.devices if device.last_upload], chunked=True)


def pump(account: Account, device: Device) -> dict[str, object]:
    """One member of the list."""
    start, end = span(device)
    uploaded = (device.last_upload or datetime.min.replace(tzinfo=UTC)).astimezone(UTC)
    return {
        "tconnectDeviceId": device.tconnect_device_id,
        "serialNumber": device.serial_number,
        "modelNumber": device.model_number,
        "minDateWithEvents": start,
        "maxDateWithEvents": end,
        "lastUpload": {
            "uploadId": device.legacy_upload_id,
            "lastUploadedAt": f"{uploaded:%Y-%m-%dT%H:%M:%S}.{uploaded.microsecond // 10000:02d}",
            "settings": device.legacy_settings,
        },
        "patientName": account.name,
        "patientDateOfBirth": account.date_of_birth.isoformat(),
        "patientCareGiver": account.caregiver,
        "softwareVersion": device.software_version,
        "partNumber": device.part_number,
    }


def pump_events(world: World, call: Call) -> Answer:
    """One JSON string holding base64 of 26-byte records of whole days; no `eventIds` means every type."""
    places = call.place.path_values
    device = next((item for item in world.account.devices if str(item.tconnect_device_id) == places["tconnectDeviceId"]), None)
    if device is None or places["pumperId"] != world.account.pumper_id:
        return missing()
    refused = refusal("pump-events", [key for key, _ in call.query], call.all, world.era)
    first, last = FORMS["pump-events"].ends(call.all)
    if refused:
        return json_answer(refused.told, status=400)
    assert first
    assert last
    codes = codes_of(call.all("eventIds"), world.era)
    records = window_of(device.records, first, datetime.combine(last, time.max), codes)
    return json_answer(records.to_base64(), chunked=True)
