"""The content of a foreign file, and its region and time: from the file, from its URLs, or from the user. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from sanitizer.audit.findings import Finding, without_advice
from sanitizer.files.era import eras_of, shows_another
from sanitizer.formats.nodes import odd
from sanitizer.places.contents import content
from sanitizer.replacements.ordinals import KINDS
from tandem.endpoints import locate, region_of
from tandem.eras import ERAS
from tandem.regions import HOSTS, REGIONS
from tfx.capture import Capture, Seen
from tfx.codec import decoded
from tfx.errors import FormatError, RefusedError, UsageError
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.jsonbody import TOO_LONG
from tfx.signing import at_hash, is_ours
from tfx.stages import stage

YEARS: Final = range(2019, 2090)
"""Years a recording may be of: the service is younger than the first, and pumps with a lost clock write dates beyond the last."""

_DAY = re.compile(r"\b(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d)?")
_INSTANT = re.compile(rb"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


Numbered = tuple[int, Exchange]
"""An exchange and its place in the file; 1 is the first."""


def entry_refused(number: int, error: FormatError, place: str) -> Finding:
    """The finding for an entry that cannot be read and is left out."""
    what = without_advice(str(error)).removeprefix(place).strip(" .")
    return Finding(exchange=number, place="entry", kind=f"refused ({what}); left out")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recording:
    """The exchanges of a foreign file with the service, in order; real credentials, like a capture.

    `numbers` are their places in the file, 1 for its first entry; `refused` names entries that cannot be read, where they were to be
    left out. `elsewhere` are the places of requests to other hosts, or without an answer, which were left out. `clock`, `era` and
    `region` are what the file itself says; None or empty where it says nothing.
    """

    exchanges: tuple[Exchange, ...]
    numbers: tuple[int, ...] = ()
    refused: tuple[Finding, ...] = ()
    elsewhere: tuple[int, ...] = ()
    clock: datetime | None = None
    era: str = ""
    region: str = ""

    def __repr__(self) -> str:
        return f"Recording({len(self.exchanges)} exchanges)"


def to_tandem(url: str) -> bool:
    """Whether a URL leads to a host of the service."""
    try:
        return (urlsplit(url).hostname or "") in HOSTS
    except ValueError:  # no URL at all; its text quotes the host
        return False


def hinted(
    entries: Iterable[Numbered], elsewhere: Iterable[int], clock: datetime | None, hints: object, refused: Iterable[Finding] = ()
) -> Recording:
    """A recording with what tfx wrote into the file beside it, as far as that is known here."""
    numbered = tuple(entries)
    said = {key: value for key, value in hints.items() if isinstance(value, str)} if isinstance(hints, dict) else {}
    return Recording(
        exchanges=tuple(exchange for _, exchange in numbered),
        numbers=tuple(number for number, _ in numbered),
        refused=tuple(refused),
        elsewhere=tuple(elsewhere),
        clock=instant(said.get("clock", "")) or clock,
        era=said.get("era", "") if said.get("era") in ERAS else "",
        region=said.get("region", "") if said.get("region") in REGIONS else "",
    )


def instant(text: str) -> datetime | None:
    """An instant from ISO 8601 or the form HTTP uses, UTC unless it says otherwise; None for any other text."""
    try:
        return _instant(text)
    except OverflowError:
        return None


def started(value: object, place: str) -> datetime | None:
    """When a file says an exchange was started; None where it does not say.

    Raises:
        FormatError: that was in no year from 1 to 9999.
    """
    try:
        return _instant(value) if isinstance(value, str) else None
    except OverflowError:
        raise odd(place, "is in no year from 1 to 9999") from None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except ValueError:
            return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def capture_of(recording: Recording, where: str, *, era: str = "", region: str = "", clock: datetime | None = None) -> Capture:
    """The capture that goes to the sanitizer, with every value the recorder's own look finds; arguments win over the file.

    Raises:
        UsageError: nothing in it goes to Tandem Source, or its era, region or clock is unknown.
        FormatError: a URL, token or form in it is none.
    """
    exchanges = recording.exchanges
    seen = _seen(recording, where)
    if not any(locate(one.request.method, one.request.url) for one in exchanges):
        raise UsageError(f"{where} holds no exchange with Tandem Source, so there is nothing to make a cassette of; name another file")
    if era and shows_another(era, exchanges):
        raise UsageError(f"{where} shows the API of {', '.join(sorted(eras_of(exchanges)))}, not of {era}; leave --era out, or say that")
    return Capture(
        exchanges=exchanges,
        era=era or recording.era or _era(exchanges, where),
        region=region or recording.region or _region(exchanges, where),
        clock=clock or recording.clock or _clock(exchanges, where),
        seen=tuple(_strangers(seen)),
        numbers=recording.numbers,
    )


def _seen(recording: Recording, where: str) -> tuple[Seen, ...]:
    seen_in = cast("Callable[[Iterable[Exchange]], tuple[Seen, ...]]", stage("recorder.seen:seen_in"))
    found: dict[Seen, None] = {}
    for number, one in zip(recording.numbers or count(1), recording.exchanges, strict=False):
        try:
            found |= dict.fromkeys(seen_in([one if locate(one.request.method, one.request.url) else _answer_of(one)]))
        except (ValueError, RefusedError):  # their texts quote what they are about
            if _is_unreadable(one):
                continue  # the walk refuses it, or leaves it out, and says where
            raise odd(f"{where} #{number}", "holds a malformed URL, form or token") from None
    return tuple(found)


def _is_unreadable(exchange: Exchange) -> bool:
    """Whether a body holds a number of thousands of digits: the walk refuses it, so that nothing of this exchange reaches a cassette."""
    try:
        content(exchange.request.headers, exchange.request.body, "")
        content(exchange.response.headers, exchange.response.body, "")
    except RefusedError as error:
        return TOO_LONG in str(error)
    return False


def _answer_of(exchange: Exchange) -> Exchange:
    """Of a page's own scripts and pictures only what was answered: `?lang=en-US` is no token, and nothing of them reaches a cassette."""
    request, response = exchange.request, exchange.response
    kept = Headers((name, value) for name, value in response.headers if name.lower() in ("content-type", "content-encoding"))
    return Exchange(
        request=Request(method=request.method, url=request.url.partition("?")[0]),
        response=Response(status=response.status, headers=kept, body=response.body),
    )


def _strangers(seen: tuple[Seen, ...]) -> Iterator[Seen]:
    """What may not survive: all but the two kinds of stand-in that the second look cannot know by their shape.

    A token under the published test key, and the hash of a stand-in access token, are there again when a cassette comes back from
    another format.
    """
    hashes = {at_hash(one.value) for one in seen if KINDS["access-token"].image(one.value)}
    return (one for one in seen if one.value not in hashes and not (one.value.startswith("ey") and is_ours(one.value)))


def _region(exchanges: tuple[Exchange, ...], where: str) -> str:
    found = {region for one in exchanges if (region := region_of(one.request.url))}
    if len(found) == 1:
        return found.pop()
    what = "goes to both regions" if found else "names neither region's host"
    raise _ask(where, what, "--region", " or ".join(REGIONS))


def _era(exchanges: tuple[Exchange, ...], where: str) -> str:
    possible = eras_of(exchanges)
    if len(possible) == 1:
        return next(iter(possible))
    what = "does not show which state of the API it is of" if possible else "shows two states of the API"
    raise _ask(where, what, "--era", ", ".join(ERAS))


def _clock(exchanges: tuple[Exchange, ...], where: str) -> datetime:
    """The newest Date header; else the newest date in an answer that lies in a window somebody asked for; else the newest at all."""
    told = [found for one in exchanges for line in one.response.headers.all("date") if (found := instant(line))]
    asked = max(_days(_DAY.search(value) for one in exchanges for value in _values(one)), default=None)
    inside = [one for one in _instants(exchanges) if asked is None or one <= asked]
    newest = max(told, default=None) or max(inside, default=asked)
    if newest is None:
        raise _ask(where, "does not say when it was recorded", "--clock", "an instant such as 2026-10-05T18:30:00Z")
    return newest


def _values(exchange: Exchange) -> Iterator[str]:
    for _, value in parse_qsl(urlsplit(exchange.request.url).query):
        yield unquote(value)


def _days(found: Iterable[re.Match[str] | None]) -> Iterator[datetime]:
    for one in found:
        moment = instant(one.group()) if one else None
        if moment and moment.year in YEARS:
            yield moment


def _instants(exchanges: tuple[Exchange, ...]) -> Iterator[datetime]:
    for one in exchanges:
        try:
            text = decoded(one.response.headers, one.response.body)
        except RefusedError:
            continue  # the sanitizer will refuse it in its own words
        for found in set(_INSTANT.findall(text)):
            moment = instant(found.decode("ascii"))
            if moment and moment.year in YEARS:
                yield moment


def _ask(where: str, what: str, option: str, values: str) -> UsageError:
    return UsageError(f"{where} {what}; say it with {option} ({values})")
