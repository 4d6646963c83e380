"""A cassette out of the bytes of its file, or only what the replay looks things up by. Pure but for the reading it is handed.

Read whole, every body is in memory as JSON. Read lightly (`skim`), each exchange is seen to as strictly, and then of its answer only the
head is kept and where it stands: the body is read again when somebody asks. That takes the layout tfx writes; any other file is
left to the whole reader, whose words for what is wrong with a file are the only ones.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Final, TypeVar, cast, get_args

from tfx import bodies
from tfx.cassette import FORMAT_VERSION, Cassette
from tfx.collecting import uncollected
from tfx.errors import CassetteError, FormatError
from tfx.exchange import STRICT, Exchange, Headers, Repeat, Request, State, Terms
from tfx.jsonbody import Json, lenient
from tfx.stored import Kept, Source, Stored

CLOCK: Final = "%Y-%m-%dT%H:%M:%SZ"
BLOCK: Final = 1 << 18
"""Bytes read at a time; the head of a file must fit into the first."""

_TOP: Final = 4096
"""In how many bytes from the start a cassette says that it is one."""
_DIGEST = re.compile(rb'^ "digest": "sha256:([0-9a-f]{64})",$', re.MULTILINE)
_NO_DIGEST: Final = b"0" * 64
_OPENING: Final = b'\n "exchanges": [\n  {'
_BETWEEN: Final = b",\n  {"
_CLOSING: Final = b"\n ]\n}\n"
# What the parts of a node of another shape than the schema's make of themselves.
_MISSHAPEN: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
_REPEATS: Final = frozenset(get_args(Repeat))
_STATES: Final = frozenset(get_args(State))
_TERMS: Final = frozenset({"repeat", "ignore", "when", "then"})
Kind = TypeVar("Kind", str, int, list[Json], dict[str, Json])


@uncollected()
def loads(data: bytes, where: str, *, edited: bool = False) -> Cassette:
    """The cassette in these bytes; `where` names them in errors, `edited` as for `load`.

    Raises:
        CassetteError: see `load`.
    """
    head, is_plain = _head(data, where)
    if not edited:
        _same_digest(data, where)
    try:
        nodes, shared = _a(list, head["exchanges"]), _Shared()
        if not edited and _count(head) != len(nodes):  # who puts an exchange in by hand need not count
            raise CassetteError(
                f"{where} holds {len(nodes)} exchanges, and its counts.exchanges says otherwise: a bad merge; record it again"
            )
        return _cassette(head, tuple(_exchange(node, shared, is_plain=is_plain) for node in nodes))
    except _MISSHAPEN:
        # Not chained: what the low-level error quotes may be what somebody put there.
        raise CassetteError(
            f"{where} does not follow the cassette schema (tfx/cassette.schema.json); restore it with: git checkout -- {where}"
        ) from None


@uncollected()
def skim(read: Callable[[int], bytes], source: Source) -> Cassette | None:
    """The cassette whose file `read` gives piece by piece, answers left in the file; None if anything at all is not as tfx writes it.

    `source` gives the bytes between two places of the same file, later on.
    """
    shared, exchanges = _Shared(), []
    try:
        file = _pieces(read)
        _, top = next(file)
        head, _ = lenient(top)
        for at, piece in file:
            node, is_plain = lenient(piece)
            exchange = _exchange(cast("Json", node), shared, is_plain=is_plain)
            stored = cast("Stored", exchange.unmade)
            kept = Kept(
                status=stored.status,
                reason=stored.reason,
                headers=stored.headers,
                source=source,
                start=at,
                end=at + len(piece),
                is_plain=stored.is_plain,
            )
            exchanges.append(Exchange(request=exchange.request, response=kept, terms=exchange.terms))
        if not isinstance(head, dict) or head["tfx_cassette"] != FORMAT_VERSION or _count(head) != len(exchanges):
            return None
        return _cassette(head, tuple(exchanges))
    except (*_MISSHAPEN, CassetteError, FormatError, RecursionError, StopIteration):
        return None


def _pieces(read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """The file's head without its exchanges, then each of them with the place where it begins. A line break stands in no JSON text.

    Raises:
        ValueError: the file is laid out otherwise, or its digest is not its own.
    """
    first = read(BLOCK)
    top, opening, rest = first.partition(_OPENING)
    found = _DIGEST.search(top)
    if not opening or not found:
        raise ValueError
    digest = hashlib.sha256(first[: found.start(1)] + _NO_DIGEST + first[found.end(1) :])

    def more() -> bytes:
        block = read(BLOCK)
        digest.update(block)
        return block

    yield 0, top + b'\n "exchanges": []\n}'
    at, held, tail = len(top) + len(opening) - 1, [b"{"], b""
    for block in chain([rest], iter(more, b"")):
        *whole, tail = (tail + block).split(_BETWEEN)
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


def _head(data: bytes, where: str) -> tuple[dict[str, Json], bool]:
    if any(line in data for line in (b"\n<<<<<<< ", b"\n>>>>>>> ")) or data.startswith(b"<<<<<<< "):
        raise CassetteError(f"{where} holds merge conflict markers; take one side whole with: git checkout --theirs -- {where}")
    try:
        head, is_plain = lenient(data)
    except ValueError as error:
        if b'"tfx_cassette"' not in data[:_TOP]:
            what = "is empty" if not data.strip() else "is no cassette: it is not JSON"
            raise CassetteError(f"{where} {what}; name a cassette, or record one with: tfx record NAME") from error
        cut = not data.rstrip().endswith(b"}")
        what = "is truncated: it ends in the middle" if cut else "is not JSON"
        if type(error) is ValueError and "digits" in str(error):
            what = "holds a number of more digits than a program reads"
        raise CassetteError(f"{where} {what}; restore it with: git checkout -- {where}") from error
    except RecursionError as error:
        raise CassetteError(f"{where} nests too deep to be a cassette") from error
    if not isinstance(head, dict) or "tfx_cassette" not in head:
        raise CassetteError(f"{where} is not a tfx cassette; to make one of a vcrpy cassette or HAR file: tfx sanitize {where}")
    if head["tfx_cassette"] != FORMAT_VERSION:
        raise CassetteError(
            f"{where} is a cassette of format version {_short(head['tfx_cassette'])}, and this tfx reads version {FORMAT_VERSION}; "
            f"migrate it with the tfx that reads it: pip install --upgrade tandem-tfx && tfx sanitize {where}"
        )
    return cast("dict[str, Json]", head), is_plain


def _same_digest(data: bytes, where: str) -> None:
    found = _DIGEST.search(data)
    if found is None:
        raise CassetteError(f"{where} carries no digest on a line of its own; restore it with: git checkout -- {where}")
    digest = hashlib.sha256(data[: found.start(1)] + _NO_DIGEST)
    digest.update(memoryview(data)[found.end(1) :])
    if digest.hexdigest().encode("ascii") != found.group(1):
        raise CassetteError(
            f"{where} was changed after tfx wrote it (its digest does not match: a hand edit or a merge); "
            f"restore it with: git checkout -- {where}, or have the edit looked over and sealed with: tfx sanitize --edited {where}"
        )


def _count(head: dict[str, Json]) -> int:
    return _a(int, _a(dict, head["counts"])["exchanges"])


def _cassette(head: dict[str, Json], exchanges: tuple[Exchange, ...]) -> Cassette:
    policy = _a(dict, head["policy"])
    return Cassette(
        name=_a(str, head["name"]),
        era=_a(str, head["era"]),
        region=_a(str, head["region"]),
        clock=datetime.strptime(_a(str, head["clock"]), CLOCK).replace(tzinfo=UTC),
        policy=_a(int, policy["version"]),
        values=_a(str, policy["values"]),
        rules={rule: _a(int, count) for rule, count in _a(dict, head["rules"]).items()},
        exchanges=exchanges,
    )


def _a(kind: type[Kind], value: object) -> Kind:
    """The value, seen to be of that JSON type (true and false are no numbers here). Raises TypeError, which `loads` puts into words."""
    if type(value) is not kind:
        raise TypeError
    return value


class _Shared:
    """Header lines and terms that many exchanges of a cassette have in common, made once."""

    __slots__ = ("_headers", "_terms")

    def __init__(self) -> None:
        self._headers: dict[tuple[str, tuple[tuple[str, str], ...]], Headers] = {}
        self._terms: dict[Terms, Terms] = {STRICT: STRICT}

    def headers(self, node: Json, length: str) -> Headers:
        """The lines, the length they tell being this."""
        lines = tuple([(_a(str, name), _a(str, value)) for name, value in [_a(list, line) for line in _a(list, node)]])
        found = self._headers.get((length, lines))
        if found is None:
            found = self._headers[length, lines] = Headers(lines).measured(length)
        return found

    def terms(self, node: Json) -> Terms:
        """The terms, if any are told."""
        found = _terms(node)
        return self._terms.setdefault(found, found)


def _exchange(value: Json, shared: _Shared, *, is_plain: bool) -> Exchange:
    node = _a(dict, value)
    sent, got = _a(dict, node["request"]), _a(dict, node["response"])
    body = _a(dict, sent["body"])
    wire = bodies.body_bytes(shared.headers(sent["headers"], ""), body) if body else b""
    headers = shared.headers(sent["headers"], str(len(wire)))
    request = Request(method=_a(str, sent["method"]), url=_a(str, sent["url"]), headers=headers, body=wire)
    # The response is made when it is asked for; that it can be made is seen to now.
    status, content = _a(int, got["status"]), bodies.seen_to(_a(dict, got["body"]))
    if not 100 <= status <= 599:  # noqa: PLR2004  # the statuses HTTP has
        raise ValueError
    stored = Stored(
        status=status,
        reason=_a(str, got["reason"]),
        headers=shared.headers(got["headers"], ""),
        node=content,
        is_plain=is_plain and len(content) == 1 and isinstance(content.get("json"), dict | list),
    )
    return Exchange(request=request, response=stored, terms=shared.terms(node.get("replay")))


def _terms(node: Json) -> Terms:
    if node is None:
        return STRICT
    terms = _a(dict, node)
    repeat, when, then = _a(str, terms["repeat"]), _a(str, terms.get("when", "")), _a(str, terms.get("then", ""))
    if repeat not in _REPEATS or when not in _STATES or then not in _STATES or terms.keys() - _TERMS:
        raise ValueError
    ignore = tuple(_a(str, place) for place in _a(list, terms["ignore"]))
    return Terms(repeat=cast("Repeat", repeat), ignore=ignore, when=cast("State", when), then=cast("State", then))


def _short(version: Json) -> str:
    """A version as it may be shown: a longer number may be anything somebody put there."""
    return str(version) if type(version) is int and 0 <= version <= _MOST_VERSIONS else "unknown to anybody"


_MOST_VERSIONS: Final = 99
