"""Which pump is recorded."""

import pytest

from recorder.walk import Pump, chosen
from tfx.errors import UsageError


def pump(serial: str, latest: str, model: str = "t:slim X2") -> Pump:
    return Pump(key=f"key of {serial}", serial=serial, model=model, latest=latest)


OLD, USED, NEW = pump("11", "2024-05-01T10:00:00"), pump("22", "2026-11-18T09:00:00", "Mobi"), pump("33", "")


@pytest.mark.parametrize(
    ("serial", "expected", "why"),
    [
        ("", USED, "the latest event decides, not the order"),
        ("11", OLD, "a retired pump, asked for by name"),
        ("33", NEW, "one that never sent anything, too"),
    ],
)
def test_the_pump_is_chosen_as_clients_choose(serial: str, expected: Pump, why: str) -> None:
    assert chosen((NEW, USED, OLD), serial) == expected, why


def test_an_unknown_pump_is_refused_without_naming_a_serial() -> None:
    with pytest.raises(UsageError) as caught:
        chosen((USED, OLD), "99")
    assert str(caught.value) == (
        "the account has 2 pumps (Mobi, t:slim X2), none of the serial number asked for; "
        "check --pump against the number on the back of the pump, or leave it out for the pump used last"
    )


def test_an_account_without_events_is_refused() -> None:
    with pytest.raises(UsageError, match=r"has 1 pump \(t:slim X2\), and none has ever sent an event"):
        chosen((NEW,))
    with pytest.raises(UsageError, match=r"has 0 pumps \(none\)"):
        chosen(())


def test_a_pump_does_not_print_its_numbers() -> None:
    assert repr(USED) == "Pump(Mobi)"
