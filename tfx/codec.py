"""Decode Content-Encoding, and encode again deterministically. Pure."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tfx.errors import RefusedError
from tfx.exchange import Headers

LARGEST_BODY = 256 * 1024 * 1024
"""Bytes a decoded body may have; more is taken for a decompression bomb."""

REGISTERED = frozenset({"aes128gcm", "br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd"})
"""Content codings of the IANA registry that tfx does not undo; any other name may be anything, and is not shown."""

_MOST_CODINGS = 2


def decoded(headers: Headers, body: bytes) -> bytes:
    """The bytes a client sees.

    Raises:
        RefusedError: the coding is unknown, stacked more than twice, damaged, followed by more bytes, or unpacks to over `LARGEST_BODY`.
    """
    if not body:  # nothing has no coding, whatever its headers say: answers of 304 name that of the body they do not have
        return body
    for coding in reversed(codings(headers)):
        body = DECODERS[coding](body) if body else body
    return body


def encoded(headers: Headers, body: bytes) -> bytes:
    """The wire body for these headers: the inverse of `decoded`, equal for equal input on the same zlib."""
    if not body:
        return body
    for coding in codings(headers):
        body = ENCODERS[coding](body)
    return body


def codings(headers: Headers) -> tuple[str, ...]:
    """The codings in the order they were applied, `identity` left out."""
    names = tuple(
        name
        for line in headers.all("content-encoding")
        for name in (part.strip().lower() for part in line.split(","))
        if name and name != "identity"
    )
    unknown = [name for name in names if name not in DECODERS]
    if unknown or len(names) > _MOST_CODINGS:
        named = next((name for name in unknown if name in REGISTERED), "of no registered name")
        what = f"the content coding {named}, which tfx cannot undo" if unknown else f"more than {_MOST_CODINGS} stacked content codings"
        raise RefusedError(f"a body has {what}; only {', '.join(sorted(set(DECODERS)))} are understood: ask the service for one of them")
    return names


def accepts(accept_encoding: str, codings: tuple[str, ...]) -> bool:
    """Whether an Accept-Encoding names all of these; one that is missing asks for nothing special."""
    named: dict[str, bool] = {}
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        named[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return all(named.get(coding, named.get("*", False)) for coding in codings)


def _inflate(body: bytes, *, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        out = inflater.decompress(body, LARGEST_BODY)
    except zlib.error as error:
        raise RefusedError("a compressed body is damaged; record that exchange again") from error
    if inflater.unconsumed_tail:
        raise RefusedError(f"a compressed body unpacks to more than {LARGEST_BODY} bytes; it is refused as a decompression bomb")
    if not inflater.eof:
        raise RefusedError("a compressed body ends too early; record that exchange again")
    if inflater.unused_data:
        raise RefusedError("a compressed body is followed by bytes that are not part of it; nothing says what they are: refused")
    return out


def _inflate_either(body: bytes) -> bytes:
    # HTTP's `deflate` is zlib by the standard and raw deflate by habit; urllib3 tries both in this order as well.
    try:
        return _inflate(body, window=zlib.MAX_WBITS)
    except RefusedError:
        return _inflate(body, window=-zlib.MAX_WBITS)


DECODERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "gzip": lambda body: _inflate(body, window=zlib.MAX_WBITS | 16),
        "x-gzip": lambda body: _inflate(body, window=zlib.MAX_WBITS | 16),
        "deflate": _inflate_either,
    }
)
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
        "x-gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
        "deflate": lambda body: zlib.compress(body, level=6),
    }
)
