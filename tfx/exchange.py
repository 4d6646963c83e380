"""One request and the response it got. Pure; nothing here prints what it holds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self

Repeat = Literal["once", "last", "cycle"]
State = Literal["", "start", "signed-in", "signed-out", "expired", "limited", "failing", "recovered", "changed", "second", "third", "last"]
"""Names of the states a replay can be in, so that no name of anybody's own stands in a file; a replay begins in `start`."""


class Headers:
    """Header lines in wire order: names keep their case, look-up ignores it, duplicates stay apart."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items: tuple[tuple[str, str], ...] = tuple(items)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in [key.lower() for key, _ in self._items]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Headers({len(self._items)})"

    def get(self, name: str, default: str = "") -> str:
        """The first value under this name, or the default."""
        sought = name.lower()
        for key, value in self._items:  # no generator: asked several times for every request
            if key.lower() == sought:
                return value
        return default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value under this name, in order: Set-Cookie comes as several lines."""
        return tuple(value for key, value in self._items if key.lower() == name.lower())

    def without(self, *names: str) -> Self:
        """The lines under other names."""
        drop = {name.lower() for name in names}
        return type(self)((key, value) for key, value in self._items if key.lower() not in drop)

    def replacing(self, name: str, value: str) -> Self:
        """The same lines with this name's first value replaced, or appended where there was none; duplicates of it go."""
        kept: list[tuple[str, str]] = []
        done = False
        for key, old in self._items:
            if key.lower() != name.lower():
                kept.append((key, old))
            elif not done:
                kept.append((key, value))
                done = True
        return type(self)(kept if done else [*kept, (name, value)])

    def measured(self, length: str) -> Self:
        """The same lines with this length, if they have one: once, however often it was there."""
        return self.replacing("Content-Length", length) if "content-length" in self else self


NO_HEADERS = Headers()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Request:
    """What a client sent: the absolute URL as it went over the wire, and the body as bytes."""

    method: str
    url: str
    headers: Headers = NO_HEADERS
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.headers)} headers, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Response:
    """What the service answered.

    `body` is the wire body after chunked framing was taken off and before any Content-Encoding was undone;
    `tfx.codec.decoded` gives the bytes a client sees.
    """

    status: int
    reason: str = ""
    headers: Headers = NO_HEADERS
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.headers)} headers, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How replay may use an exchange: everything beyond "once, strictly" is named here and visible in the file.

    `repeat`: `once` (exhausted is an error), `last` (the last of its kind answers for ever), `cycle` (start again).
    `ignore`: request places that are not compared, such as `query.endDate` or `body`; see `can_be_ignored`.
    `when`: the state in which it answers (nothing: in any); `then`: the state its answer leads to (nothing: it stays). Exchanges of the
    state there is come before those of any: after a 429 that leads to `limited`, the one that answers when `limited`.
    """

    repeat: Repeat = "once"
    ignore: tuple[str, ...] = ()
    when: State = ""
    then: State = ""


STRICT = Terms()

IGNORED_WHOLE: Final = frozenset({"query", "body", "path", "header.content-type"})
IGNORED_BY_NAME: Final = frozenset({"query", "body", "path"})
"""Places `Terms.ignore` may name, and those of which it may name one member (`query.endDate`, a form's fields as `body.code`)."""


def can_be_ignored(place: str) -> bool:
    """Whether replay compares this place, so that it can be ignored; other headers are never compared."""
    part, point, name = place.partition(".")
    return place in IGNORED_WHOLE or (part in IGNORED_BY_NAME and bool(point and name))


class Maker(Protocol):
    """Makes a response when called; `may_be_kept`: the exchange may hold it from then on, and need not ask again."""

    @property
    def status(self) -> int:
        """The status of the response, known before it is made."""

    @property
    def may_be_kept(self) -> bool:
        """Whether it is made once only."""

    def __call__(self) -> Response:
        """The response."""


class Exchange:
    """One request and its response; a redirect is an exchange of its own. The response may be made when it is asked for."""

    __slots__ = ("_make", "_response", "request", "terms")

    def __init__(
        self,
        *,
        request: Request,
        response: Response | Maker,
        terms: Terms = STRICT,
    ) -> None:
        self.request = request
        self.terms = terms
        self._response: Response | None = response if isinstance(response, Response) else None
        self._make = None if isinstance(response, Response) else response

    @property
    def response(self) -> Response:
        """What the service answered."""
        if self._response is not None:
            return self._response
        assert self._make is not None
        made = self._make()
        if self._make.may_be_kept:
            self._response, self._make = made, None
        return made

    @property
    def status(self) -> int:
        """The status of the response; nothing is made for it."""
        known = self._response or self._make
        assert known is not None
        return known.status

    @property
    def unmade(self) -> Maker | None:
        """What makes the response, as long as nobody has asked for it."""
        return self._make

    def replacing(self, *, request: Request | None = None, response: Response | None = None) -> Self:
        """The same exchange with another request or response."""
        return type(self)(request=request or self.request, response=response or self.response, terms=self.terms)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Exchange) and self.request == other.request and self.response == other.response and self.terms == other.terms
        )

    def __hash__(self) -> int:
        return hash((self.request, self.terms))

    def __repr__(self) -> str:
        return f"Exchange({self.request.method}, {len(self.request.body)} bytes out)"
