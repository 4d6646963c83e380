"""The invented account: identity, dates and therapy are decided apart."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.account import Account, account
from simulator.names import AWKWARD, plain
from tandem.events import EVENTS
from tandem.records import Records
from tfx.errors import UsageError
from tfx.jsonbody import Json, write

NOW = datetime(2026, 11, 21, 5, 13, 44, tzinfo=UTC)


@cache
def base() -> Account:
    return account(now=NOW, days=1)


@cache
def somebody(identity: int) -> Account:
    return account(now=NOW, days=0.25, identity=identity)


def told(pump_account: Account) -> bytes:
    """Everything an account says, as bytes."""
    return (
        b"|".join(
            part
            for device in pump_account.devices
            for part in (device.records.to_bytes(), write(device.settings), write(device.legacy_settings), str(device.last_upload).encode())
        )
        + str([(seen.kind, seen.value) for seen in pump_account.secrets()]).encode()
    )


def without(records: Records, marks: str) -> Records:
    """The records with every field of these marks, and the payload of every code without a layout, zeroed."""
    for code, which, _ in records.groups():
        if code not in EVENTS:
            records = records.with_payload(np.zeros(16, np.uint8), which)
            continue
        marked = [field.name for field in EVENTS[code].fields if field.mark and field.mark in marks]
        # A resume alarm's first parameter is a millisecond counter, though the table knows only that it is opaque.
        marked += ["param1"] if code == 5 else []
        records = records.with_columns(code, dict.fromkeys(marked, 0))
    return records


@pytest.mark.parametrize("region", ["us", "eu"])
def test_equal_arguments_give_equal_bytes(region: str) -> None:
    first, second = (account(identity=3, therapy=4, now=NOW, days=0.5, region=region, guardian=True) for _ in range(2))
    assert told(first) == told(second)


@pytest.mark.slow
@given(identity=st.integers(2, 10_000))
@settings(max_examples=8, deadline=None)
def test_identity_changes_marked_fields_only(identity: int) -> None:
    ours, theirs = base(), account(now=NOW, days=1, identity=identity)
    for one, other in zip(ours.devices, theirs.devices, strict=True):
        assert len(one.records) == len(other.records)
        if len(one.records):
            rebased = [r.with_header(sequence=r.sequence - r.sequence[0]) for r in (one.records, other.records)]
            assert without(rebased[0], "CI") == without(rebased[1], "CI")
        assert (one.software_version, one.algorithm, one.last_upload, one.assigned_at) == (
            other.software_version, other.algorithm, other.last_upload, other.assigned_at,
        )  # fmt: skip
    assert (ours.low_glucose, ours.country, ours.role) == (theirs.low_glucose, theirs.country, theirs.role)


@pytest.mark.slow
@given(identity=st.integers(0, 10_000), other=st.integers(1, 60))
@settings(max_examples=12, deadline=None)
def test_people_near_each_other_share_no_secret(identity: int, other: int) -> None:
    one, two = (account(now=NOW, days=0.25, identity=number, guardian=True) for number in (identity, identity + other))
    # Given names, family names and what a profile is called after somebody come from short lists; everything else is one's own.
    shared = {(seen.kind, seen.value) for seen in one.secrets()} & {(seen.kind, seen.value) for seen in two.secrets()}
    assert {kind for kind, _ in shared} <= {"given name", "family name", "profile name"}


@pytest.mark.slow
@given(weeks=st.integers(-200, 200).filter(bool))
@settings(max_examples=8, deadline=None)
def test_whole_weeks_move_every_date_by_exactly_that(weeks: int) -> None:
    by = timedelta(weeks=weeks)
    moved = account(now=NOW + by, days=1)
    for one, other in zip(base().devices, moved.devices, strict=True):
        assert shifted(one.records, weeks) == other.records
        assert other.assigned_at - one.assigned_at == by
        if one.last_upload and other.last_upload:
            assert other.last_upload - one.last_upload == by
            assert one.settings is not None
            assert other.settings is not None
            stamps = [datetime.fromisoformat(str(shape["uploadedTimeStamp"])) for shape in (one.settings, other.settings)]
            assert stamps[1] - stamps[0] == by
            assert {**one.settings, "uploadedTimeStamp": ""} == {**other.settings, "uploadedTimeStamp": ""}


def shifted(records: Records, weeks: int) -> Records:
    """The records with headers and every field that the table calls a date moved by whole weeks."""
    units: Mapping[str, int] = {"pump_seconds": 604_800, "unix_wall": 604_800, "pump_days": 7}
    for code, _, group in records.groups():
        for field in EVENTS[code].fields if code in EVENTS else ():
            if field.time in units:
                column = group.columns(code)[field.name].astype(np.int64)
                records = records.with_columns(code, {field.name: np.where(column > 0, column + weeks * units[field.time], column)})
    return records.with_header(seconds=records.seconds.astype(np.int64) + weeks * 604_800) if len(records) else records


def test_therapy_changes_values_and_not_the_person() -> None:
    other = account(now=NOW, days=1, therapy=2)
    assert [seen.value for seen in other.secrets()] == [seen.value for seen in base().secrets()]
    assert other.current.records != base().current.records
    assert other.current.settings != base().current.settings


# --- what is on it


def test_a_retired_pump_a_current_one_and_one_that_never_uploaded() -> None:
    retired, current, never = base().devices
    assert base().current is current
    assert retired.last_upload is not None
    assert current.last_upload is not None
    assert current.last_upload - retired.last_upload > timedelta(days=60)
    assert retired.records.seconds.max() < current.records.seconds.min()
    assert 0 < len(retired.records) < 120
    assert (len(never.records), never.last_upload, never.settings, never.legacy_settings, never.software_version) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert 256 in retired.records.code
    assert 399 in current.records.code


def test_last_upload_comes_after_the_last_event_and_before_now() -> None:
    for pump_account in (base(), account(now=NOW, region="eu", days=2, therapy=5)):
        offset = timedelta(hours=-8 if pump_account.region == "us" else 1)
        last = datetime(2008, 1, 1, tzinfo=timezone(offset)) + timedelta(seconds=int(pump_account.current.records.seconds.max()))
        assert pump_account.current.last_upload is not None
        assert last < pump_account.current.last_upload < NOW


def test_regions_and_guardians() -> None:
    guardian = account(now=NOW, days=0.25, region="eu", guardian=True)
    assert (guardian.country, guardian.language, guardian.role) == ("DE", "de-DE", "personal_guardian")
    assert guardian.caregiver is not None
    assert guardian.caregiver in {seen.value for seen in guardian.secrets()}
    assert base().caregiver is None


def test_passwords_hold_what_forms_and_shells_treat_specially() -> None:
    assert all(set(AWKWARD) <= set(somebody(number).password) for number in range(12))


def test_profile_names_look_like_people_and_are_on_the_pump_in_reversed_words() -> None:
    name = base().profile_names[0]
    assert name.startswith(plain(base().given_name)[:8])
    halves = [base().current.records.select(code).payload[0, 8:].tobytes() for code in (69, 57)]
    spelled = b"".join(half[word : word + 4][::-1] for half in halves for word in (0, 4))
    assert spelled.rstrip(b"\0").decode() == name
    details = base().current.settings
    assert details is not None
    assert name.encode() in write(details)


def test_no_secret_is_so_short_that_it_turns_up_by_chance() -> None:
    for number in range(12):
        for seen in somebody(number).secrets():
            assert len(seen.value) >= 4, (seen.kind, number)
            assert len(seen.value.encode()) >= 5, (seen.kind, number)


def test_nothing_of_the_person_is_in_a_repr() -> None:
    text = repr(base()) + "".join(map(repr, base().devices)) + repr(base().secrets()) + repr(base().current.identity)
    assert not [seen.kind for seen in base().secrets() if seen.value in text]


def test_settings_follow_the_documented_shapes() -> None:
    current = base().current
    assert current.settings is not None
    assert current.legacy_settings is not None
    details = members(current.settings["details"])
    assert set(details) == {"profiles", "cgmSettings", "basalLimitSettings", "controlIqSettings"}
    assert current.settings["deviceAssignmentId"] == current.assignment_id
    legacy = members(members(current.legacy_settings)["profiles"])["profile"]
    assert isinstance(legacy, list)
    segments = members(legacy[0])["tDependentSegs"]
    assert isinstance(segments, list)
    assert len(segments) == 16
    assert members(segments[15]) == {"startTime": 0, "basalRate": 0, "isf": 0, "carbRatio": 0, "targetBg": 0}


def members(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("arguments", "words", "why"),
    [
        ({"now": NOW.replace(tzinfo=None)}, "an account needs an aware now", "a naive clock"),
        ({"region": "jp"}, "an account needs an aware now, a region of us, eu", "no such cloud"),
        ({"density": 0}, "and a density up to 1", "nothing left"),
        ({"days": 0.1}, "an invented history is 0.25 to 6000 days long", "shorter than setting the pump up"),
        ({"days": 7000}, "ask for other days, or set another --now", "before there were pumps"),
        ({"now": NOW.replace(year=2009), "days": 400}, "not 400 days before 2009-", "before pumps count"),
        ({"now": NOW.replace(year=1)}, "lies between 2009 and 2099", "long before"),
        ({"now": NOW.replace(year=2100)}, "lies between 2009 and 2099", "after their last year"),
    ],
)
def test_refuses(arguments: dict[str, object], words: str, why: str) -> None:
    with pytest.raises(UsageError, match=words):
        account(**{"now": NOW, **arguments})  # type: ignore[arg-type]  # wrong on purpose
