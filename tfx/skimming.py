"""Read a cassette file without keeping bodies: only what replay needs for look-up. Pure, apart from the reading it is handed.

Each exchange is validated as strictly as when the file is read whole (`reading.py`); then only the head of its response is kept, and the
position of the body, which is read again on request. This needs the layout that tfx writes; any other file is read whole, and all error
messages come from there.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, cast

from tfx.cassette import FORMAT_VERSION, Cassette
from tfx.collecting import uncollected
from tfx.errors import CassetteError, FormatError
from tfx.exchange import STRICT, Exchange
from tfx.jsonbody import Json, lenient
from tfx.layout import length_closed_up
from tfx.reading import DIGEST, MISSHAPEN, NO_DIGEST, Shared, cassette_of, count, exchange_of
from tfx.shelf import Shelf
from tfx.stored import Kept, Laid, Source, Stored

BLOCK: Final = 1 << 18
"""Bytes read at a time; the head of a file must fit into the first."""

_OPENING: Final = b'\n "exchanges": [\n  {'
_BETWEEN: Final = b",\n  {"
_CUT = re.compile(re.escape(_BETWEEN))  # twice as fast as `bytes.split`
_CLOSING: Final = b"\n ]\n}\n"
_ANSWER: Final = b'\n   "response": {\n'
_ANSWER_CLOSING: Final = b"\n   }\n  }"
_TERMS: Final = b'\n   },\n   "replay": '
_BODY = re.compile(rb'\n    "body": \{(?:(\n     )"json": |"json":)')
_BODY_CLOSING: Final = b"\n    }"
_SHORT_BODY_CLOSING: Final = b"}"
_BODY_INDENT: Final = 5


@uncollected()
def skim(read: Callable[[int], bytes], source: Source) -> Cassette | None:
    """The cassette whose file `read` gives piece by piece, answers left in the file; None if anything at all is not as tfx writes it.

    `source` gives the bytes between two places of the same file, later on.
    """
    book, exchanges = _Book(source), []
    try:
        file = _pieces(read)
        _, top = next(file)
        head, _ = lenient(top)
        for at, piece in file:
            node, is_plain = lenient(piece)
            exchange = exchange_of(cast("Json", node), book.shared, is_plain=is_plain)
            kept = book.laid(exchange, at, piece) or book.kept(exchange, at, at + len(piece))
            exchanges.append(Exchange(request=exchange.request, response=kept, terms=exchange.terms))
        if not isinstance(head, dict) or head["tfx_cassette"] != FORMAT_VERSION or count(head) != len(exchanges):
            return None
        return cassette_of(head, tuple(exchanges))
    except (*MISSHAPEN, CassetteError, FormatError, RecursionError, StopIteration):
        return None


class _Book:
    """Where the responses of one file stand."""

    __slots__ = ("_shelf", "_source", "shared")

    def __init__(self, source: Source) -> None:
        self._source, self._shelf, self.shared = source, Shelf(), Shared()

    def kept(self, exchange: Exchange, start: int, end: int) -> Kept:
        """The response of the exchange that stands between these places, to be made of all that is there."""
        stored = cast("Stored", exchange.unmade)
        return Kept(
            status=stored.status,
            reason=stored.reason,
            headers=stored.headers,
            source=self._source,
            shelf=self._shelf,
            start=start,
            end=end,
            is_plain=stored.is_plain,
            is_coded="content-encoding" in stored.headers,
        )

    def laid(self, exchange: Exchange, at: int, piece: bytes) -> Laid | None:
        """The response of the exchange whose text begins at `at`, to be made of the lines of its body; None if these would not give it."""
        stored = cast("Stored", exchange.unmade)
        if not stored.is_plain or "content-encoding" in stored.headers:
            return None
        place = _body(piece, has_terms=exchange.terms is not STRICT)
        length = length_closed_up(stored.node["json"], piece[slice(*place)], _BODY_INDENT) if place else None
        if not place or not length:
            return None
        return Laid(
            status=stored.status,
            reason=stored.reason,
            headers=self.shared.measured(stored.headers, str(length)),
            source=self._source,
            shelf=self._shelf,
            start=at + place[0],
            end=at + place[1],
        )


def _body(piece: bytes, *, has_terms: bool) -> tuple[int, int] | None:
    """Where in the text of an exchange the JSON of the answer's body begins and ends."""
    opening = _BODY.search(piece, max(0, piece.find(_ANSWER)))
    end = piece.rfind(_TERMS) if has_terms else len(piece) - len(_ANSWER_CLOSING)
    closing = _BODY_CLOSING if opening and opening.group(1) else _SHORT_BODY_CLOSING
    return (opening.end(), end - len(closing)) if opening and piece.startswith(closing, end - len(closing)) else None


def _pieces(read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """The file's head without its exchanges, then each of them with the place where it begins. A line break stands in no JSON text.

    Raises:
        ValueError: the file is laid out otherwise, or its digest is not its own.
    """
    first = read(BLOCK)
    top, opening, rest = first.partition(_OPENING)
    found = DIGEST.search(top)
    if not opening or not found:
        raise ValueError
    digest = hashlib.sha256(first[: found.start(1)] + NO_DIGEST + first[found.end(1) :])

    def more() -> bytes:
        block = read(BLOCK)
        digest.update(block)
        return block

    yield 0, top + b'\n "exchanges": []\n}'
    at, held, tail = len(top) + len(opening) - 1, [b"{"], b""
    for block in chain([rest], iter(more, b"")):
        *whole, tail = _CUT.split(tail + block)
        for part in whole:
            piece = b"".join((*held, part))
            yield at, piece
            at, held = at + len(piece) - 1 + len(_BETWEEN), [b"{"]
        # The end of a block may cut what lies between two exchanges.
        held.append(tail[: -len(_BETWEEN)])
        tail = tail[-len(_BETWEEN) :]
    last = b"".join((*held, tail))
    yield at, last.removesuffix(_CLOSING)
    if not last.endswith(_CLOSING) or digest.hexdigest().encode("ascii") != found.group(1):
        raise ValueError
