"""The pumps of an account, as each era lists them, and which one was chosen. Pure, apart from one request to the service."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.receive.jsontext import is_text
from tandem.client import TandemSource
from tfx.errors import ServiceError, UsageError
from tfx.jsonbody import Json


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pump:
    """One pump. `key` is what its events are asked for by: the assignment id, or in era 2025 the numeric device id.

    `first` and `last` are the wall times of its oldest and newest event as the service wrote them, empty where it has none. The
    `repr` hides everything: serial numbers identify people.
    """

    key: str
    serial_number: str
    model_number: str | None = None
    model_name: str | None = None
    software_version: str | None = None
    first: str = ""
    last: str = ""
    settings: Json = None  # as listed with the pump: profiles and more
    uploaded: str | None = None  # when they were uploaded, as the service wrote it


def pumps_of(source: TandemSource) -> tuple[Pump, ...]:
    """Every pump of the account that is signed in. Raises ServiceError if the list has another shape than any known era's."""
    if source.era.wire == "binary":
        return tuple(_legacy(item) for item in source.pump_event_metadata())
    listed = source.pumper().get("pumps")
    if not isinstance(listed, list):
        raise _strange()
    return tuple(_current(item) for item in listed)


def chosen(pumps: Sequence[Pump], serial_number: str | None) -> Pump:
    """The pump of that serial number, or the one with the latest events, as clients choose. Raises UsageError where there is none."""
    if serial_number is not None:
        found = next((pump for pump in pumps if pump.serial_number == serial_number), None)
        if found is None:
            raise UsageError(f"none of the account's {len(pumps)} pumps has that serial number; compare with the label on the pump")
        return found
    used = [pump for pump in pumps if pump.last]
    if not used:
        raise UsageError(f"none of the account's {len(pumps)} pumps has uploaded events; upload the pump first, or name one with --pump")
    return max(used, key=lambda pump: pump.last)


def _legacy(item: dict[str, Json]) -> Pump:
    device = item.get("tconnectDeviceId")
    if not isinstance(device, int):
        raise _strange()
    upload = item.get("lastUpload")
    last = upload if isinstance(upload, dict) else {}
    return Pump(
        key=str(device),
        serial_number=_serial(item),
        model_number=_text(item, "modelNumber"),
        software_version=_text(item, "softwareVersion"),
        first=_text(item, "minDateWithEvents") or "",
        last=_text(item, "maxDateWithEvents") or "",
        settings=last.get("settings"),
        uploaded=_text(last, "lastUploadedAt"),
    )


def _current(item: Json) -> Pump:
    if not isinstance(item, dict) or not isinstance(assignment := item.get("assignmentId"), str):
        raise _strange()
    span, settings = item.get("availableDataRange"), item.get("settings")
    return Pump(
        key=assignment,
        serial_number=_serial(item),
        model_number=_text(item, "modelNumber"),
        model_name=_text(item, "modelName"),
        software_version=_text(item, "softwareVersion"),
        first=(_text(span, "start") if isinstance(span, dict) else None) or "",
        last=_text(item, "maxDateOfEvents") or "",
        settings=settings,
        uploaded=_text(settings, "uploadedTimeStamp") if isinstance(settings, dict) else None,
    )


def _serial(item: dict[str, Json]) -> str:
    serial = item.get("serialNumber")
    if isinstance(serial, bool) or not isinstance(serial, str | int):
        raise _strange()
    if not is_text(str(serial)):
        raise _strange()
    return str(serial)


def _text(item: dict[str, Json], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) and is_text(value) else None


def _strange() -> ServiceError:
    return ServiceError("Tandem Source lists the account's pumps in another shape than any known era; try again, or name another --era")
