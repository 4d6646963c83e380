"""The forms in which one value can hide in a text: escaped, encoded, turned round, as a number. Pure; knows nothing of the rules.

Every form is searched in lower case. What is too short to mean something is left out: a form of fewer than eight characters, and a
value of fewer than four (six for digits), occurs by chance in any recording.
"""

import base64
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

SHORTEST: Final = 4
SHORTEST_DIGITS: Final = 6
SHORTEST_FORM: Final = 8
WHOLE_WORD: Final = 7
"""Values shorter than this count only as whole words: five letters stand in every longer base64 text somewhere."""
_LEAST_NUMBER: Final = 1 << 24
_GUID = re.compile(r"[{]?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}[}]?\Z")
_LONGEST_PADDED: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Form:
    """One spelling: its bytes in lower case, what it is called, and whether it counts only as a whole word."""

    pattern: bytes
    name: str
    whole: bool = False

    def __repr__(self) -> str:
        return f"Form({self.name})"


def is_searchable(value: str) -> bool:
    """Whether finding the value would mean something."""
    return len(value) >= (SHORTEST_DIGITS if value.isdigit() else SHORTEST)


def forms(value: str) -> Iterator[Form]:
    """Every form of a value, itself first."""
    for text in dict.fromkeys(_spellings(value)):
        yield from _written(text)
    for name, raw in _binary(value):
        if len(raw) >= SHORTEST:
            yield Form(pattern=raw.lower(), name=name)
            yield Form(pattern=raw.hex().encode("ascii"), name=f"{name} hex")
            yield from _base64(raw, f"{name} base64")


def _spellings(value: str) -> Iterator[str]:
    yield value
    yield value.casefold()
    for form in ("NFC", "NFD"):
        yield unicodedata.normalize(form, value)
    yield "".join(one for one in unicodedata.normalize("NFKD", value) if not unicodedata.combining(one))
    local, at, _ = value.partition("@")
    if at and len(local) >= SHORTEST_DIGITS:
        yield local


def _written(text: str) -> Iterator[Form]:
    whole = len(text) < WHOLE_WORD or text.isdigit()
    yield Form(pattern=_low(text), name="plain", whole=whole)
    yield Form(pattern=_low(text.upper()), name="plain", whole=whole)
    for name, other in _escaped(text):
        if other != text and len(other) >= SHORTEST_FORM:
            yield Form(pattern=_low(other), name=name)
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) * 2 >= SHORTEST_FORM:
        yield Form(pattern=raw.hex().encode("ascii"), name="hex", whole=len(raw) < SHORTEST_FORM)
    yield from _base64(raw, "base64")


def _escaped(text: str) -> Iterator[tuple[str, str]]:
    yield "percent-encoded", quote(text, safe="")
    yield "percent-encoded", quote_plus(text)
    yield "twice percent-encoded", quote(quote(text, safe=""), safe="")
    yield "JSON-escaped", json.dumps(text)[1:-1]
    yield "JSON-escaped", json.dumps(text, ensure_ascii=False)[1:-1]
    yield "twice JSON-escaped", json.dumps(json.dumps(text))[3:-3]
    yield "HTML-escaped", html.escape(text)
    yield "reversed", text[::-1]
    yield "without punctuation", "".join(one for one in text if one.isalnum())


def _base64(raw: bytes, name: str) -> Iterator[Form]:
    """Base64 does not keep byte boundaries: what is certain of a value inside a longer text depends on where it starts modulo three."""
    for skip in range(3):
        padded = b"\0" * skip + raw
        text = base64.b64encode(padded)
        # Characters that also hold bits of the neighbours are cut off.
        start, end = (0, 2, 3)[skip], len(padded) * 8 // 6
        for found in dict.fromkeys((text[start:end], text[start:end].translate(_URL_SAFE))):
            if len(found) >= SHORTEST_FORM:
                yield Form(pattern=found.lower(), name=name)


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _binary(value: str) -> Iterator[tuple[str, bytes]]:
    digits = value.strip()
    if digits.isascii() and digits.isdigit() and _LEAST_NUMBER <= int(digits) < 1 << 64:
        size = 4 if int(digits) < 1 << 32 else 8
        yield "big-endian number", int(digits).to_bytes(size, "big")
        yield "little-endian number", int(digits).to_bytes(size, "little")
    if _GUID.match(value):
        raw = bytes.fromhex(value.strip("{}").replace("-", ""))
        yield "GUID bytes", raw
        yield "GUID bytes", raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
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
