"""Cassette files: the only module that touches cassettes/.

A file is JSON in UTF-8 with the format version first. `digest` is the SHA-256 of the file with the digest itself left out, so a
truncated, hand-edited or badly merged file is named as such when it is loaded. Writing goes to a temporary file beside the old one,
then one rename: a crash leaves the old cassette whole.
"""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar, cast, get_args

from tfx import bodies
from tfx.cassette import FORMAT_VERSION, Cassette
from tfx.collecting import uncollected
from tfx.errors import CassetteError, FormatError, UsageError
from tfx.exchange import STRICT, Exchange, Headers, Repeat, Request, State, Terms
from tfx.jsonbody import DEEPEST, Json, lenient
from tfx.layout import lay_out
from tfx.stored import Stored, plain

SUFFIX: Final = ".json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}\Z")
_DIGEST = re.compile(rb'^ "digest": "sha256:([0-9a-f]{64})",$', re.MULTILINE)
_BLANK_DIGEST = "sha256:" + "0" * 64
Kind = TypeVar("Kind", str, int, list[Json], dict[str, Json])
_CLOCK = "%Y-%m-%dT%H:%M:%SZ"


def save(cassette: Cassette, folder: Path) -> Path:
    """Write `folder/NAME.json` whole or not at all, and say where it stands."""
    path = path_of(cassette.name, folder)
    data = dumps(cassette)
    try:
        _written(data, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def check_target(name: str, folder: Path) -> None:
    """See that a cassette of that name can be written there, before anything is recorded that would then have no place.

    Raises:
        UsageError: it cannot.
    """
    path = path_of(name, folder)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=f".{name}.", suffix=".tmp", dir=folder):
            pass
        for place in missing:  # deepest first: nothing is left of a try
            place.rmdir()
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise _unwritable(path, error) from None


def _written(data: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"the cassette {path} cannot be written: {error.strerror}; name a folder that can be with --cassettes")


def path_of(name: str, folder: Path) -> Path:
    """Where a cassette of that name stands.

    Raises:
        UsageError: the name would not be a plain file name everywhere.
    """
    # Raised for any name, the message quotes none: it may be a person's.
    if not _NAME.match(name):
        raise UsageError(
            "a cassette's name is lower-case letters, digits, dots, dashes and underscores, starting with a letter or digit, "
            "80 at most; it becomes a public file name, so it must not name a person either"
        )
    return folder / f"{name}{SUFFIX}"


def load(path: Path, *, edited: bool = False) -> Cassette:
    """The cassette in a file; `edited` takes one that was changed by hand, for the sanitizer to look over and seal anew.

    Raises:
        CassetteError: there is no such file, or it is not a whole, untouched cassette of a version this tfx reads.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise CassetteError(f"the cassette {path} {what}; record it with: tfx record {path.stem}") from None
    return loads(data, str(path), edited=edited)


def dumps(cassette: Cassette) -> bytes:
    """The file of a cassette: equal cassettes give equal bytes."""
    try:
        # A body that is plain is taken as it is; only its depth has not been looked at yet.
        return _sealed(_head_node(cassette, trusting=True), DEEPEST)
    except FormatError:
        return _sealed(_head_node(cassette, trusting=False), None)


def _head_node(cassette: Cassette, *, trusting: bool) -> Json:
    exchanges: list[Json] = [_exchange_node(exchange, trusting=trusting) for exchange in cassette.exchanges]
    return {
        "tfx_cassette": FORMAT_VERSION,
        "name": cassette.name,
        "era": cassette.era,
        "region": cassette.region,
        "clock": cassette.clock.astimezone(UTC).strftime(_CLOCK),
        "policy": {"version": cassette.policy, "values": cassette.values},
        "rules": dict(sorted(cassette.rules.items())),
        "counts": {"exchanges": len(exchanges), "rows": sum(_rows(exchange) for exchange in exchanges)},
        "digest": _BLANK_DIGEST,
        "exchanges": exchanges,
    }


def _sealed(head: Json, levels: int | None) -> bytes:
    blank = lay_out(head, levels)
    digest = hashlib.sha256(blank).hexdigest()
    return blank.replace(_BLANK_DIGEST.encode("ascii"), f"sha256:{digest}".encode("ascii"), 1)


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
        return _cassette(head, where, is_plain=is_plain)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        # Not chained: what the low-level error quotes may be what somebody put there.
        raise CassetteError(
            f"{where} does not follow the cassette schema (tfx/cassette.schema.json); restore it with: git checkout -- {where}"
        ) from None


def _head(data: bytes, where: str) -> tuple[dict[str, Json], bool]:
    if any(line in data for line in (b"\n<<<<<<< ", b"\n>>>>>>> ")) or data.startswith(b"<<<<<<< "):
        raise CassetteError(f"{where} holds merge conflict markers; take one side whole with: git checkout --theirs -- {where}")
    try:
        head, is_plain = lenient(data)
    except ValueError as error:
        cut = not data.rstrip().endswith(b"}")
        what = "is truncated: it ends in the middle" if cut else "is not JSON"
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
    digest = hashlib.sha256(data[: found.start(1)] + b"0" * 64)
    digest.update(memoryview(data)[found.end(1) :])
    if digest.hexdigest().encode("ascii") != found.group(1):
        raise CassetteError(
            f"{where} was changed after tfx wrote it (its digest does not match: a hand edit or a merge); "
            f"restore it with: git checkout -- {where}, or have the edit looked over and sealed with: tfx sanitize --edited {where}"
        )


def _cassette(head: dict[str, Json], where: str, *, is_plain: bool) -> Cassette:
    nodes = _a(list, head["exchanges"])
    counts = _a(dict, head["counts"])
    if _a(int, counts["exchanges"]) != len(nodes):
        raise CassetteError(f"{where} says it holds {counts['exchanges']} exchanges and holds {len(nodes)}: a bad merge; record it again")
    policy = _a(dict, head["policy"])
    return Cassette(
        name=_a(str, head["name"]),
        era=_a(str, head["era"]),
        region=_a(str, head["region"]),
        clock=datetime.strptime(_a(str, head["clock"]), _CLOCK).replace(tzinfo=UTC),
        policy=_a(int, policy["version"]),
        values=_a(str, policy["values"]),
        rules={rule: _a(int, count) for rule, count in _a(dict, head["rules"]).items()},
        exchanges=tuple(_exchange(_a(dict, node), is_plain=is_plain) for node in nodes),
    )


def _a(kind: type[Kind], value: object) -> Kind:
    """The value, seen to be of that JSON type (true and false are no numbers here). Raises TypeError, which `loads` puts into words."""
    if type(value) is not kind:
        raise TypeError
    return value


def _exchange_node(exchange: Exchange, *, trusting: bool) -> dict[str, Json]:
    request, stored = exchange.request, plain(exchange) if trusting else None
    response = stored or exchange.response
    body = stored.node if stored else bodies.body_node(response.headers, exchange.response.body)
    node: dict[str, Json] = {
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": _header_node(request.headers),
            "body": cast("Json", bodies.body_node(request.headers, request.body)),
        },
        "response": {
            "status": response.status,
            "reason": response.reason,
            "headers": _header_node(response.headers),
            "body": cast("Json", body),
        },
    }
    if exchange.terms != STRICT:
        terms = exchange.terms
        states: dict[str, Json] = {name: state for name, state in (("when", terms.when), ("then", terms.then)) if state}
        node["replay"] = {"repeat": terms.repeat, "ignore": list(terms.ignore), **states}
    return node


def _header_node(headers: Headers) -> list[Json]:
    # A length is a fact about the bytes on this machine's zlib; it is counted anew at load.
    return [[key, "" if key.lower() == "content-length" else value] for key, value in headers]


def _exchange(node: dict[str, Json], *, is_plain: bool) -> Exchange:
    sent, got = _a(dict, node["request"]), _a(dict, node["response"])
    headers = _headers(sent["headers"])
    body = bodies.body_bytes(headers, _a(dict, sent["body"]))
    request = Request(method=_a(str, sent["method"]), url=_a(str, sent["url"]), headers=headers.measured(str(len(body))), body=body)
    # The response is made when it is asked for; that it can be made is seen to now.
    status, lines, content = _a(int, got["status"]), _headers(got["headers"]), bodies.seen_to(_a(dict, got["body"]))
    if not 100 <= status <= 599:  # noqa: PLR2004  # the statuses HTTP has
        raise ValueError
    stored = Stored(
        status=status,
        reason=_a(str, got["reason"]),
        headers=lines.measured(""),
        node=content,
        is_plain=is_plain and len(content) == 1 and isinstance(content.get("json"), dict | list),
    )
    return Exchange(request=request, response=stored, terms=_terms(node.get("replay")))


def _terms(node: Json) -> Terms:
    if node is None:
        return STRICT
    terms = _a(dict, node)
    repeat, when, then = _a(str, terms["repeat"]), _a(str, terms.get("when", "")), _a(str, terms.get("then", ""))
    if repeat not in get_args(Repeat) or not {when, then} <= set(get_args(State)) or terms.keys() - {"repeat", "ignore", "when", "then"}:
        raise ValueError
    ignore = tuple(_a(str, place) for place in _a(list, terms["ignore"]))
    return Terms(repeat=cast("Repeat", repeat), ignore=ignore, when=cast("State", when), then=cast("State", then))


def _headers(node: Json) -> Headers:
    lines = [_a(list, line) for line in _a(list, node)]
    return Headers((_a(str, key), _a(str, value)) for key, value in lines)


def _rows(exchange: Json) -> int:
    response = cast("dict[str, dict[str, dict[str, Json]]]", exchange)["response"]
    return len(list(_row_nodes(response["body"])))


def _row_nodes(body: dict[str, Json]) -> Iterable[Json]:
    records = body.get("records")
    value = body.get("json")
    if isinstance(records, list):
        yield from records
    if isinstance(value, dict):
        for member in value.values():
            yield from member if isinstance(member, list) else ()


def _short(version: Json) -> str:
    return str(version) if isinstance(version, int) and not isinstance(version, bool) else "unknown"
