"""A response in a cassette file: its body as a node, turned into bytes on request. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, cast

import orjson

from tfx import bodies
from tfx.bodies import Node
from tfx.errors import CassetteError
from tfx.exchange import Exchange, Headers, Response
from tfx.jsonbody import Json, lenient
from tfx.layout import closed_up
from tfx.shelf import Shelf
from tfx.tables import Table

Source = Callable[[int, int], bytes]
"""The bytes of a file between two places."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stored:
    """Makes the response when called.

    `is_plain`: the node is `{"json": ...}` over an array or object that the quick reader has read or the rules have made of such a one,
    and that is written compactly. Then it is the very node the bytes would give, and nobody has to make them to know what they hold.
    `tables` are lists of rows of it that are taken apart already, by name.
    """

    may_be_kept: ClassVar[bool] = True

    status: int
    reason: str
    headers: Headers
    node: Node
    is_plain: bool = False
    tables: Mapping[str, Table] = field(default_factory=dict, compare=False)

    def __call__(self) -> Response:
        """The response, with the length of its body if it has one."""
        wire = bodies.body_bytes(self.headers, self.node)
        return Response(status=self.status, reason=self.reason, headers=self.headers.measured(str(len(wire))), body=wire)

    def __repr__(self) -> str:
        return f"Stored({self.status}, {len(self.headers)} headers)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Kept:
    """Makes the response when called, out of the file: in memory is only where the exchange stands in it. `is_plain` as for `Stored`."""

    may_be_kept: ClassVar[bool] = False

    status: int
    reason: str
    headers: Headers
    source: Source
    shelf: Shelf
    start: int
    end: int
    is_plain: bool
    is_coded: bool

    def __call__(self) -> Response:
        """The response, read and made anew unless the shelf has it."""
        # Compressing takes a hundred times as long as all else, and the result is small.
        return self.shelf.answer(self.start, self._made, at_once=self.is_coded)

    def _made(self) -> Response:
        return self.stored()()

    def stored(self) -> Stored:
        """The same with its body in memory.

        Raises:
            CassetteError: the file is no more what it was.
        """
        try:
            piece = self.source(self.start, self.end)
            exchange = cast("dict[str, dict[str, Node]]", orjson.loads(piece) if self.is_plain else lenient(piece)[0])
            node = exchange["response"]["body"]
        except (ValueError, KeyError, TypeError):
            raise CassetteError(_CHANGED) from None
        return Stored(status=self.status, reason=self.reason, headers=self.headers, node=node, is_plain=self.is_plain)

    def __repr__(self) -> str:
        return f"Kept({self.status}, {len(self.headers)} headers)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Laid:
    """Makes the response when called, out of the lines of its JSON in the file: nothing is parsed. For bodies that are plain and not coded.

    `headers` tell the length already.
    """

    may_be_kept: ClassVar[bool] = False
    is_plain: ClassVar[bool] = True

    status: int
    reason: str
    headers: Headers
    source: Source
    shelf: Shelf
    start: int
    end: int

    def __call__(self) -> Response:
        """The response, read and made anew unless the shelf has it."""
        return self.shelf.answer(self.start, self._made)

    def _made(self) -> Response:
        body = closed_up(self.source(self.start, self.end))
        return Response(status=self.status, reason=self.reason, headers=self.headers, body=body)

    def stored(self) -> Stored:
        """The same with its body in memory.

        Raises:
            CassetteError: the file is no more what it was.
        """
        try:
            value: Json = orjson.loads(self.source(self.start, self.end))
        except ValueError:
            raise CassetteError(_CHANGED) from None
        return Stored(status=self.status, reason=self.reason, headers=self.headers, node={"json": value}, is_plain=True)

    def __repr__(self) -> str:
        return f"Laid({self.status}, {len(self.headers)} headers)"


_CHANGED = "a cassette was changed while it was being played; start again"


def plain(exchange: Exchange) -> Stored | None:
    """What an exchange's response is made of, if it has not been made yet and is plain."""
    made = exchange.unmade
    if not isinstance(made, Stored | Kept | Laid) or not made.is_plain:
        return None
    return made if isinstance(made, Stored) else made.stored()
