"""Read profiles from the account's list of pumps, in either era, and make rows of them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

import orjson
from sqlalchemy import Connection

from pipeline.receive.decode import Reject
from pipeline.receive.jsontext import is_text, spell
from pipeline.store.quarantine import quarantine
from pipeline.store.reasons import Reason
from pipeline.store.warehouse import driver
from tandem.stamp import Stamp
from tfx.errors import FormatError
from tfx.jsonbody import Json

MOST: Final = 1 << 31

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


def remember(connection: Connection, device_id: int, settings: Json, uploaded: str | None = None) -> None:
    """Store the profiles that an upload has for a device, once; an upload without profiles changes nothing.

    Settings of another shape than any known era's go to the quarantine.
    """
    try:
        profiles = profiles_of(settings)
    except FormatError as e:
        quarantine(connection, device_id, [Reject(reason=Reason.SETTINGS, detail=str(e), raw=spell(settings))], ())
        return
    if not profiles:
        return
    version, moment = _version(profiles), _moment(uploaded)
    telling = _telling(device_id, moment, version)
    if driver(connection).execute("SELECT 1 FROM profile_tellings WHERE id = $1", [telling]).fetchall():
        return
    driver(connection).execute("INSERT INTO profile_tellings VALUES ($1, $2, $3, $4)", [telling, device_id, moment, version])
    for table, rows in _as_rows(device_id, version, profiles).items():
        for row in rows:
            marks = ", ".join(f"${place}" for place in range(1, len(row) + 1))
            # An earlier upload may have had the same.
            driver(connection).execute(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", list(row))  # noqa: S608  # our own names


def altered_profiles(connection: Connection) -> Iterator[str]:
    """Whether profiles say something else than their version, which is the digest of their words, in a sentence each.

    So for a telling: its id is the digest of its device, time and version. Segments are numbered from 0 on.
    """
    versions = driver(connection).execute("SELECT DISTINCT device_id, version FROM profile_tellings ORDER BY ALL").fetchall()
    for device, version in versions:
        if _version(_stored(connection, [device, version])) != version:
            yield f"profiles, profile_segments: device {device} has a version of its profiles that says something else than it said"
    for device, count in driver(connection).execute(_MISNUMBERED).fetchall():
        yield f"profile_segments: device {device} has {count:,} profiles whose segments are not numbered 0, 1, 2 and so on"
    tellings = driver(connection).execute("SELECT id, device_id, uploaded, version FROM profile_tellings").fetchall()
    odd = Counter(
        device for telling, device, moment, version in cast("list[_Row]", tellings) if telling != _telling(device, moment, version)
    )
    for device, count in sorted(odd.items()):
        yield f"profile_tellings: device {device} has {count:,} rows that were altered since they were kept"


def _stored(connection: Connection, version: list[object]) -> tuple[Profile, ...]:
    segments: defaultdict[int, list[Segment]] = defaultdict(list)
    for number, start, basal, ratio, target, factor in cast(
        "list[tuple[int, int, int, float, int, int]]", driver(connection).execute(_SEGMENTS_OF, version).fetchall()
    ):
        segments[number].append((start, basal, round(ratio * 1000), target, factor))
    told = cast("list[tuple[int, str, bool, int, int]]", driver(connection).execute(_PROFILES_OF, version).fetchall())
    return tuple(
        Profile(
            number=number,
            name=name,
            active=active,
            insulin_duration_minutes=minutes,
            most_bolus_milliunits=most,
            segments=tuple(segments[number]),
        )
        for number, name, active, minutes, most in told
    )


_Row = tuple[str, int, datetime | None, str]
_MISNUMBERED: Final = """
SELECT device_id, count(*) FROM (
    SELECT device_id FROM profile_segments GROUP BY device_id, version, number HAVING min(segment) <> 0 OR max(segment) <> count(*) - 1
) GROUP BY ALL ORDER BY ALL
"""
_OF_VERSION: Final = "WHERE device_id = $1 AND version = $2 ORDER BY number"
_PROFILES_OF: Final = f"""
SELECT number, name, active, insulin_duration_minutes, most_bolus_milliunits FROM profiles {_OF_VERSION}
"""  # noqa: S608  # our own words
_SEGMENTS_OF: Final = f"""
SELECT number, start_minutes, basal_milliunits_per_hour, carb_ratio_grams_per_unit, target_mg_dl, correction_mg_dl_per_unit
FROM profile_segments {_OF_VERSION}, segment
"""  # noqa: S608  # our own words

Rows = dict[str, list[tuple[object, ...]]]


def _version(profiles: Sequence[Profile]) -> str:
    return _digest([_words(one) for one in sorted(profiles, key=lambda one: one.number)])


def _words(one: Profile) -> list[object]:
    """All that a profile says."""
    return [one.number, one.name, one.active, one.insulin_duration_minutes, one.most_bolus_milliunits, one.segments]


def _telling(device_id: int, uploaded: datetime | None, version: str) -> str:
    return _digest([device_id, uploaded and uploaded.isoformat(), version])


def _digest(words: Sequence[object]) -> str:
    return hashlib.sha256(orjson.dumps(words)).hexdigest()[:32]


def _moment(uploaded: str | None) -> datetime | None:
    """To the second: era 2025 cuts fractions to two digits, the json eras tell three."""
    try:
        return None if uploaded is None else Stamp.parse(uploaded).moment
    except FormatError:
        return None


def _as_rows(device_id: int, version: str, profiles: Sequence[Profile]) -> Rows:
    return {
        "profiles": [
            (device_id, version, one.number, one.name, one.active, one.insulin_duration_minutes, one.most_bolus_milliunits)
            for one in profiles
        ],
        "profile_segments": [
            (device_id, version, one.number, place, start, basal, ratio / 1000, target, factor)
            for one in profiles
            for place, (start, basal, ratio, target, factor) in enumerate(one.segments)
        ],
    }


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
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST:
        raise FormatError(f"settings: {name} is no whole number of a usual size")
    return value
