"""Shift every date by the same whole number of weeks, so that a recording ends in the anchor week. Pure.

Whole weeks keep weekdays and times of day. The offset is not a secret that could leak: it follows from the recording's own end,
and the cassette carries no date from which that end could be read. See docs/decisions/anchor-week.md.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, cast

ANCHOR: Final = date(2024, 7, 1)
"""The Monday of the week in which every cassette's clock stands."""

FIRST: Final = date(2019, 7, 1)
"""The first day of the synthetic window; what lies before is set to this day, time of day kept."""

LAST: Final = date(2024, 7, 21)
"""The last day of the synthetic window; what lies after is bogus and becomes `NEVER`."""

NEVER: Final = date(2099, 12, 31)
"""Stands for every bogus far-future day."""

SENTINELS: Final = frozenset({"0001-01-01", "1900-01-01", "1970-01-01", "2008-01-01", "9999-12-31"})
"""Days that say "no date" in some software; they stay as they are."""

BIRTH: Final = "1980-01-01"
"""Everybody's date of birth."""

ISSUED: Final = 1_719_705_600
"""`iat`, `nbf` and `auth_time` of every token: 2024-06-30 00:00 UTC, the day before the anchor week."""

EXPIRES: Final = 4_102_444_800
"""`exp` of every token: 2100-01-01 00:00 UTC."""

COOKIE_EXPIRES: Final = "Fri, 01 Jan 2100 00:00:00 GMT"
COOKIE_EXPIRED: Final = "Thu, 01 Jan 1970 00:00:00 GMT"
COOKIE_AGE: Final = "31536000"
"""A cookie is either alive, for ever, or being deleted."""

_TIME = re.compile(r"(?P<clock>[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?P<fraction>\.\d{1,9})?(?P<zone>Z|[+-]\d\d:?\d\d)?\Z", re.ASCII)
_PLAIN_TIMES = re.compile(r"(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ?(?:\n|\Z))*+", re.ASCII)
"""Times, a line each, that `settled` leaves as they are."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_ZERO_ZONE = re.compile(r"[+-]00:?00\Z")


class Odd(Exception):  # noqa: N818  # not an error: the caller blanks the place
    """A value is not what its rule is for. Carries no text, so nothing of the value can leave with it."""


class Epoch:
    """The move of one recording onto the anchor week.

    `days` is the shift, a multiple of seven. Days are looked up once and remembered: a recording has few of them.
    """

    __slots__ = ("_days", "_times", "days")

    def __init__(self, clock: datetime) -> None:
        today = clock.astimezone(UTC).date()
        monday = today - timedelta(days=today.weekday())
        self.days = (ANCHOR - monday).days
        self._days: dict[str, str] = {day: day for day in SENTINELS}
        self._times: dict[str, str] = {"": ""}

    def clock(self, clock: datetime) -> datetime:
        """The moved end of the recording, down to the minute: seconds would make every recording differ."""
        return (clock.astimezone(UTC) + timedelta(days=self.days)).replace(second=0, microsecond=0)

    def iso(self, text: str) -> str:
        """An ISO date or time in the spelling it had: `2026-04-30`, `2026-04-30T00:00:06`, with a fraction, `Z` or an offset of zero.

        Raises:
            Odd: it is none of these.
        """
        moved = self._days.get(text[:10])
        return (moved if moved is not None else self._move(text[:10])) + self.time(text[10:])

    def time(self, text: str) -> str:
        """What stands behind a day, as `settled` writes it; looked up once. Odd for what is no time."""
        found = self._times.get(text)
        if found is None:
            found = self._times[text] = settled(text)
        return found

    def column(self, texts: list[str], is_unset: Callable[[str], bool]) -> list[str | None]:
        """Many texts moved as `iso` moves one, those dated by an unset clock onto the first day; None for what is no date.

        The texts themselves where not one of them moves.
        """
        days = {day: self._known(day, is_unset) for day in {text[:10] for text in texts}}
        times = {text[10:] for text in texts}
        joined = "\n".join(times)
        if None not in days.values() and joined.count("\n") == len(times) - 1 and _PLAIN_TIMES.fullmatch(joined):
            if all(day == moved for day, moved in days.items()):
                return cast("list[str | None]", texts)
            return [f"{days[text[:10]]}{text[10:]}" for text in texts]
        settled_times = {time: self._known_time(time) for time in times}
        parts = ((days[text[:10]], settled_times[text[10:]]) for text in texts)
        return [None if day is None or time is None else day + time for day, time in parts]

    def _known(self, day: str, is_unset: Callable[[str], bool]) -> str | None:
        try:
            return FIRST.isoformat() if is_unset(day) else self.iso(day)
        except Odd:
            return None

    def _known_time(self, text: str) -> str | None:
        try:
            return self.time(text)
        except Odd:
            return None

    def day(self, day: date) -> date:
        """A moved day, kept inside the synthetic window."""
        try:
            moved = day + timedelta(days=self.days)
        except OverflowError:
            return NEVER if day > ANCHOR else FIRST
        if moved > LAST:
            return NEVER
        return max(moved, FIRST)

    def _move(self, text: str) -> str:
        if not _DAY.match(text):
            raise Odd
        try:
            moved = self.day(date.fromisoformat(text)).isoformat()
        except ValueError:
            raise Odd from None
        self._days[text] = moved
        return moved


def settled(time: str) -> str:
    """A time of day to the second, in the spelling it had; a fraction is zeros, as many as there were, and an offset says zero.

    Nine digits of a fraction can hold a serial number, and an offset says where somebody lives; no client needs either. The service
    writes its own times in UTC or without a zone, so any other offset is a stranger's.

    Raises:
        Odd: it is no time of day.
    """
    if not time:
        return time
    found = _TIME.match(time)
    if not found or (found["fraction"] and found["clock"].count(":") == 1):
        raise Odd
    zone = found["zone"] or ""
    if zone not in ("", "Z") and not _ZERO_ZONE.match(zone):
        zone = "+00:00" if ":" in zone else "+0000"
    fraction = found["fraction"] or ""
    return found["clock"] + fraction[:1] + "0" * (len(fraction) - 1) + zone


def is_inside(text: str) -> bool:
    """Whether an ISO date or time lies in the synthetic window, or is a sentinel or `NEVER`, with a time of day as `settled` writes it."""
    try:
        if not _DAY.match(text[:10]) or settled(text[10:]) != text[10:]:
            return False
    except Odd:
        return False
    if text[:10] in SENTINELS:
        return True
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return False
    return FIRST <= day <= LAST or day == NEVER


def cookie_age(text: str) -> str:
    """A year for a cookie that is alive, and 0 for one that is being deleted: an age in seconds could be any number of a person's."""
    return COOKIE_AGE if text.isascii() and text.isdigit() and text.strip("0") else "0"


def cookie_expiry(text: str, clock: datetime) -> str:
    """One of the two expiry dates a cassette knows; a date nobody can read deletes the cookie, as in a browser."""
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment - clock  # raises where a date at the end of time has an offset
    except (ValueError, TypeError, IndexError, OverflowError):
        return COOKIE_EXPIRED
    return COOKIE_EXPIRES if moment > clock else COOKIE_EXPIRED
