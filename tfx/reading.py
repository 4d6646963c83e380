"""Read a whole cassette from the bytes of its file. Pure."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeVar, cast

from tfx import bodies, rows
from tfx.cassette import FORMAT_VERSION, Cassette
from tfx.collecting import uncollected
from tfx.errors import CassetteError
from tfx.exchange import STRICT, Exchange, Headers, Request, Terms
from tfx.jsonbody import Json, lenient
from tfx.rows import Rows
from tfx.stored import Stored
from tfx.tables import Table
from tfx.terms import TermsError, check_members, terms_of

CLOCK: Final = "%Y-%m-%dT%H:%M:%SZ"
_TOP: Final = 4096
"""In how many bytes from the start a cassette says that it is one."""
DIGEST = re.compile(rb'^ "digest": "sha256:([0-9a-f]{64})",$', re.MULTILINE)
NO_DIGEST: Final = b"0" * 64
# What the parts of a node of another shape than the schema's make of themselves.
MISSHAPEN: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
Tables = Mapping[int, Table]
"""Lists of rows taken apart, by the `id` of the list."""
_NO_TABLES: Final[Tables] = MappingProxyType({})
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
    return _cassette(head, where, is_plain=is_plain, edited=edited)


@uncollected()
def loads_in_pieces(data: bytes) -> tuple[Cassette, list[Rows]] | None:
    """The cassette in these bytes, with its long lists taken apart; None if one of these is not as `dumps` writes it, or it has no digest.

    It is theirs if they are what `dumps` gives for it, which is left to be seen: then the quick reader has overlooked nothing.

    Raises:
        CassetteError, FormatError, RecursionError, or one of `MISSHAPEN`: not as `loads`, which says what is wrong.
    """
    found = rows.read(data)
    if found is None:
        return None
    head, lists = cast("dict[str, Json]", found[0]), found[1]
    _same_digest(data, "")
    if head["tfx_cassette"] != FORMAT_VERSION:
        return None
    return _cassette(head, "", is_plain=True, edited=False, tables={id(one.table.rows): one.table for one in lists}), lists


def _cassette(head: dict[str, Json], where: str, *, is_plain: bool, edited: bool, tables: Tables = _NO_TABLES) -> Cassette:
    try:
        nodes, shared = _a(list, head["exchanges"]), Shared(tables)
        if not edited and count(head) != len(nodes):  # who puts an exchange in by hand need not count
            raise CassetteError(
                f"{where} holds {len(nodes)} exchanges, and its counts.exchanges says otherwise: a bad merge; record it again"
            )
        return cassette_of(
            head, tuple(_exchange_at(place, node, shared, where, is_plain=is_plain, edited=edited) for place, node in enumerate(nodes, 1))
        )
    except MISSHAPEN:
        # Not chained: what the low-level error quotes may be what somebody put there.
        raise CassetteError(
            f"{where} does not follow the cassette schema (tfx/cassette.schema.json); restore it with: git checkout -- {where}"
        ) from None


def _exchange_at(place: int, node: Json, shared: "Shared", where: str, *, is_plain: bool, edited: bool) -> Exchange:
    try:
        if edited:  # a file with a digest was written by tfx, or is looked at by --check
            check_members(node)
        return exchange_of(node, shared, is_plain=is_plain)
    except TermsError as error:
        raise CassetteError(
            f"{where}: exchange #{place}, {error}. Put it right, or restore the file with: git checkout -- {where}"
        ) from None
    except CassetteError:
        raise CassetteError(
            f"{where}: a body of exchange {place} is of no form this tfx knows (a record that is no hex, or empty, for one); "
            f"restore the file with: git checkout -- {where}"
        ) from None


def _head(data: bytes, where: str) -> tuple[dict[str, Json], bool]:
    try:
        head, is_plain = lenient(data)
    except ValueError as error:
        if any(line in data for line in (b"\n<<<<<<< ", b"\n>>>>>>> ")) or data.startswith(b"<<<<<<< "):
            raise CassetteError(
                f"{where} holds merge conflict markers; take one side whole with: git checkout --theirs -- {where}"
            ) from None
        if b'"tfx_cassette"' not in data[:_TOP]:
            what = "is empty" if not data.strip() else "is not a cassette: it is not JSON"
            raise CassetteError(f"{where} {what}; name a cassette, or record one with: tfx record NAME") from error
        cut = not data.rstrip().endswith(b"}")
        what = "is truncated: it ends in the middle" if cut else "is not JSON"
        if type(error) is ValueError and "digits" in str(error):
            what = "holds a number of more digits than a program reads"
        raise CassetteError(f"{where} {what}; restore it with: git checkout -- {where}") from error
    except RecursionError as error:
        raise CassetteError(f"{where} nests too deep to be a cassette") from error
    if not isinstance(head, dict) or "tfx_cassette" not in head:
        raise CassetteError(
            f"{where} is not a tfx cassette; of a HAR file (an object with log) or vcrpy cassette (one with version and interactions) "
            f"one is made with: tfx sanitize {where} --output cassettes"
        )
    if head["tfx_cassette"] != FORMAT_VERSION:
        raise CassetteError(
            f"{where} is a cassette of format version {_short(head['tfx_cassette'])}, and this tfx reads version {FORMAT_VERSION}; "
            f"migrate it with the tfx that reads it: pip install --upgrade tandem-tfx && tfx sanitize {where}"
        )
    return cast("dict[str, Json]", head), is_plain


def digest_of(data: bytes) -> str:
    """The digest a file says it has; empty for none."""
    found = DIGEST.search(data)
    return f"sha256:{found.group(1).decode('ascii')}" if found else ""


def _same_digest(data: bytes, where: str) -> None:
    found = DIGEST.search(data)
    if found is None and b'\r\n "digest"' in data:
        raise CassetteError(
            f"{where} was checked out with other line ends (CRLF), which its digest excludes; put '*.json -text' into .gitattributes, "
            f"remove the file, and then: git checkout -- {where}"
        )
    if found is None:
        raise CassetteError(f"{where} carries no digest on a line of its own; restore it with: git checkout -- {where}")
    digest = hashlib.sha256(data[: found.start(1)] + NO_DIGEST)
    digest.update(memoryview(data)[found.end(1) :])
    if digest.hexdigest().encode("ascii") != found.group(1):
        raise CassetteError(
            f"{where} was changed after tfx wrote it (its digest does not match: a hand edit or a merge); "
            f"restore it with: git checkout -- {where}, or have the edit looked over and sealed with: tfx sanitize --edited {where}"
        )


def count(head: dict[str, Json]) -> int:
    """How many exchanges the head says there are. Raises one of `MISSHAPEN`, as those below do."""
    return _a(int, _a(dict, head["counts"])["exchanges"])


def cassette_of(head: dict[str, Json], exchanges: tuple[Exchange, ...]) -> Cassette:
    """What the head of a file says, and these exchanges."""
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


class Shared:
    """Header lines and terms that many exchanges of a cassette have in common, made once; and lists that are taken apart already."""

    __slots__ = ("_headers", "_tables", "_terms")

    def __init__(self, tables: Tables = _NO_TABLES) -> None:
        self._tables = tables
        self._headers: dict[tuple[str, tuple[tuple[str, str], ...]], Headers] = {}
        self._terms: dict[Terms, Terms] = {STRICT: STRICT}

    def headers(self, node: Json, length: str) -> Headers:
        """The lines, the length they tell being this."""
        return self._measured(
            tuple([(_a(str, name), _a(str, value)) for name, value in [_a(list, line) for line in _a(list, node)]]), length
        )

    def measured(self, headers: Headers, length: str) -> Headers:
        """The same, of lines that are made already."""
        return self._measured(tuple(headers), length)

    def _measured(self, lines: tuple[tuple[str, str], ...], length: str) -> Headers:
        found = self._headers.get((length, lines))
        if found is None:
            found = self._headers[length, lines] = Headers(lines).measured(length)
        return found

    def tables(self, node: Json) -> Mapping[str, Table]:
        """Those lists of a body's JSON that are taken apart, by name."""
        if not self._tables or not isinstance(node, dict):
            return {}
        return {name: self._tables[id(item)] for name, item in node.items() if id(item) in self._tables}

    def terms(self, node: Json) -> Terms:
        """The terms, if there are any."""
        found = terms_of(node)
        return self._terms.setdefault(found, found)


def exchange_of(value: Json, shared: Shared, *, is_plain: bool) -> Exchange:
    """The exchange of a node; `is_plain`: the quick reader has read it. Its response is a `Stored`."""
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
        tables=shared.tables(content.get("json")),
    )
    return Exchange(request=request, response=stored, terms=shared.terms(node.get("replay")))


def _short(version: Json) -> str:
    """A version as it may be shown: a longer number may be anything somebody put there."""
    return str(version) if type(version) is int and 0 <= version <= _MOST_VERSIONS else "unknown to anybody"


_MOST_VERSIONS: Final = 99
