"""The account's pumps as each era lists them."""

from typing import cast

import pytest

from pipeline.receive.pumps import Pump, chosen, pumps_of
from tandem.client import TandemSource
from tandem.eras import ERAS
from tfx.errors import ServiceError, UsageError
from tfx.jsonbody import Json


class Listing:
    """A client that has signed in and says only what is asked here."""

    def __init__(self, era: str, said: Json) -> None:
        self.era = ERAS[era]
        self.said = said

    def pumper(self) -> Json:
        return self.said

    def pump_event_metadata(self) -> Json:
        return self.said


def listed(era: str, said: Json) -> tuple[Pump, ...]:
    return pumps_of(cast("TandemSource", Listing(era, said)))


CURRENT: dict[str, Json] = {
    "assignmentId": "00000000-0000-4000-8000-000000000001", "serialNumber": "90000001", "modelNumber": "1000354",
    "modelName": "Tandem Mobi™ System", "softwareVersion": "7.8.0.0", "maxDateOfEvents": "2024-07-05T11:00:00",
    "availableDataRange": {"start": "2024-07-01T00:00:00", "end": "2024-07-05T11:00:00"},
}  # fmt: skip
LEGACY: dict[str, Json] = {
    "tconnectDeviceId": 100001, "serialNumber": "90000001", "modelNumber": "001002717", "softwareVersion": None,
    "minDateWithEvents": "2024-07-01T00:00:00", "maxDateWithEvents": "2024-07-05T11:00:00",
}  # fmt: skip


def test_both_eras_name_the_same_pump_by_its_serial_number() -> None:
    (current,) = listed("2026-10", {"pumps": [CURRENT]})
    (legacy,) = listed("2025", [LEGACY])
    assert (current.serial_number, current.first, current.last) == (legacy.serial_number, legacy.first, legacy.last)
    assert (current.key, legacy.key) == ("00000000-0000-4000-8000-000000000001", "100001")
    assert (current.model_name, legacy.model_name) == ("Tandem Mobi™ System", None)


def test_a_pump_that_never_uploaded_is_listed_and_not_chosen() -> None:
    idle = CURRENT | {"serialNumber": "90000002", "maxDateOfEvents": None, "availableDataRange": {"start": None, "end": None}}
    pumps = listed("2026-10", {"pumps": [idle, CURRENT]})
    assert [pump.last for pump in pumps] == ["", "2024-07-05T11:00:00"]
    assert chosen(pumps, None).serial_number == "90000001"
    assert chosen(pumps, "90000002").serial_number == "90000002"


@pytest.mark.parametrize(
    ("serial", "pumps", "message"),
    [
        ("123", (Pump(key="a", serial_number="1", last="2024"),), "none of the account's 1 pumps has that serial number"),
        (None, (Pump(key="a", serial_number="1"),), "none of the account's 1 pumps has uploaded events"),
    ],
)
def test_a_pump_that_cannot_be_chosen_is_said_without_its_serial(serial: str | None, pumps: tuple[Pump, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message) as told:
        chosen(pumps, serial)
    assert "123" not in str(told.value)


@pytest.mark.parametrize(
    ("era", "said"),
    [
        ("2026-10", {"pumps": None}),
        ("2026-10", {"pumps": ["a"]}),
        ("2026-10", {"pumps": [CURRENT | {"serialNumber": None}]}),
        ("2025", [LEGACY | {"tconnectDeviceId": "a"}]),
    ],
)
def test_a_list_of_another_shape_is_the_services_fault(era: str, said: Json) -> None:
    with pytest.raises(ServiceError, match="another shape than any known era"):
        listed(era, said)


def test_a_pump_does_not_print_what_it_is() -> None:
    assert "90000001" not in repr(Pump(key="a", serial_number="90000001"))
