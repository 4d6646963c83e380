"""The parts of a request that are compared, and the canonical key of its recorded responses. Pure.

Compared: method, scheme, host, port, path (segments percent-decoded), query (an ordered multimap: the order of values under one
name counts, the order of different names does not; `x` and `x=` differ), and the body by its content type. `bound.py` names the
values that differ in every run and are therefore replaced by a mark before anything is compared.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from replayer.matching.bound import BOUND, bound_names, dropped
from tandem.endpoints import Place, locate, plainly_spelled
from tfx.errors import CassetteError, FormatError
from tfx.exchange import Headers, Request, can_be_ignored
from tfx.jsonbody import Json, parse

__tracebackhide__ = True  # pytest --showlocals would print the live request

Pair = tuple[bytes, bytes | None]
Key = tuple[object, ...]

FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final[Callable[[Pair], bytes]] = itemgetter(0)
DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Address:
    """Where a request goes: its method and what stands before the query, taken apart."""

    method: str
    origin: str
    path: tuple[bytes, ...]
    place: Place | None


NOTHING_KNOWN: Final[Mapping[tuple[str, str], Address]] = MappingProxyType({})
"""Addresses known already, by method as sent and by what stands before the query: none."""


class Question:
    """A request taken apart; query and body when they are looked at, for most requests are found without."""

    __slots__ = ("_body", "_query", "_raw", "_request", "address")

    def __init__(self, request: Request, address: Address, query: str) -> None:
        self.address, self._request, self._raw = address, request, query
        self._query: tuple[Pair, ...] | None = None
        self._body: tuple[Pair, ...] | list[Json] | bytes | None = None

    @property
    def method(self) -> str:
        """In capitals."""
        return self.address.method

    @property
    def origin(self) -> str:
        """Scheme and host, and a port if it is an odd one."""
        return self.address.origin

    @property
    def path(self) -> tuple[bytes, ...]:
        """Its segments, percent-decoded."""
        return self.address.path

    @property
    def place(self) -> Place | None:
        """The endpoint it goes to."""
        return self.address.place

    @property
    def url(self) -> str | None:
        """As sent, if there is no body: then method and URL are all that is compared but for the verdict."""
        return None if self._request.body else self._request.url

    @property
    def headers(self) -> Headers:
        """As sent."""
        return self._request.headers

    @property
    def query(self) -> tuple[Pair, ...]:
        """Names and values in the order sent."""
        if self._query is None:
            self._query = pairs_of(self._raw.encode("utf-8", "surrogateescape"))
        return self._query

    @property
    def pieces(self) -> list[str]:
        """The query as sent, in pieces as long as `query`."""
        return self._raw.split("&") if self._raw else []

    @property
    def media(self) -> str:
        """The content type of the body, nothing without one."""
        return self.headers.get("content-type").partition(";")[0].strip().lower() if self._request.body else ""

    @property
    def body(self) -> tuple[Pair, ...] | list[Json] | bytes:
        """Pairs for a form, a one-element list for JSON, bytes for anything else."""
        if self._body is None:
            self._body = _body(self.media, self._request) if self._request.body else b""
        return self._body

    @property
    def endpoint(self) -> str:
        """The name of the endpoint it goes to, or nothing."""
        return self.address.place.endpoint.name if self.address.place else ""

    def with_query(self, query: str) -> "Question":
        """The same question with another query."""
        before, _, _ = self._request.url.partition("?")
        return Question(replace(self._request, url=f"{before}?{query}" if query else before), self.address, query)

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a query key, in order; a key without `=` counts as blank."""
        sought = name.encode()
        return tuple([text(value or b"") for key, value in self.query if key == sought])

    def form(self, name: str) -> str | None:
        """The first value of a form field."""
        pairs = self.body if isinstance(self.body, tuple) else ()
        return next((text(value or b"") for key, value in pairs if key == name.encode()), None)


def question_of(request: Request, known: Mapping[tuple[str, str], Address] = NOTHING_KNOWN) -> Question:
    """The request taken apart; a body that is not what its content type says stays bytes."""
    url = request.url
    before, _, query = url.partition("?")
    if "#" in url or not url.isprintable() or url[:1] == " ":  # what `urlsplit` takes away
        parts = urlsplit(url)
        before, query = parts._replace(query="", fragment="").geturl(), parts.query
    return Question(request, known.get((request.method, before)) or address(request.method, before), query)


def at_its_host(request: Request) -> Request:
    """The request at the host that its Host header names, if it has one: by that, not by the connection, a live one finds its site."""
    host = request.headers.get("host")
    if not host or request.url.startswith(f"https://{host}/"):
        return request
    parts = urlsplit(request.url)
    port = DEFAULT_PORTS.get(parts.scheme.lower(), "")
    named, mine = (one.lower().removesuffix(port) for one in (host, parts.netloc.rpartition("@")[2]))
    if named == mine:
        return request
    # Text that cannot be a host name belongs to no service.
    return replace(request, url=parts._replace(netloc=named if re.fullmatch(r"[\w.-]+(:\d+)?", named, re.ASCII) else "invalid").geturl())


def address(method: str, before: str) -> Address:
    """Where a request of this method goes, `before` being its URL without query and fragment."""
    parts = urlsplit(before)
    scheme = parts.scheme.lower()
    return Address(
        method=method.upper(),
        origin=f"{scheme}://{parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(scheme, ''))}",
        path=tuple([unquote_to_bytes(segment) for segment in (parts.path or "/").split("/")]),
        place=locate(method, plainly_spelled(before)),
    )


def pairs_of(data: bytes) -> tuple[Pair, ...]:
    """The names and values of a query or form, blanks and duplicates kept; None where there is no `=`."""
    return tuple(_pair(piece) for piece in data.split(b"&")) if data else ()


def _pair(piece: bytes) -> Pair:
    name, equals, value = piece.partition(b"=")
    return _plain(name), _plain(value) if equals else None


def _plain(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" ")) if b"%" in data or b"+" in data else data


def _body(media: str, request: Request) -> tuple[Pair, ...] | list[Json] | bytes:
    if media == FORM:
        return pairs_of(request.body)
    if media == "application/json" or media.endswith("+json"):
        try:
            return [parse(request.body)]
        except FormatError:
            return request.body
    if media.startswith("multipart/"):
        # The boundary is drawn anew in every run.
        found = re.search(r'boundary="?([^";]+)', request.headers.get("content-type"), re.IGNORECASE)
        # Only where a line begins with it, as RFC 2046 has it: a short boundary may well occur in a part.
        line = re.compile(rb"(^|\r\n)--" + re.escape(found.group(1).encode()) + rb"(?=(?:--)?[ \t]*(?:\r\n|\Z))") if found else None
        return line.sub(rb"\1--boundary", request.body) if line else request.body
    return request.body


def key(question: Question, ignore: Iterable[str] = (), *, verdict: str = "allowed") -> Key:
    """What decides which queue answers: equal keys are the same question. `verdict` is what `access.verdict` says of its headers."""
    ignored = frozenset(ignore)
    query = compared_pairs(question, question.query, "query", ignored)
    path: object = question.path if "path" not in ignored else ()
    if ignored and question.place and any(place.startswith("path.") for place in ignored):
        names = sorted(question.place.path_values)
        path = (question.endpoint, *(question.place.path_values[name] for name in names if f"path.{name}" not in ignored))
    media = "" if "header.content-type" in ignored else question.media
    return (question.method, question.origin, path, tuple(sorted(query, key=_NAME)), media, _body_key(question, ignored), verdict)


def compared_pairs(question: Question, pairs: tuple[Pair, ...], where: str, ignored: frozenset[str] = frozenset()) -> tuple[Pair, ...]:
    """The pairs that count, bound values replaced by a mark."""
    if where in ignored:
        return ()
    drop, bound = dropped(question.place, where), bound_names(question.place, where)
    if not (drop or bound or ignored):
        return pairs
    names = [text(name) for name, _ in pairs]
    # Twice is no longer what every client may do: which of the two the service takes, or that it refuses both, nobody recorded.
    drop = frozenset(name for name in drop if names.count(name) == 1)
    return tuple(
        (name, BOUND if value is not None and word in bound else value)
        for word, (name, value) in zip(names, pairs, strict=True)
        if word not in drop and f"{where}.{word}" not in ignored
    )


def compared_json(question: Question, ignored: frozenset[str] = frozenset()) -> Json:
    """The JSON body with ignored top-level members left out and bound values replaced by a mark (only text is bound)."""
    assert isinstance(question.body, list)
    value = question.body[0]
    if not isinstance(value, dict):
        return value
    bound = bound_names(question.place, "body")
    return {
        name: BOUND.decode() if isinstance(item, str) and name in bound else item
        for name, item in value.items()
        if f"body.{name}" not in ignored
    }


def _body_key(question: Question, ignored: frozenset[str]) -> object:
    if "body" in ignored:
        return b""
    if isinstance(question.body, tuple):
        return tuple(sorted(compared_pairs(question, question.body, "body", ignored), key=_NAME))
    if isinstance(question.body, list):
        # Text keeps apart what Python holds equal: 1, 1.0 and True.
        return json.dumps(compared_json(question, ignored), sort_keys=True)
    return question.body


def checked_ignore(ignore: tuple[str, ...], number: int) -> tuple[str, ...]:
    """The places an exchange loosens.

    Raises:
        CassetteError: a place that is never compared, so that the cassette promises something this replay does not do.
    """
    for place in ignore:
        if not can_be_ignored(place):
            raise CassetteError(
                f"exchange #{number} ignores a place that replay does not compare; name query, query.NAME, body, body.NAME, path, "
                "path.NAME or header.content-type"
            )
    return tuple(sorted(set(ignore)))


def text(data: bytes) -> str:
    """Bytes of a name or value as text, whatever they are."""
    return data.decode("utf-8", "backslashreplace")
