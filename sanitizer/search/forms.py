"""The forms in which a value can hide in a text: escaped, encoded, reversed, hashed, as a number. Pure; knows nothing of the rules.

Every form is searched in lower case. What is too short to mean something is left out: an encoded form of fewer than eight characters, and
a value of fewer than four (six for digits), occurs by chance in any recording. Raw bytes of four to seven mean something only among bytes.
"""

import base64
import html
from binascii import b2a_base64, hexlify
from collections.abc import Iterator
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Final, NamedTuple
from urllib.parse import quote

from sanitizer.search.base32 import in_base32
from sanitizer.search.spellings import ending, guid_bytes, hashes, is_guid, masked, spellings, tellings, windows

SHORTEST: Final = 4
SHORTEST_DIGITS: Final = 6
SHORTEST_FORM: Final = 8
WHOLE_WORD: Final = 7
"""Values shorter than this count only as whole words: five letters stand in every longer base64 text somewhere."""
_LEAST_NUMBER: Final = 1 << 24
"""Smaller ones fill three bytes: with a zero before them they stand in any stream of records."""
_LONGEST_PADDED: Final = 16


class Form(NamedTuple):
    """One spelling: its bytes in lower case, what it is called, and where it counts: `whole` words only, or among `raw` bytes only.

    A tuple, because thousands are made for each recording, however short that is.
    """

    pattern: bytes
    name: str
    whole: bool = False
    raw: bool = False

    def __repr__(self) -> str:
        return f"Form({self.name})"


def is_searchable(value: str) -> bool:
    """Whether finding the value would mean something."""
    return len(value) >= (SHORTEST_DIGITS if value.isdigit() else SHORTEST)


def forms(value: str) -> list[Form]:
    """Every form of a value, itself first. What is encoded in more than one way, `nesting` undoes before it is searched."""
    # One list goes through all that follows, for thousands are made and handing each on from generator to generator takes half of the time.
    out: list[Form] = []
    _plain(out, value)
    end = ending(value)
    for text in dict.fromkeys(spellings(end)):
        _written(out, text)
    for text in dict.fromkeys(tellings(value)):
        _plain(out, text)
    out += (Form(_low(text), "a piece of it") for text in windows(value))
    out += (Form(_low(text), "masked") for text in masked(value))
    raw_end = end.encode("utf-8", "surrogatepass")
    _base32(out, raw_end)
    _base85(out, raw_end)
    for name, raw in _binary(value):
        if len(raw) >= SHORTEST:
            out.append(Form(pattern=raw.lower(), name=name, raw=len(raw) < SHORTEST_FORM))
            _encoded(out, raw, f"{name} ")
    for name, digest in hashes(value):
        out.append(Form(hexlify(digest), name))
        text64 = b2a_base64(digest, newline=False).rstrip(b"=")[:-1]  # the last letter may be filled up in another way
        _both_alphabets(out, text64, f"{name} base64")
    return out


def _plain(out: list[Form], text: str) -> None:
    whole = len(text) < WHOLE_WORD or text.isdigit()
    if len(text) >= SHORTEST:
        out += (Form(one, "plain", whole) for one in dict.fromkeys((_low(text), _low(text.upper()))))


def _written(out: list[Form], text: str) -> None:
    _plain(out, text)
    for name, other in _escaped(text):
        if other != text and len(other) >= SHORTEST_FORM:
            out.append(Form(_low(other), name))
    _encoded(out, text.encode("utf-8", "surrogatepass"), "")
    # The last zero is left out: so the form stands in UTF-16 of either byte order.
    _encoded(out, text.encode("utf-16-le", "surrogatepass")[:-1], "UTF-16 ")


def _escaped(text: str) -> Iterator[tuple[str, str]]:
    once = quote(text, safe="", errors="surrogatepass")
    yield "percent-encoded", once
    yield "percent-encoded", once.replace("%20", "+")
    yield "twice percent-encoded", once.replace("%", "%25")
    escaped = encode_basestring_ascii(text)
    yield "JSON-escaped", escaped[1:-1]
    yield "JSON-escaped", encode_basestring(text)[1:-1]
    yield "twice JSON-escaped", encode_basestring_ascii(escaped)[3:-3]
    yield "HTML-escaped", html.escape(text)
    yield "reversed", text[::-1]
    yield "without punctuation", "".join(one for one in text if one.isalnum())


def _encoded(out: list[Form], raw: bytes, front: str) -> None:
    """Bytes as hex and base64."""
    if len(raw) * 2 >= SHORTEST_FORM:
        out.append(Form(hexlify(raw), f"{front}hex"))
    _base64(out, raw, f"{front}base64")


def _base32(out: list[Form], raw: bytes) -> None:
    """At every place a value may begin in the five bytes that are encoded at once; all places in one go."""
    size = -(-(4 + len(raw)) // 5)
    text = in_base32(b"".join([(b"\0" * skip + raw).ljust(5 * size, b"\0") for skip in range(5)]))
    for skip in range(5):
        # Characters that also hold bits of the neighbours are cut off.
        start, end = -(-skip * 8 // 5), (skip + len(raw)) * 8 // 5
        if end - start >= SHORTEST_FORM:
            out.append(Form(text[8 * size * skip + start : 8 * size * skip + end], "base32"))


def _base85(out: list[Form], raw: bytes) -> None:
    """Whole fours of bytes with Git's letters and with Adobe's, from every place a value may begin in four."""
    pieces = [raw[skip : skip + (len(raw) - skip) // 4 * 4] for skip in range(4)]
    git = base64.b85encode(b"".join(pieces))
    # The same digits, but Adobe alone has a letter for four zeros. Written in Python they are the dearest form, so once is enough.
    adobe = git.translate(_ADOBE)
    git, adobe, at = git.lower(), adobe.lower(), 0
    for piece in pieces:
        end = at + len(piece) // 4 * 5
        if len(piece) >= SHORTEST_FORM:
            out.append(Form(git[at:end], "base85"))
            out.append(Form(base64.a85encode(piece).lower() if b"\0\0\0\0" in piece else adobe[at:end], "base85"))
        at = end


_GIT: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_ADOBE: Final = bytes.maketrans(_GIT, bytes(range(33, 33 + len(_GIT))))


def _base64(out: list[Form], raw: bytes, name: str) -> None:
    """Base64 does not keep byte boundaries: what is certain of a value inside a longer text depends on where it starts modulo three."""
    for skip in range(3):
        padded = b"\0" * skip + raw
        # Characters that also hold bits of the neighbours are cut off.
        start, end = (0, 2, 3)[skip], len(padded) * 8 // 6
        if end - start >= SHORTEST_FORM:
            _both_alphabets(out, b2a_base64(padded, newline=False)[start:end], name)


def _both_alphabets(out: list[Form], text: bytes, name: str) -> None:
    """Base64, and the same for URLs where it differs."""
    low = text.lower()
    out.append(Form(low, name))
    for_urls = low.translate(_URL_SAFE)
    if for_urls != low:
        out.append(Form(for_urls, name))


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _binary(value: str) -> Iterator[tuple[str, bytes]]:
    digits = value.strip()
    if digits.isascii() and digits.isdigit() and _LEAST_NUMBER <= int(digits) < 1 << 64:
        size = 4 if int(digits) < 1 << 32 else 8
        yield "big-endian number", int(digits).to_bytes(size, "big")
        yield "little-endian number", int(digits).to_bytes(size, "little")
    if is_guid(value):
        yield from (("GUID bytes", raw) for raw in guid_bytes(value))
    raw = value.encode("utf-8", "surrogatepass")
    if SHORTEST <= len(raw) <= _LONGEST_PADDED:
        yield "word-reversed", _words_reversed(raw)


def _words_reversed(raw: bytes) -> bytes:
    """As pump records hold text: every 32-bit word turned round, the last one padded."""
    padded = raw + b"\0" * (-len(raw) % 4)
    whole = b"".join(padded[at : at + 4][::-1] for at in range(0, len(padded), 4))
    # The padding is not part of the value: a last word that is not full is searched as far as it goes.
    return whole[: len(raw) - len(raw) % 4] if len(raw) % 4 and len(raw) > SHORTEST_FORM else whole


def _low(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower()
