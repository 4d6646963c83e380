"""Which properties of pump events and members of settings are amounts, from their units in tandem. Pure.

What is not in these tables is structure: which events, in which order, when, with which flags, states and minutes. Structure is all
that the generator is given.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sanitizer.policy.policy import expanded
from tandem.events import EVENTS, Field

KINDS: Final = ("glucose", "insulin", "carbohydrate", "signal", "battery", "motor", "body", "setting")
"""What an amount can be an amount of; the words under which a cassette counts them."""

_OF_UNIT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mg/dL": "glucose",
        "mg/dL/min": "glucose",
        "units": "insulin",
        "units/h": "insulin",
        "milliunits": "insulin",
        "milliunits/h": "insulin",
        "(mg/dL)/unit": "insulin",
        "g": "carbohydrate",
        "g/u": "carbohydrate",
        # No amounts of therapy, but series of their own: a reading's signal strength tells it from every other as glucose does.
        "dBm": "signal",
        "mA": "battery",
        "mAh": "battery",
        "mV": "battery",
        "%": "battery",
        "counts": "motor",
    }
)
_BY_NAME: Final[Mapping[tuple[int, str], str]] = MappingProxyType(
    {
        (65, "standardPercent"): "insulin",
        (313, "weight"): "body",
        (313, "currentTdIpop"): "insulin",
    }
)
"""Amounts whose unit does not say so."""


def kind_of(code: int, field: Field) -> str:
    """What a field is an amount of; empty for structure."""
    return _BY_NAME.get((code, field.name)) or _OF_UNIT.get(field.unit, "")


AMOUNTS: Final[Mapping[int, Mapping[str, str]]] = MappingProxyType(
    {
        code: MappingProxyType({field.name: kind for field in event.fields if (kind := kind_of(code, field))})
        for code, event in EVENTS.items()
        if any(kind_of(code, field) for field in event.fields)
    }
)
"""Event code -> field -> what it is an amount of."""

FACTS: Final[Mapping[int, tuple[Field, ...]]] = MappingProxyType(
    {code: tuple(field for field in EVENTS[code].fields if field.name not in AMOUNTS[code] and field.type != "float32") for code in AMOUNTS}
)
"""Event code -> the fields that are structure. A debug word read as a float is neither: the rules set it to zero."""

# --- the settings of a pump: one person's, for everybody. Whole days alike, so that any segments agree with the events.

BASAL: Final = 800
"""Milliunits/h."""
TEMPORARY: Final = 400
MOST_BASAL: Final = 3_000
CARB_RATIO: Final = 10_000
"""Thousandths of a gram per unit."""
FACTOR: Final = 45
"""mg/dL that a unit takes away (isf)."""
TARGET: Final = 110
MOST_BOLUS: Final = 25_000
WEIGHT: Final = {0: 70, 1: 154}
"""By unit: kilograms, pounds."""
DAILY: Final = 40
"""Units a day."""
LOW, HIGH = 70, 240
CARTRIDGE: Final = 200
"""Units in a filled cartridge."""

_SEGMENT: Final = {"basalRate": BASAL, "carbRatio": CARB_RATIO, "targetBg": TARGET, "isf": FACTOR}
SEGMENTS: Final = ("timeDependentSegments", "tDependentSegs")
"""Lists of segments; one after the first that starts at midnight is padding, all zero."""

_PROFILE: Final = {"insulinDuration": 300, "maxBolus": MOST_BOLUS}
_BFF: Final = "pumps[].settings.details"
_OLD: Final = "[].lastUpload.settings"
_THRESHOLDS: Final = {"lowGlucoseThreshold": LOW, "highGlucoseThreshold": 180}


def _settings(table: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType({place: amount for key, amount in table.items() for place in expanded(key)})


SETTINGS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "pumper": _settings(
            {
                **_THRESHOLDS,
                **{f"{_BFF}.profiles.profile[].{name}": amount for name, amount in _PROFILE.items()},
                **{f"{_BFF}.profiles.profile[].timeDependentSegments[].{name}": amount for name, amount in _SEGMENT.items()},
                f"{_BFF}.cgmSettings.highGlucoseAlertMgPerDl": HIGH,
                f"{_BFF}.cgmSettings.lowGlucoseAlertMgPerDl": LOW,
                f"{_BFF}.basalLimitSettings.{{basalLimitDefault,basalLimit}}": MOST_BASAL,
                f"{_BFF}.controlIqSettings.weight": WEIGHT[1],
            }
        ),
        "pumpers": _settings(_THRESHOLDS),
        "pump-event-metadata": _settings(
            {
                **{f"{_OLD}.profiles.profile[].{name}": amount for name, amount in _PROFILE.items()},
                **{f"{_OLD}.profiles.profile[].tDependentSegs[].{name}": amount for name, amount in _SEGMENT.items()},
                f"{_OLD}.controlIQSettings.Weight": WEIGHT[1],
                f"{_OLD}.controlIQSettings.TotalDailyInsulin": DAILY,
                f"{_OLD}.pumpSettings.basalLimit": MOST_BASAL,
                f"{_OLD}.pumpSettings.maxBolus": MOST_BOLUS,
                f"{_OLD}.pumpSettings.quickBolus.incrementUnits": 500,
                f"{_OLD}.pumpSettings.quickBolus.incrementCarbs": 2_000,
                f"{_OLD}.alertsAndReminders.lowInsulinThreshold": 20,
                f"{_OLD}.alertsAndReminders.cannulaPrimeSize": 30,
                f"{_OLD}.alertsAndReminders.lowBGReminder.threshold": LOW,
                f"{_OLD}.alertsAndReminders.highBGReminder.threshold": 200,
                f"{_OLD}.cgmSettings.highGlucoseAlert.mgPerDl": HIGH,
                f"{_OLD}.cgmSettings.lowGlucoseAlert.mgPerDl": LOW,
            }
        ),
    }
)
"""Endpoint -> place in its answer -> the constant that stands there."""
