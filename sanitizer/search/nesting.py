"""Undo encodings and compression of a text, layer by layer. Pure; knows neither rules nor values.

A layer is what the one before it holds: base64, hex and base32 texts, percent, JSON, HTML and quoted-printable escapes, folded lines,
letters of other widths and accents, UTF-16, gzip, zlib, bz2, xz, zip. What only looks like one of these gives bytes that mean nothing.
"""

import base64
import binascii
import bz2
import html
import io
import lzma
import quopri
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import compress
from operator import not_
from typing import Final
from urllib.parse import unquote_to_bytes

from sanitizer.search.spellings import unaccented

DEEPEST: Final = 10
LARGEST: Final = 64 * 1024 * 1024
"""Bytes a packed text may unpack to."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_ALWAYS: Final = 24
"""Characters from which a word is taken for base64 whatever its letters: no name of a member is so long."""
_LONGEST_SHIFTED: Final = 4096
_BASE32 = re.compile(rb"[A-Z2-7]{16,}|[A-Z2-7]{7,15}(?==)")
_HEX = re.compile(rb"(?<![0-9A-Za-z])(?:0x)?[0-9A-Fa-f]{2}(?:[ :-]?[0-9A-Fa-f]{2}){6,}")
_NUMBER = re.compile(rb"(?<!\d)\d{1,20}(?:[ .,_'-]\d{1,20}){1,4}(?!\d)")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(rb"(?<!\\)\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([\"'/nrtbf0]))|\\\\")
_ENTITY = re.compile(rb"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_QUOTED = re.compile(rb"=\r?\n|=[0-9A-F]{2}")
_FOLDED = re.compile(rb"(?<=[\w+/=.-]{8})[ \t]*\r?\n[ \t]*[\w+/=.-]{4}")
_HIGH = re.compile(rb"[\x80-\xff]+")
_CONTROLS: Final = bytes(one for one in range(32) if one not in b"\t\n\v\f\r")
_LEAST: Final = 4


class Closed(Exception):  # noqa: N818  # not an error: the caller reports it as a place nobody could look into
    """A packed text that cannot be opened: of a kind tfx has no reader for, or too large."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Layer:
    """What one layer holds, joined: `texts`, and `raw` for bytes that are no text. `numbers` are digits with their separators gone."""

    texts: bytes = b""
    raw: bytes = b""
    numbers: bytes = b""


def layers(text: bytes, *, is_json: bool = False) -> Iterator[Layer]:
    """The layers of a text from the outside in; the first is the text itself.

    `is_json`: it is a text of JSON, and the first layer has every string in it, and everything between two, once.

    Raises:
        Closed: something packed is in there that cannot be opened, or layers without an end.
    """
    pieces: Collection[bytes] = (text,)
    known: set[bytes] = set()
    for depth in range(DEEPEST):
        is_first = is_json and depth == 0 and _is_utf8(text)  # it has no control characters
        texts, raw = ([text], []) if is_first else _sorted(pieces)
        joined = b'"'.join(texts)
        holds = is_first and _QUOTE[:1] in joined  # sought by itself, for one letter is found in no time
        parts = _parts(joined.replace(_QUOTE, _HELD) if holds else joined)
        apart = b'"'.join(parts) if is_first else joined
        layer = Layer(texts=apart.replace(_HELD, _QUOTE) if holds else apart, raw=_JOIN.join(raw))
        words, figures, long = distinct(parts)
        yield replace(layer, numbers=b"\n".join(set(_numbers(words + figures))))
        if not is_first:  # no string of a JSON text is all of it
            known.update(pieces)
        inside = (*_in_text(words, inner=depth > 0), *_in_hex(long), *_quoted(layer.texts), *_in_raw(layer.raw))
        pieces = {piece for piece in inside if len(piece) >= _LEAST} - known
        if not pieces:
            return
    raise Closed


_JOIN: Final = b"\n\x00\xff\x00\n"


def _sorted(pieces: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    texts: list[bytes] = []
    raw: list[bytes] = []
    for piece in pieces:
        (texts if is_text(piece) else raw).append(piece)
    return texts, raw


def is_text(piece: bytes) -> bool:
    """Whether bytes can be read: UTF-8 without control characters."""
    return len(piece.translate(None, _CONTROLS)) == len(piece) and _is_utf8(piece)


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _parts(text: bytes) -> set[bytes]:
    """What stands between quotation marks or outside them, each once: a cassette says most of what it says often."""
    found: set[bytes] = set()
    start = 0
    # Piece by piece, for a million short texts at once are slow to make and to go through.
    while start <= len(text):
        end = text.find(b'"', start + _PIECE)
        end = len(text) if end < 0 else end
        found.update(text[start:end].split(b'"'))
        start = end + 1
    return found


_QUOTE: Final = b'\\"'
_HELD: Final = b"\0"
"""Stands for `_QUOTE` where a text is cut at quotation marks; a text of JSON has no such byte."""


def distinct(parts: set[bytes]) -> tuple[bytes, bytes, bytes]:
    """Words and mere figures (of a time its day), and those of these that may be hex. Nothing encoded holds a quotation mark."""
    listed = list(parts)
    letters = b'"'.join(listed).translate(None, _FIGURES).split(b'"')
    words = [part for part in compress(listed, letters) if len(part) >= _LEAST_ENCODED]
    figures = list(compress(listed, map(not_, letters)))
    starts = [part[: _DAY + 1] for part in figures]
    dated = {start for start in set(starts) if len(start) > _DAY and start.endswith(b"T")}
    others = [part for part, start in zip(figures, starts, strict=True) if start not in dated]
    days = [start[:_DAY] for start in dated]
    long = [part for part in others if len(part) >= _LEAST_HEX]
    return b'"'.join(words).replace(_HELD, _QUOTE), b'"'.join((b"", *days, *others)), b'"'.join(long)


_DAY: Final = 10
_PIECE: Final = 1 << 14
_LEAST_ENCODED: Final = 5
_LEAST_HEX: Final = 14
"""Digits of the shortest text that `_HEX` takes for hex."""
_FIGURES: Final = b"0123456789:.,-+TZ{}[] \n"


def _in_text(text: bytes, *, inner: bool) -> Iterator[bytes]:
    yield from _words(text, inner=inner)
    for tell, undo in _UNDO:
        for stretch in set(_stretches(text, tell)):
            yield from undo(stretch)


def _in_hex(text: bytes) -> Iterator[bytes]:
    for word in set(_HEX.findall(text)):
        yield bytes.fromhex(re.sub(rb"^0x|[ :-]", b"", word).decode("ascii"))


def _quoted(text: bytes) -> Iterator[bytes]:
    """The whole of a text whose strings hold quotation marks: what has one in it is cut there otherwise."""
    if b'\\"' in text:
        yield _ESCAPE.sub(_escaped, text)


def _in_raw(raw: bytes) -> Iterator[bytes]:
    yield from _READABLE.findall(raw)
    for found in _WIDE.findall(raw):
        yield found.replace(b"\0", b"").decode("latin-1").encode("utf-8")
    for magic in _MAGIC.finditer(raw):
        end = raw.find(_JOIN, magic.start())
        yield from _unpacked(raw[magic.start() : end if end >= 0 else None])


_READABLE: Final = re.compile(rb"[\x20-\x7e\t\r\n]{12,}")
_WIDE: Final = re.compile(rb"(?:[^\x00]\x00){4,}[^\x00]?|(?:\x00[^\x00]){4,}")
"""UTF-16 of letters below 256."""


def _words(piece: bytes, *, inner: bool) -> Iterator[bytes]:
    for word in set(_BASE64.findall(piece)):
        if len(word) >= _ALWAYS or _looks_encoded(word):
            # In a text that was encoded itself, other letters may stand before it.
            for start in range(4 if inner and len(word) <= _LONGEST_SHIFTED else 1):
                yield from _of_base64(word[start:])
    yield from _in_hex(piece)
    for word in set(_BASE32.findall(piece)):
        text = word[: len(word) - (len(word) % 8 in (1, 3, 6))]
        yield base64.b32decode(text + b"=" * (-len(text) % 8))


def _looks_encoded(word: bytes) -> bool:
    """A short word: padded, or of capitals and digits at once, as names of members are not."""
    if word.endswith(b"="):
        return True
    return any(48 <= one <= 57 for one in word) and word != word.lower()  # noqa: PLR2004  # 0 to 9


def _of_base64(word: bytes) -> Iterator[bytes]:
    text = word.rstrip(b"=").translate(_STANDARD)
    text = text[: len(text) - (len(text) % 4 == 1)]
    try:
        yield binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def _stretches(piece: bytes, tell: re.Pattern[bytes]) -> Iterator[bytes]:
    """What stands between quotation marks around each tell."""
    end = 0
    for found in tell.finditer(piece):
        if found.start() >= end:
            start = piece.rfind(b'"', end, found.start()) + 1 or end
            end = piece.find(b'"', found.end())
            end = len(piece) if end < 0 else end
            yield piece[start:end]


def _of_percent(stretch: bytes) -> Iterator[bytes]:
    yield unquote_to_bytes(stretch)
    if b"+" in stretch:
        yield unquote_to_bytes(stretch.replace(b"+", b" "))


def _of_escapes(stretch: bytes) -> Iterator[bytes]:
    yield _ESCAPE.sub(_escaped, stretch)


def _escaped(found: re.Match[bytes]) -> bytes:
    digits = found[1] or found[2]
    if digits:
        return chr(int(digits, 16)).encode("utf-8", "replace")
    if found[3] is None:
        return b"\\"
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b" ", b"f": b" ", b"0": b" "}.get(found[3], found[3])


def _of_entities(stretch: bytes) -> Iterator[bytes]:
    yield html.unescape(stretch.decode("utf-8", "replace")).encode("utf-8", "replace")


def _of_quoted(stretch: bytes) -> Iterator[bytes]:
    yield quopri.decodestring(stretch)


def _of_folds(stretch: bytes) -> Iterator[bytes]:
    yield re.sub(rb"[ \t]*\r?\n[ \t]*", b"", stretch)


def _of_letters(stretch: bytes) -> Iterator[bytes]:
    text = stretch.decode("utf-8", "ignore")
    yield "".join(one for one in unaccented(text) if one.isprintable()).encode("utf-8")


_UNDO: Final[tuple[tuple[re.Pattern[bytes], Callable[[bytes], Iterator[bytes]]], ...]] = (
    (_PERCENT, _of_percent),
    (_ESCAPE, _of_escapes),
    (_ENTITY, _of_entities),
    (_QUOTED, _of_quoted),
    (_FOLDED, _of_folds),
    (_HIGH, _of_letters),
)


def _numbers(text: bytes) -> Iterator[bytes]:
    """Digits with points, commas, spaces and dashes between them taken out; zeros in front say nothing."""
    for found in set(_NUMBER.findall(text)):
        yield found.translate(None, b" .,_'-").lstrip(b"0")


# --- compressed formats, recognised by their first bytes

_MAGIC = re.compile(rb"\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04|\x28\xb5\x2f\xfd|\x78[\x01\x5e\x9c\xda]")


def _unpacked(piece: bytes) -> list[bytes]:
    """What a packed text holds; nothing for one that is damaged, or only begins like one."""
    for front, unpack in _PACKINGS:
        if piece.startswith(front):
            try:
                return unpack(piece)
            except (zlib.error, EOFError, OSError, lzma.LZMAError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
                return []
    return []


def _inflated(piece: bytes, window: int) -> list[bytes]:
    inflater = zlib.decompressobj(window)
    out = inflater.decompress(piece, LARGEST)
    if inflater.unconsumed_tail and len(out) >= LARGEST:
        raise Closed
    return [out]


def _gzip(piece: bytes) -> list[bytes]:
    return _inflated(piece, 31)


def _zlib(piece: bytes) -> list[bytes]:
    return _inflated(piece, 15)


def _bz2(piece: bytes) -> list[bytes]:
    return [bz2.BZ2Decompressor().decompress(piece, LARGEST)]


def _xz(piece: bytes) -> list[bytes]:
    return [lzma.LZMADecompressor(memlimit=LARGEST).decompress(piece, LARGEST)]


def _zip(piece: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(piece)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > LARGEST or any(member.flag_bits & 1 for member in members):
            raise Closed
        return [part for member in members for part in (member.filename.encode("utf-8", "replace"), member.comment, archive.read(member))]


def _zstandard(_piece: bytes) -> list[bytes]:
    raise Closed  # no reader in Python's own library


_PACKINGS: Final[tuple[tuple[bytes, Callable[[bytes], list[bytes]]], ...]] = (
    (b"\x1f\x8b\x08", _gzip),
    *((b"\x78" + level, _zlib) for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
    (b"BZh", _bz2),
    (b"\xfd7zXZ\x00", _xz),
    (b"PK\x03\x04", _zip),
    (b"\x28\xb5\x2f\xfd", _zstandard),
)
