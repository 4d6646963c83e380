"""The list of an account's pumps in each era, and its conversion from one to the other. Pure.

2025 has `pumpeventmetadata` (a list of pumps that uploaded), 2026 `bff/pumper` (the person, and every pump ever). They contain mostly the
same in other words (tandem-source 1.4, 1.5; tconnectsync 2.3 and 3.0). `GAPS` names what only one of them contains.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tfx.errors import FormatError
from tfx.jsonbody import Json

Object = dict[str, Json]

LEGACY_SEGMENTS: Final = 16
"""2025 always tells sixteen segments a profile, unused ones all zero."""
_SEGMENT: Final = ("startTime", "basalRate", "isf", "carbRatio", "targetBg")
_CARBS: Final = "UnitsAsCarbs"

GAPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "pump-event-metadata": frozenset(
            {
                "tconnectDeviceId",
                "lastUpload.uploadId",
                "lastUpload.lastUploadedAt",
                "lastUpload.settings.basalIQSettings",
                "lastUpload.settings.controlIQSettings.TotalDailyInsulin",
                "lastUpload.settings.controlIQSettings.WeightUnit",
                "lastUpload.settings.controlIQSettings.sleepSchedules",
                "lastUpload.settings.pumpSettings.maxBolus",
                "lastUpload.settings.pumpSettings.quickBolus",
                "lastUpload.settings.cgmSettings.highGlucoseAlert.status",
                "lastUpload.settings.cgmSettings.lowGlucoseAlert.status",
                "lastUpload.settings.cgmSettings.riseRateAlert.status",
                "lastUpload.settings.cgmSettings.fallRateAlert.status",
                "lastUpload.settings.cgmSettings.outOfRangeAlert.status",
                "lastUpload.settings.alertsAndReminders",
                "lastUpload.settings.localizationSettings",
            }
        ),
        "pumper": frozenset(
            {
                "pumps.partNumber",
                "pumps.lastUploadClientType",
                "pumps.settings.id",
                "pumps.settings.uploadId",
                "pumps.settings.settingsHash",
                "pumps.settings.uploadedTimeStamp",
                "pumps.settings.details.profiles.activeSegment",
                "pumps.settings.details.profiles.profile.timeDependentSegments.status",
                "pumps.settings.details.basalLimitSettings.basalLimitDefault",
            }
        ),
    }
)
"""Members the other era's list does not tell, or not in full: null, but ids are stand-ins and fractions of seconds are zeros.

`pumps.partNumber` is missing only of pumps that never uploaded.
"""


def members(value: Json, *path: str) -> Json:
    """The member at this path; null where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def objects(value: Json, what: str) -> list[Object]:
    """A list of objects. FormatError, naming `what`, if it is none."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise FormatError(f"{what} is not a list of objects")
    return [one for one in value if isinstance(one, dict)]


# --- 2026 -> 2025


def metadata_of(pumper: Json, device_ids: Mapping[str, int]) -> list[Json]:
    """`pumpeventmetadata` of a `bff/pumper` answer; `device_ids` by assignment id. FormatError if it is no such answer."""
    pumps = objects(members(pumper, "pumps"), "pumps")
    return [_legacy_pump(pumper, pump, device_ids[str(pump.get("assignmentId"))]) for pump in pumps if pump.get("lastUploadDate")]


def _legacy_pump(pumper: Json, pump: Object, device_id: int) -> Json:
    uploaded = str(pump["lastUploadDate"]).removesuffix("Z").partition(".")[0]
    return {
        "tconnectDeviceId": device_id,
        "serialNumber": pump.get("serialNumber"),
        "modelNumber": pump.get("modelNumber"),
        "minDateWithEvents": members(pump, "availableDataRange", "start"),
        "maxDateWithEvents": pump.get("maxDateOfEvents"),
        "lastUpload": {
            "uploadId": 900_000_000 + device_id % 900_000,
            "lastUploadedAt": f"{uploaded}.00",
            "settings": _legacy_settings(members(pump, "settings", "details"), pump.get("partNumber")),
        },
        "patientName": members(pumper, "name"),
        "patientDateOfBirth": members(pumper, "dateOfBirth"),
        "patientCareGiver": None,
        "softwareVersion": pump.get("softwareVersion"),
        "partNumber": pump.get("partNumber"),
    }


def _legacy_settings(details: Json, part_number: Json) -> Json:
    if details is None:
        return None
    profiles = objects(members(details, "profiles", "profile"), "profiles")
    cgm = members(details, "cgmSettings")
    control = members(details, "controlIqSettings")
    return {
        "profiles": {"activeIdp": members(details, "profiles", "activeIdp"), "profile": [_legacy_profile(one) for one in profiles]},
        "basalIQSettings": None,
        "controlIQSettings": {
            "ClosedLoop": members(control, "closedLoop"),
            "Weight": members(control, "weight"),
            "WeightUnit": None,
            "TotalDailyInsulin": None,
            "sleepSchedules": None,
        },
        "pumpProperties": {"partNum": part_number},
        "pumpSettings": {"basalLimit": members(details, "basalLimitSettings", "basalLimit"), "maxBolus": None, "quickBolus": None},
        "alertsAndReminders": None,
        "cgmSettings": {legacy: {**_renamed(cgm, names), "status": None} for legacy, names in _ALERTS.items()},
        "localizationSettings": None,
        "mobileConnectionSettings": None,
        "snoozeSettings": None,
    }


def _legacy_profile(profile: Object) -> Json:
    segments = objects(profile.get("timeDependentSegments"), "timeDependentSegments")
    told: list[Json] = [{name: one.get(name) for name in _SEGMENT} for one in segments]
    unused: list[Json] = [dict.fromkeys(_SEGMENT, 0) for _ in range(LEGACY_SEGMENTS - len(told))]
    return {
        "name": profile.get("name"),
        "idp": profile.get("idp"),
        "tDependentSegs": told + unused,
        "insulinDuration": profile.get("insulinDuration"),
        "carbEntry": int(profile.get("carbEntry") == _CARBS),
        "maxBolus": profile.get("maxBolus"),
    }


_ALERTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "highGlucoseAlert": {
            "mgPerDl": "highGlucoseAlertMgPerDl",
            "enabled": "highGlucoseAlertEnabled",
            "duration": "highGlucoseAlertDuration",
        },
        "lowGlucoseAlert": {
            "mgPerDl": "lowGlucoseAlertMgPerDl",
            "enabled": "lowGlucoseAlertEnabled",
            "duration": "lowGlucoseAlertDuration",
        },
        "riseRateAlert": {"level": "riseRateAlertLevel", "enabled": "riseRateAlertEnabled"},
        "fallRateAlert": {"level": "fallRateAlertLevel", "enabled": "fallRateAlertEnabled"},
        "outOfRangeAlert": {"sensorTimeoutMinutes": "outOfRangeAlertDuration", "enabled": "outOfRangeAlertEnabled"},
    }
)
"""Alerts of 2025, and what 2026 calls their members."""


def _renamed(source: Json, names: Mapping[str, str]) -> Object:
    return {name: members(source, theirs) for name, theirs in names.items()}


# --- 2025 -> 2026


def pumper_of(metadata: Json, person: Json, assignment_ids: Mapping[str, str]) -> Json:
    """`bff/pumper` of a `pumpeventmetadata` answer; `assignment_ids` by device id.

    `person` is the `pumpers` answer where it was recorded, else null: the thresholds, the country and the pumps that never uploaded
    stand there alone. FormatError if the answer is no such list.
    """
    told = {str(one.get("serialNumber")): one for one in objects(metadata, "pumpeventmetadata")}
    devices = objects(members(person, "devices") or [], "devices")
    order = [str(one.get("serialNumber")) for one in devices]
    known = {str(one.get("serialNumber")): one for one in devices}
    first = next(iter(told.values()), None)
    given, _, family = str(members(first, "patientName") or "").rpartition(" ")
    subdivision = members(person, "account", "countrySubdivision")
    return {
        "firstName": members(person, "firstName") or given or None,
        "lastName": members(person, "lastName") or family or None,
        "name": members(person, "name") or members(first, "patientName"),
        "dateOfBirth": members(person, "birthdate") or members(first, "patientDateOfBirth"),
        "country": str(subdivision)[:2] if subdivision else None,
        "lowGlucoseThreshold": members(person, "lowGlucoseThreshold"),
        "highGlucoseThreshold": members(person, "highGlucoseThreshold"),
        "pumps": [
            _pump(told.get(serial), known.get(serial), assignment_ids) for serial in [*order, *(one for one in told if one not in order)]
        ],
    }


def _pump(told: Object | None, known: Object | None, assignment_ids: Mapping[str, str]) -> Json:
    device = members(told, "tconnectDeviceId")
    settings = members(told, "lastUpload", "settings")
    uploaded = members(told, "lastUpload", "lastUploadedAt")
    assignment = assignment_ids[str(device)] if device is not None else members(known, "assignmentId")
    algorithm: Object = {"algorithm": "Basal-IQ" if members(settings, "basalIQSettings") else "Control-IQ"} if settings else {}
    return {
        "assignmentId": assignment,
        "serialNumber": members(told, "serialNumber") or members(known, "serialNumber"),
        "modelNumber": members(told, "modelNumber") or members(known, "modelNumber"),
        "partNumber": members(told, "partNumber"),
        "modelName": members(known, "modelName"),
        "softwareVersion": members(told, "softwareVersion"),
        **algorithm,
        "availableDataRange": {"start": members(told, "minDateWithEvents"), "end": members(told, "maxDateWithEvents")},
        "maxDateOfEvents": members(told, "maxDateWithEvents"),
        "lastUploadDate": f"{str(uploaded).partition('.')[0]}Z" if uploaded else None,
        "lastUploadClientType": None,
        "glucoseUnit": "mg/dL" if members(settings, "localizationSettings", "glucoseUOM") == 0 else None,
        "settings": _settings(settings, assignment, uploaded) if settings else None,
    }


def _settings(settings: Json, assignment: Json, uploaded: Json) -> Json:
    profiles = objects(members(settings, "profiles", "profile"), "profiles")
    alerts = members(settings, "cgmSettings")
    control = members(settings, "controlIQSettings")
    return {
        "id": None,
        "deviceAssignmentId": assignment,
        "uploadId": None,
        "uploadedTimeStamp": f"{uploaded}0" if uploaded else None,
        "settingsHash": None,
        "details": {
            "profiles": {
                "numberOfProfiles": len(profiles),
                "activeSegment": None,
                "activeIdp": members(settings, "profiles", "activeIdp"),
                "profile": [_profile(one) for one in profiles],
            },
            "cgmSettings": {theirs: members(alerts, alert, name) for alert, names in _ALERTS.items() for name, theirs in names.items()},
            "basalLimitSettings": {"basalLimitDefault": None, "basalLimit": members(settings, "pumpSettings", "basalLimit")},
            "controlIqSettings": {"weight": members(control, "Weight"), "closedLoop": members(control, "ClosedLoop")},
        },
    }


def _profile(profile: Object) -> Json:
    used = _used(objects(profile.get("tDependentSegs"), "tDependentSegs"))
    return {
        "idp": profile.get("idp"),
        "name": profile.get("name"),
        "carbEntry": _CARBS if profile.get("carbEntry") == 1 else None,
        "insulinDuration": profile.get("insulinDuration"),
        "maxBolus": profile.get("maxBolus"),
        "timeDependentSegmentNumber": len(used),
        "timeDependentSegments": [{**{name: one.get(name) for name in _SEGMENT}, "status": None} for one in used],
    }


def _used(segments: Sequence[Object]) -> list[Object]:
    return [one for one in segments if any(one.get(name) for name in _SEGMENT)]
