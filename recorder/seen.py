"""Collect every recorded value that must not be on the cassette, for the sanitizer's second search. Pure.

This is not the inverse of the sanitizer's allow-list. It goes by what a value looks like and how it is named, so that the two layers do not
share a mistake; a value it misses is still caught by the rules, which pass nothing they do not know.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from tandem.endpoints import Place, locate
from tandem.regions import REGIONS
from tfx.capture import Seen
from tfx.codec import decoded
from tfx.errors import TfxError
from tfx.exchange import Exchange, Headers
from tfx.jsonbody import Json, parse

PUBLIC_KEYS: Final = frozenset(
    {
        *("client_id", "response_type", "response_mode", "scope", "redirect_uri", "code_challenge_method", "grant_type", "iss"),
        *("startdate", "enddate", "mindate", "maxdate", "eventcodes", "eventids"),
    }
)
"""Keys of URLs and forms whose values every client sends alike, or that hold dates, which the sanitizer moves."""

PUBLIC_VALUES: Final = frozenset(
    value for region in REGIONS.values() for value in (region.client_id, *region.retired_client_ids, region.issuer, region.redirect_uri)
)

NAMED: Final = {
    "name": "name firstname lastname given_name family_name patientname patientcaregiver",
    "e-mail": "email username preferred_username",
    "password": "password",
    "birth date": "dateofbirth birthdate patientdateofbirth",
    "serial": "serialnumber",
    "id": "id accountid pumperid assignmentid deviceassignmentid tconnectdeviceid uploadid sub sid jti traceid",
    "hash": "settingshash at_hash",
    "token": "access_token id_token refresh_token",
}
KIND_OF: Final = {key: kind for kind, keys in NAMED.items() for key in keys.split()}
"""JSON member, claim, form or query key (lower case) to the kind of its value. Other values of URLs and forms are tokens unless public."""

SHAPES: Final = (
    ("e-mail", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("id", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("hash", re.compile(r"[0-9a-fA-F]{16,}")),
    ("token", re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w.~+/-]{24,}={0,2}")),
)
"""What a value is by its look, whatever it is called."""

JWT: Final = re.compile(r"ey[\w-]+\.ey[\w-]+\.[\w-]*")
PLAIN_HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "connection", "user-agent", "origin", "retry-after", "date", "expires", "last-modified", "server"),
        *("content-type", "content-length", "content-encoding", "transfer-encoding", "vary", "cache-control", "pragma", "referrer-policy"),
        *("strict-transport-security", "x-content-type-options", "x-frame-options", "content-security-policy"),
    }
)
"""Headers whose values say nothing of a person, however long they are."""
TEXT_CODES: Final = (57, 69, 156, 216, 217, 220, 390, 395)
"""Events whose payload holds letters: profile names, transmitter ids, pairing codes. Source: tandem-source.md 3.5."""
SHORTEST_TEXT: Final = 5


def seen_in(exchanges: Iterable[Exchange]) -> tuple[Seen, ...]:
    """Each value once, in the order met."""
    found = (pair for exchange in exchanges for pair in _exchange(exchange))
    return tuple(Seen(kind=kind, value=value) for kind, value in dict.fromkeys(found) if value and value not in PUBLIC_VALUES)


Pair = tuple[str, str]


def _exchange(exchange: Exchange) -> Iterator[Pair]:
    request, response = exchange.request, exchange.response
    place = locate(request.method, request.url)
    name = place.endpoint.name if place else ""
    yield from _url(request.url, place)
    yield from _headers(request.headers)
    yield from _headers(response.headers)
    if request.headers.get("Content-Type").lower().startswith("application/x-www-form-urlencoded"):
        yield from _pairs(parse_qsl(request.body.decode("latin-1")))
    elif request.body:
        yield from _body(request.headers, request.body, "")
    if response.status >= HTTPStatus.BAD_REQUEST:
        yield from _refusal(response.headers, response.body)
    elif name != "jwks":  # keys anyone may have
        yield from _body(response.headers, response.body, name)


def _url(url: str, place: Place | None = None) -> Iterator[Pair]:
    if place is not None:
        for key, value in place.path_values.items():
            yield KIND_OF.get(key.lower(), "id"), value
    yield from _pairs(parse_qsl(urlsplit(url).query))


def _pairs(pairs: Iterable[Pair]) -> Iterator[Pair]:
    for key, value in pairs:
        if "?" in value:  # a URL in a URL, as ReturnUrl is
            yield from _url(value)
        elif key.lower() not in PUBLIC_KEYS:
            yield KIND_OF.get(key.lower(), "token"), value


def _headers(headers: Headers) -> Iterator[Pair]:
    for name, value in headers:
        match name.lower():
            case "authorization":
                yield "token", value.partition(" ")[2]
            case "cookie":
                for pair in value.split(";"):
                    yield "cookie", pair.partition("=")[2].strip()
            case "set-cookie":
                yield "cookie", value.partition(";")[0].partition("=")[2].strip()
            case "location" | "referer":
                yield from _url(value)
            case plain if plain in PLAIN_HEADERS:
                pass
            case _:
                yield from _shapes(value.removeprefix("W/").strip('"'))


def _body(headers: Headers, body: bytes, name: str) -> Iterator[Pair]:
    try:
        value = parse(decoded(headers, body))
    except TfxError:
        return  # a page; its ids are the sanitizer's to drop with the rest of it
    if name == "pump-logs" and isinstance(value, dict):
        yield from _events(value)
        yield from _leaves({key: item for key, item in value.items() if key not in ("events", "clockChanges")}, "")
    elif name == "pump-events" and isinstance(value, str):
        yield from _records(value)
    else:
        yield from _leaves(value, "")


def _refusal(headers: Headers, body: bytes) -> Iterator[Pair]:
    """Of an error only what looks personal: its `name` and `code` are words that every client gets."""
    yield from ((kind, text) for kind, text in _body(headers, body, "") if kind not in ("name", "password"))


def _leaves(value: Json, key: str) -> Iterator[Pair]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, key)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield from _leaf(str(value), key.lower())


def _leaf(text: str, key: str) -> Iterator[Pair]:
    if JWT.fullmatch(text):
        yield "token", text
        yield from _claims(text)
    elif key in KIND_OF:
        yield KIND_OF[key], text
    else:
        yield from _shapes(text)


def _shapes(text: str) -> Iterator[Pair]:
    found = next((kind for kind, shape in SHAPES if shape.fullmatch(text)), None)
    if found is not None:
        yield found, text


def _claims(token: str) -> Iterator[Pair]:
    payload = token.split(".")[1]
    try:
        yield from _leaves(parse(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))), "")
    except (TfxError, binascii.Error):
        return  # looks like a token and is none: the whole of it is kept in mind already


def _events(body: dict[str, Json]) -> Iterator[Pair]:
    events = [event for listed in body.values() if isinstance(listed, list) for event in listed if isinstance(event, dict)]
    for event in events:
        yield "id", str(event.get("deviceAssignmentId") or "")
        properties = event.get("eventProperties")
        if isinstance(properties, dict):
            yield from (("event text", value) for value in properties.values() if isinstance(value, str))
            if event.get("eventCode") in TEXT_CODES:
                # A code without a schema comes byte by byte: spareA0, spareA1, ...
                yield from _texts(bytes(value for value in properties.values() if isinstance(value, int) and 0 <= value < 256))  # noqa: PLR2004  # a byte


def _records(text: str) -> Iterator[Pair]:
    """The letters in the records that hold some; 26 bytes each, every 32-bit word of the payload reversed (tandem-source.md 3.6)."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return  # the sanitizer refuses it
    rows = np.frombuffer(data[: len(data) // 26 * 26], np.uint8).reshape(-1, 26)
    codes = (rows[:, 0].astype(int) & 0x0F) << 8 | rows[:, 1]
    for row in rows[np.isin(codes, TEXT_CODES)]:
        yield from _texts(row[10:].reshape(4, 4)[:, ::-1].tobytes())


def _texts(payload: bytes) -> Iterator[Pair]:
    """The words in a payload that are long enough to mean somebody: four digits stand in every cassette."""
    words = (run.decode("ascii").strip() for run in re.findall(rb"[\x20-\x7e]{%d,}" % SHORTEST_TEXT, payload))
    yield from (("event text", word) for word in words if not word.isdecimal())
