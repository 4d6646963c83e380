"""The tables of profiles: what each upload told of them, once."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, cast

import orjson
from sqlalchemy import Connection

from pipeline.receive.batch import Reject
from pipeline.receive.jsontext import spell
from pipeline.receive.settings import Profile, Segment, profiles_of
from pipeline.store.engine import driver
from pipeline.store.quarantine import quarantine
from pipeline.store.reasons import Reason
from tandem.stamp import Stamp
from tfx.errors import FormatError
from tfx.jsonbody import Json


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

    So for a telling: its id is the digest of its device, time and version. Segments are numbered from 0 on. No profile is there that
    nobody told, and no segment of no profile.
    """
    versions = driver(connection).execute("SELECT DISTINCT device_id, version FROM profile_tellings ORDER BY ALL").fetchall()
    for device, version in versions:
        if _version(_stored(connection, [device, version])) != version:
            yield f"profiles, profile_segments: device {device} has a version of its profiles that says something else than it said"
    for device, count in driver(connection).execute(_MISNUMBERED).fetchall():
        yield f"profile_segments: device {device} has {count:,} profiles whose segments are not numbered 0, 1, 2 and so on"
    for device, table, count in driver(connection).execute(_UNTOLD).fetchall():
        yield f"{table}: device {device} has {count:,} rows that no upload told"
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
_UNTOLD: Final = """
SELECT device_id, 'profiles', count(*) FROM profiles ANTI JOIN profile_tellings USING (device_id, version) GROUP BY ALL
UNION ALL
SELECT device_id, 'profile_segments', count(*) FROM profile_segments ANTI JOIN profiles USING (device_id, version, number) GROUP BY ALL
ORDER BY ALL
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
