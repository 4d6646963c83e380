"""The profiles in the settings that the account's list has of a pump, in either era. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from pipeline.receive.jsontext import is_text
from tfx.errors import FormatError
from tfx.jsonbody import Json

_MOST: Final = 1 << 31

Segment = tuple[int, int, int, int, int]
"""Start in minutes since midnight, basal in milliunits/h, carb ratio in thousandths of g/unit, target in mg/dL, correction factor in
mg/dL per unit."""

_SEGMENT: Final = ("startTime", "basalRate", "carbRatio", "targetBg", "isf")
_SEGMENTS: Final = ("timeDependentSegments", "tDependentSegs")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Profile:
    """One profile. The `repr` hides everything: the name is a person's own words."""

    number: int
    name: str
    active: bool
    insulin_duration_minutes: int
    most_bolus_milliunits: int
    segments: tuple[Segment, ...]


def profiles_of(settings: Json) -> tuple[Profile, ...]:
    """The profiles in a pump's `settings`, of either era; empty if it has none. Raises FormatError for another shape.

    Era 2025 always sends sixteen segments, unused ones all zero; the json eras put the same under `details`.
    """
    if settings is None:
        return ()
    if not isinstance(settings, dict):
        raise FormatError("settings: not an object")
    told = settings.get("details", settings)
    listed = told.get("profiles") if isinstance(told, dict) else None
    if not isinstance(listed, dict) or not isinstance(each := listed.get("profile"), list):
        raise FormatError("settings: no list of profiles")
    found = tuple(_profile(one, listed.get("activeIdp")) for one in each)
    if len({one.number for one in found}) < len(found):
        raise FormatError("settings: two profiles of one number")
    return found


def _profile(told: Json, active: Json) -> Profile:
    if not isinstance(told, dict):
        raise FormatError("settings: a profile is no object")
    segments = next((found for name in _SEGMENTS if isinstance(found := told.get(name), list)), None)
    name = told.get("name")
    if segments is None or not isinstance(name, str) or not is_text(name):
        raise FormatError("settings: a profile without a name or segments")
    read = [_segment(one) for one in segments]
    return Profile(
        number=_whole(told, "idp"),
        name=name,
        active=told.get("idp") == active,
        insulin_duration_minutes=_whole(told, "insulinDuration"),
        most_bolus_milliunits=_whole(told, "maxBolus"),
        segments=tuple(segment for place, segment in enumerate(read) if place == 0 or any(segment)),
    )


def _segment(told: Json) -> Segment:
    if not isinstance(told, dict):
        raise FormatError("settings: a segment is no object")
    return cast("Segment", tuple(_whole(told, name) for name in _SEGMENT))


def _whole(told: Mapping[str, Json], name: str) -> int:
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise FormatError(f"settings: {name} is no whole number of a usual size")
    return value
