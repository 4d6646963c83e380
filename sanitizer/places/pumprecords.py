"""Sanitize pump events as 26-byte records, with masks on columns. Pure; the one module of the sanitizer that needs numpy."""

from typing import Final

import numpy as np
import numpy.typing as npt

from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Policy
from sanitizer.replacements.devices import BOLUS_CODES, DATE_CHANGED, Device
from sanitizer.replacements.fields import (
    KNOWN_CODES,
    LAST_CODE,
    MS_OF_DAY,
    SECOND,
    UNKNOWN_CODE,
    bits_of,
    domain,
    places_of,
    ranges,
    treatment,
)
from sanitizer.replacements.moments import DAY, FIRST_DAY, LAST_DAY, NEVER_DAY, UNIX_OF_PUMP_EPOCH, Moments
from tandem.events import EVENTS, PAYLOAD_START, Field
from tandem.records import Records, layout
from tfx.errors import FormatError, RefusedError
from tfx.jsonbody import Json

Numbers = npt.NDArray[np.int64]

_LAST_NUMBER: Final = 0xFFFFFFFF
_KNOWN: Final = tuple(sorted(KNOWN_CODES))


def records_of(exchange: int, value: Json) -> Records:
    """The records of a `pumpevents` answer.

    Raises:
        RefusedError: it is not a text of base64 over whole records.
    """
    try:
        return Records.from_base64(value if isinstance(value, str) else "?")
    except FormatError:  # its text says how long the answer is
        raise RefusedError(
            f"#{exchange} response body is not base64 of whole pump records; nothing was written. Fetch that window again"
        ) from None


def survey_records(device: Device, records: Records) -> None:
    """Meet every record: sequence numbers, bolus ids, date changes."""
    if not len(records):
        return
    device.meet(0, records.sequence.tolist())
    for code, _, group in records.groups():
        if code in BOLUS_CODES:
            sequence, bolus = group.sequence, group.columns(code)["bolusId"]
            used = np.flatnonzero(bolus)
            if len(used):
                first = used[int(np.argmin(sequence[used]))]
                device.meet_bolus(0, int(sequence[first]), int(bolus[first]))
                device.bolus_ids.update(np.unique(bolus[used]).tolist())
        elif code == DATE_CHANGED:
            columns = group.columns(code)
            device.changes.extend(zip(columns["datePrior"].tolist(), columns["dateAfter"].tolist(), strict=True))


def pump_records(visitor: Visitor, device: Device, records: Records, place: str) -> Records:
    """The records as they may stand on a cassette."""
    rows = records.rows.copy()
    moments = device.moments(visitor.run.epoch.days)
    codes = records.code
    rows[:, 0] &= 0x1F  # the upper bits of the source nibble mean nothing to anybody
    _unknown(visitor, codes, place)
    rows[:, PAYLOAD_START:] &= _masks(visitor.run.policy)[codes]
    seconds = moved_seconds(records.seconds.astype(np.int64), moments)
    sequence = np.array(device.sequences(0, records.sequence.tolist()), np.int64)
    known = np.where(np.isin(codes, _KNOWN), codes, UNKNOWN_CODE)
    out = Records(rows=rows).with_header(code=known, seconds=seconds, sequence=sequence)
    rows = out.rows.copy()
    found, numbers = np.unique(codes, return_counts=True)
    for code, number in zip(found.tolist(), numbers.tolist(), strict=True):
        _count_kept(visitor, code, number)
        if _special(visitor.run.policy, code):
            which = np.flatnonzero(codes == code)
            rows[which] = _changed(visitor, device, rows[which], code)
    visitor.count("date", f"{place}[].time", len(records))
    visitor.count("sequence", f"{place}[].sequence", len(records))
    return _settled(visitor, records, Records(rows=rows), place)


def _settled(visitor: Visitor, before: Records, after: Records, place: str) -> Records:
    if visitor.changes:
        return after
    different = (before.rows != after.rows).any(axis=1)
    for code in np.unique(before.code[different]).tolist():
        visitor.note(f"{place}[]", f"a record of event {code} that does not look like a sanitized one")
    return before


def _unknown(visitor: Visitor, codes: npt.NDArray[np.uint16], place: str) -> None:
    for code in np.setdiff1d(codes, (*_KNOWN, UNKNOWN_CODE)).tolist() if visitor.changes else ():
        visitor.remark(f"{place}[]", f"event {code} is unknown to tfx; {UNKNOWN_CODE} stands for it, and its payload is zeroed")


def _masks(policy: Policy) -> npt.NDArray[np.uint8]:
    """Per code the payload bytes that stay or are changed; every other byte is zero."""
    masks = np.zeros((LAST_CODE + 1, 16), np.uint8)
    for code, event in EVENTS.items():
        for field in event.fields:
            if treatment(policy, field) != "zero":
                start = field.offset - PAYLOAD_START
                masks[code, start : start + field.width] = 0xFF
    return masks


def _special(policy: Policy, code: int) -> tuple[Field, ...]:
    """The fields of a code that need more than a mask."""
    fields = EVENTS[code].fields if code in EVENTS else ()
    return tuple(field for field in fields if treatment(policy, field) != "zero" and not _is_kept_whole(policy, field))


def _is_kept_whole(policy: Policy, field: Field) -> bool:
    """Whether whatever bytes a field has may stay."""
    if treatment(policy, field) != "keep":
        return False
    if field.meaning == "bitmask":
        return len(bits_of(ranges(policy, field))) == field.width * 8
    return ranges(policy, field) == (field.bounds,)


def _changed(visitor: Visitor, device: Device, rows: npt.NDArray[np.uint8], code: int) -> npt.NDArray[np.uint8]:
    """The records of one code with their dates moved and counters rebased."""
    policy = visitor.run.policy
    moments = device.moments(visitor.run.epoch.days)
    part = np.ascontiguousarray(rows).view(layout(code))[:, 0]
    for field in _special(policy, code):
        what = treatment(policy, field)
        if what == "keep":
            part[field.name] = _kept(visitor, field, part[field.name], code)
            continue
        visitor.count(what, f"response body[].{field.name} of event {code}", len(rows))
        stored = part[field.name].astype(np.int64)
        if what == "counter":
            part[field.name] = np.where((stored == 0) | (stored == _LAST_NUMBER), stored, 1)
        elif what == "bolus":
            part[field.name] = device.boluses(stored.tolist())
        else:
            part[field.name] = _date(stored, field, moments)
    return part.view(np.uint8).reshape(len(rows), -1)


def _count_kept(visitor: Visitor, code: int, number: int) -> None:
    policy = visitor.run.policy
    for field in EVENTS[code].fields if code in EVENTS else ():
        if treatment(policy, field) == "keep":
            visitor.count_kept(domain(policy, field), f"response body[].{field.name} of event {code}", number)


def _kept(visitor: Visitor, field: Field, stored: npt.NDArray[np.generic], code: int) -> npt.NDArray[np.generic]:
    allowed = ranges(visitor.run.policy, field)
    if field.meaning == "bitmask":
        inside = stored.astype(np.int64) & ~sum(1 << bit for bit in bits_of(allowed)) == 0
    else:
        values = stored.astype(np.float64)
        inside = np.zeros(len(values), np.bool_)  # what is no number lies nowhere
        for low, high in allowed:
            inside |= (low <= values) & (values <= high)
    if visitor.changes and not inside.all():
        visitor.note(f"response body[].{field.name}", f"not what event {code} can hold there; blanked")
    if field.type == "float32":
        # Zero added, for there is one below zero too, which says no more.
        stored = (np.round(stored.astype(np.float64), places_of(field)) + 0.0).astype(stored.dtype)
    return np.where(inside, stored, np.zeros_like(stored))


def _date(stored: Numbers, field: Field, moments: Moments) -> Numbers:
    if field.time == "pump_days":
        return _kept_sentinels(stored, moved_days(stored, moments))
    if field.time == "ms_of_day":
        return np.where(stored < MS_OF_DAY, stored - stored % SECOND, 0)
    since = UNIX_OF_PUMP_EPOCH if field.time == "unix_wall" else 0
    return _kept_sentinels(stored, moved_seconds(stored, moments, since))


def moved_seconds(stored: Numbers, moments: Moments, since: int = 0) -> Numbers:
    """`Moments.seconds` by the column."""
    days, seconds = np.divmod(stored - since, DAY)
    return _kept_sentinels(stored, moved_days(days, moments) * DAY + seconds + since)


def moved_days(days: Numbers, moments: Moments) -> Numbers:
    """`Moments.day` by the column."""
    moved = days + moments.shift
    moved = np.where((days <= moments.unset_until) | (moved < FIRST_DAY), FIRST_DAY, moved)
    return np.where(moved > LAST_DAY, NEVER_DAY, moved)


def _kept_sentinels(stored: Numbers, moved: Numbers) -> Numbers:
    return np.where((stored == 0) | (stored == _LAST_NUMBER), stored, moved)
