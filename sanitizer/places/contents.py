"""Bodies by type: empty, JSON, form, HTML page. What cannot be understood is refused, never passed on. Pure."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from sanitizer.places.media_types import is_type_and_charset, one_spelling
from sanitizer.places.members import walk
from sanitizer.places.pumplogs import LISTS, pump_logs
from sanitizer.places.urls import query
from sanitizer.places.visitors import Visitor
from sanitizer.policy.policy import Node as Rules
from sanitizer.replacements.devices import Device, survey
from tandem.endpoints import Place
from tfx.bodies import Node
from tfx.codec import codings, decoded, encoded
from tfx.errors import FormatError, RefusedError
from tfx.exchange import Headers, Response
from tfx.jsonbody import STYLES, Json, nearest_style, read, write
from tfx.stored import Stored
from tfx.tables import Table

JSON_TYPES = ("application/json", "application/problem+json")
FORM_TYPE = "application/x-www-form-urlencoded"
HTML_TYPE = "text/html"
_BLOCKED = b"The request is blocked"
_NOTHING = Rules()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Content:
    """A body taken apart: `value` for JSON, `text` for all others, none for pump events that are known. Never prints itself.

    `text` of JSON is empty where it `is_exact`: letter for letter what `write` gives for the value.
    `tables` are its lists of pump events, once somebody has taken them apart.
    """

    kind: str
    text: bytes = b""
    value: Json = None
    is_exact: bool = False
    tables: dict[str, Table] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Content({self.kind})"


_GZIP: Final = b"\x1f\x8b"


def content(headers: Headers, body: bytes, where: str) -> Content:
    """A body decoded and read.

    Raises:
        RefusedError: its coding, charset or type is unknown, or it is not what its type says.
    """
    try:
        text = decoded(headers, body)
    except RefusedError as error:
        raise RefusedError(f"{where}: {error}") from None
    if not text:
        return Content(kind="nothing")
    media = _media(headers, where)
    if media in JSON_TYPES:
        try:
            value, is_exact = read(text)
            return Content(kind="json", text=b"" if is_exact else text, value=value, is_exact=is_exact)
        except FormatError as error:
            if text.startswith(_GZIP):
                raise RefusedError(f"{where} is packed once more with gzip; nothing was written. Record without that exchange") from None
            raise RefusedError(f"{where}: {error}; nothing was written. Record that exchange again") from None
    if media in (FORM_TYPE, HTML_TYPE):
        return Content(kind="form" if media == FORM_TYPE else "page", text=text)
    raise RefusedError(
        f"{where} has a content type no rule is for, so nothing says what it may hold; nothing was written. Record without that exchange"
    )


def stored_content(stored: Stored, where: str) -> Content:
    """The body of a plain stored response, which was read with its file; it is not looked at how deep it nests, for the rules see to that.

    Raises:
        RefusedError: its coding is unknown or its type is not JSON.
    """
    try:
        codings(stored.headers)
    except RefusedError as error:
        raise RefusedError(f"{where}: {error}") from None
    if _media(stored.headers, where) not in JSON_TYPES:
        return content(stored.headers, stored().body, where)
    return Content(kind="json", value=stored.node["json"], is_exact=True, tables=dict(stored.tables))


def _media(headers: Headers, where: str) -> str:
    line = one_spelling(headers.get("content-type"))
    media, _, parameters = line.lower().partition(";")
    charset = parameters.partition("charset=")[2].partition(";")[0].strip(' "')
    if len(headers.all("content-type")) > 1:
        raise RefusedError(f"{where} has two content types; nothing was written. Record without that exchange")
    if charset not in ("", "utf-8"):
        raise RefusedError(f"{where} says that it is in another charset than UTF-8; nothing was written. Record without that exchange")
    if not is_type_and_charset(line):
        raise RefusedError(f"{where} says more of itself than a type and a charset; nothing was written. Record without that exchange")
    return media.strip()


def sent(visitor: Visitor, place: Place, headers: Headers, body: bytes) -> bytes:
    """A request's body as it may stand."""
    name = place.endpoint.name
    policy = visitor.run.policy
    found = content(headers, body, f"#{visitor.run.exchange} request body")
    if found.kind == "json":
        rules = policy.bodies.get((name, "request"), _NOTHING)
        visitor.run.section = f"endpoints.{name}.request"
        return encoded(headers, _written(visitor, walk(visitor, rules, found.value, "request body"), found, "request body"))
    if found.kind == "form":
        try:
            text = found.text.decode("ascii")
        except UnicodeDecodeError:
            raise RefusedError(
                f"#{visitor.run.exchange} request body is not a form: a form is percent-encoded; nothing was written"
            ) from None
        changed = query(visitor, policy.forms[name], text, "request form", name)
        if not visitor.changes and changed != text:
            visitor.note("request form", "not written as the sanitizer writes it")
        return encoded(headers, changed.encode("ascii"))
    if found.kind == "page":
        visitor.run.unkept.numbers(found.text.decode("utf-8", "replace"))
        visitor.note("request body", "a page sent to the service; removed")
        return b""
    return b""


def received(visitor: Visitor, place: Place, response: Response | Stored, found: Content, device: Device | None) -> bytes | Node:
    """A response's body as it may stand, as bytes or as the node of a plain stored response.

    `found` is its `content`, which a survey has read before.
    """
    name = place.endpoint.name
    if found.kind == "page":
        return _page(visitor, name, response, found.text)
    if found.kind == "form":
        raise RefusedError(f"#{visitor.run.exchange} response body is a form, which no answer of the service is; nothing was written")
    if found.kind == "nothing" or (found.kind == "known" and visitor.events(lambda: None) is None):
        return b""
    changed = _answer(visitor, name, response.status, found, device)
    if found.is_exact and isinstance(changed, dict | list):
        return {"json": changed}
    return encoded(response.headers, _written(visitor, changed, found, "response body"))


def _answer(visitor: Visitor, name: str, status: int, found: Content, device: Device | None) -> Json:
    policy, value = visitor.run.policy, found.value
    place = "response body"
    visitor.run.section = "errors" if status >= HTTPStatus.BAD_REQUEST else f"endpoints.{name}.response"
    if status >= HTTPStatus.BAD_REQUEST:
        return walk(visitor, policy.errors, value, place)
    special = policy.special.get(name, "")
    if special == "jwks":
        return _key_set(visitor, value, place)
    if special == "events" and device is not None:
        return visitor.events(lambda: pump_logs(visitor, device, value, place, found.tables))
    if special == "records" and device is not None:
        from sanitizer.places.pumprecords import pump_records, records_of

        return visitor.events(lambda: pump_records(visitor, device, records_of(visitor.run.exchange, value), place).to_base64())
    return walk(visitor, policy.bodies.get((name, "response"), _NOTHING), value, place)


def meet(device: Device, special: str, exchange: int, found: Content) -> None:
    """Survey one answer's events."""
    value = found.value
    if special == "records":
        from sanitizer.places.pumprecords import records_of, survey_records

        survey_records(device, records_of(exchange, value))
    elif isinstance(value, dict):
        for name in LISTS:
            listed = value.get(name)
            if isinstance(listed, list):
                found.tables[name] = survey(device, listed, found.tables.get(name))


def _key_set(visitor: Visitor, value: Json, place: str) -> Json:
    from tfx.signing import jwks

    visitor.count("jwks", place)
    published = jwks()
    if not visitor.changes and value != published:
        visitor.note(place, "not the published key set")
    return published if visitor.changes else value


def _page(visitor: Visitor, name: str, response: Response | Stored, text: bytes) -> bytes:
    policy = visitor.run.policy
    word = policy.endpoint_pages.get(name, "page")
    if _BLOCKED in text:
        word = "blocked"
    elif response.status == HTTPStatus.NOT_FOUND:
        word = "missing"
    elif response.status >= HTTPStatus.BAD_REQUEST:
        word = "page"
    page = policy.pages[word].encode("utf-8")
    visitor.count("page", "response body")
    if visitor.changes:
        if text != page:
            visitor.run.unkept.numbers(text.decode("utf-8", "replace"))
        return encoded(response.headers, page)
    if text != page:
        visitor.note("response body", "a page that is not one of the literal ones")
    return encoded(response.headers, text)


def _written(visitor: Visitor, changed: Json, found: Content, place: str) -> bytes:
    if found.is_exact:
        return write(changed)
    if not visitor.changes:
        if all(writer(found.value) != found.text for writer in STYLES.values()):
            visitor.note(place, "JSON that is not written as the sanitizer writes it")
        return found.text
    return write(changed, nearest_style(found.text))
