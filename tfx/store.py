"""Cassette files: the only module that touches cassettes/.

A file is JSON in UTF-8 with the format version first. `digest` is the SHA-256 of the file with the digest itself left out, so a
truncated, hand-edited or badly merged file is named as such when it is loaded. Writing goes to a temporary file beside the old one,
then one rename: a crash leaves the old cassette whole.
"""

import errno
import hashlib
import io
import json
import os
import re
import stat
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Final, cast

from tfx import bodies
from tfx.cassette import FORMAT_VERSION, Cassette
from tfx.errors import CassetteError, FormatError, TfxError, UsageError
from tfx.exchange import STRICT, Exchange, Headers
from tfx.jsonbody import DEEPEST, Json
from tfx.layout import NONE_KNOWN, Known, is_laid_out, lay_out
from tfx.output_file import write_new, write_whole
from tfx.reading import CLOCK, MISSHAPEN, digest_of, loads, loads_in_pieces
from tfx.skimming import skim
from tfx.stored import plain

__all__ = ["as_dumped", "check_target", "dumps", "is_dumped", "load", "load_exactly", "loads", "opened", "path_of", "save", "unsealed"]

SUFFIX: Final = ".json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}\Z")
_BLANK_DIGEST = "sha256:" + "0" * 64
SMALL: Final = 1 << 20
"""A file of no more bytes is held in memory when it is opened: cheaper than a file held open, and nobody can change it."""


def save(cassette: Cassette, folder: Path, *, is_new: bool = False) -> Path:
    """Write `folder/NAME.json` whole or not at all, and say where it stands.

    Raises:
        UsageError: it cannot be written, or it `is_new` and a file of that name is there, be it made a moment ago by another process.
    """
    path = path_of(cassette.name, folder)
    data = dumps(cassette)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (write_new if is_new else write_whole)(path, data)
    except OSError as error:
        if is_new and path.exists():
            raise UsageError(f"{path} was made by another command meanwhile and is not replaced; name another one, or remove it") from None
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


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"the cassette {path} cannot be written: {error.strerror}; name another folder, or make room there")


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
        _check_file(path)
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    return loads(data, str(path), edited=edited)


def load_exactly(path: Path) -> Cassette:
    """As `load`, and no member of the file stands twice: of two values for one member every reader but ours would lose one unsaid.

    Raises:
        CassetteError: as `load`, or one does. A service's own answer of that kind is kept on a cassette as text and is no fault of it.
    """
    cassette = load(path)
    data = path.read_bytes()
    if not is_dumped(cassette, data):  # what `dumps` gives again, letter for letter, holds nothing that was overlooked
        try:
            json.loads(data, object_pairs_hook=_once)
        except _TwiceError:
            raise CassetteError(
                f"{path} names a member twice, and one of its values would be lost; restore it with: git checkout -- {path}"
            ) from None
    return cassette


class _TwiceError(Exception):
    pass


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _TwiceError
    return members


def opened(path: Path) -> Cassette:
    """The cassette in a file, looked over as `load` does, its answers left there until somebody asks for them: what a replay wants.

    What it takes of memory grows with the number of exchanges, not with what they answer. A file that is written anew in its place
    (as `save` does) leaves it whole; one that is changed in itself is noticed when the next answer is read.

    Raises:
        CassetteError: as `load`.
    """
    try:
        _check_file(path)
        file = _Open(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    if file.size <= SMALL:
        data = file.bytes(0, file.size)
        stream = io.BytesIO(data)
        return skim(stream.read, lambda start, end: data[start:end]) or loads(data, str(path))
    return skim(file.following, file.bytes) or load(path)


class _Open:
    """A file held open, so that it stays what it was whatever is put in its place."""

    __slots__ = ("_at", "_handle", "_path", "_stamp", "size")

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._handle = path, 0, -1
        self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._stamp = self._state()
        self.size = self._stamp[0]

    def _state(self) -> tuple[int, int]:
        known = os.fstat(self._handle)
        return known.st_size, known.st_mtime_ns

    def following(self, size: int) -> bytes:
        """The next bytes."""
        found = os.pread(self._handle, size, self._at)
        self._at += len(found)
        return found

    def bytes(self, start: int, end: int) -> bytes:
        """Those between two places.

        Raises:
            CassetteError: the file was changed since it was opened.
        """
        try:
            found = os.pread(self._handle, end - start, start) if self._state() == self._stamp else None
        except OSError:  # somebody closed it
            found = None
        if found is None:
            raise CassetteError(f"the cassette {self._path} was changed while it was being played; start again")
        return found

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def _check_file(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if not stat.S_ISREG(mode):  # opening a pipe waits for somebody to write into it
        raise CassetteError(f"{path} is a pipe or a device; write the cassette to a file and name that")


def _unreadable(path: Path, error: OSError) -> CassetteError:
    if isinstance(error, IsADirectoryError):
        return CassetteError(f"{path} is a folder, and no cassette; name one of the files in it")
    what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
    return CassetteError(f"the cassette {path} {what}{_near(path)}; record it with: tfx record {path.stem}")


def _near(path: Path) -> str:
    from difflib import get_close_matches  # only who errs needs it

    folders = (path.parent, path.parent / "cassettes") if len(path.parts) == 1 else (path.parent,)
    names = get_close_matches(path.stem, [other.stem for folder in folders for other in folder.glob(f"*{SUFFIX}")])
    return f" (near it: {', '.join(names)})" if names else ""


def dumps(cassette: Cassette) -> bytes:
    """The file of a cassette: equal cassettes give equal bytes."""
    blank = unsealed(cassette)
    digest = hashlib.sha256(blank).hexdigest()
    return blank.replace(_BLANK_DIGEST.encode("ascii"), f"sha256:{digest}".encode("ascii"), 1)


def unsealed(cassette: Cassette) -> bytes:
    """The same with a digest of zeros: all that the file says, for the digest follows from it."""
    try:
        # A body that is plain is taken as it is; only its depth has not been looked at yet.
        return lay_out(_head_node(cassette, trusting=True), DEEPEST)
    except FormatError:
        return lay_out(_head_node(cassette, trusting=False))


def is_dumped(cassette: Cassette, data: bytes, known: Known = NONE_KNOWN) -> bool:
    """Whether `dumps` gives these bytes for the cassette that `loads` has made of them, and whose digest it has found to be theirs.

    `known` are texts of lists in it that are known to be what it gives for them.
    """
    digest = digest_of(data)
    try:
        return is_laid_out({**_head_node(cassette, trusting=True), "digest": digest}, data, DEEPEST, known)
    except FormatError:
        return is_laid_out({**_head_node(cassette, trusting=False), "digest": digest}, data)


def as_dumped(data: bytes) -> Cassette | None:
    """The cassette that `dumps` gives these bytes for; None if there is none, whatever is wrong with them: then `loads` says it.

    Reading and comparing take half as long at once as one after the other.
    """
    try:
        found = loads_in_pieces(data)
        if found is None:
            return None
        cassette, lists = found
        return cassette if is_dumped(cassette, data, {id(one.table.rows): one.text for one in lists}) else None
    except (*MISSHAPEN, TfxError, RecursionError):
        return None


def _head_node(cassette: Cassette, *, trusting: bool) -> dict[str, Json]:
    exchanges: list[Json] = [_exchange_node(exchange, trusting=trusting) for exchange in cassette.exchanges]
    return {
        "tfx_cassette": FORMAT_VERSION,
        "name": cassette.name,
        "era": cassette.era,
        "region": cassette.region,
        "clock": cassette.clock.astimezone(UTC).strftime(CLOCK),
        "policy": {"version": cassette.policy, "values": cassette.values},
        "rules": dict(sorted(cassette.rules.items())),
        "counts": {"exchanges": len(exchanges), "rows": sum(_rows(exchange) for exchange in exchanges)},
        "digest": _BLANK_DIGEST,
        "exchanges": exchanges,
    }


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


def _rows(exchange: Json) -> int:
    response = cast("dict[str, dict[str, dict[str, Json]]]", exchange)["response"]
    records, value = response["body"].get("records"), response["body"].get("json")
    members = value.values() if isinstance(value, dict) else ()
    return sum(len(rows) for rows in (records, *members) if isinstance(rows, list))
