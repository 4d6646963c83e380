"""The spellings of a value before encoding: case, accents, parts of names and addresses, dates, numbers. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Final

LONGEST_HASHED: Final = 128
SHORTEST_PART: Final = 4
SHORTEST_LOCAL: Final = 6
WINDOW: Final = 16
"""Letters of a long token that say whose it is: it may be cut in pieces, as a cookie in chunks or a line that is folded."""
ENOUGH: Final = 64
"""Letters of a token that stand for all of it where it is encoded."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_OPAQUE = re.compile(r"[\w+/=~-]{32,}\Z", re.ASCII)
_HASHES: Final = tuple(
    # By their own makers: `hashlib.new` takes twice as long.
    (make.__name__.removeprefix("openssl_"), make)
    for make in (
        *(hashlib.md5, hashlib.sha1, hashlib.sha224, hashlib.sha256, hashlib.sha384, hashlib.sha512),
        *(hashlib.blake2b, hashlib.blake2s, hashlib.sha3_256),
    )
)
_GUID = re.compile(r"[{(]?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}[)}]?\Z")
_DIGITS_SHOWN: Final = 4


def spellings(value: str) -> Iterator[str]:
    """The value, itself first, in the letters a text may write it with; some are in there twice."""
    yield value
    yield value.casefold()
    yield unicodedata.normalize("NFC", value)
    yield unicodedata.normalize("NFD", value)
    yield unaccented(value)


def tellings(value: str) -> Iterator[str]:
    """What else tells the value: parts of an address or a name, other ways to write a day or a number."""
    yield from _parts(value)
    if _DAY.match(value):
        yield from _days(value[:10])
    if value.isascii() and value.isdigit():
        yield from _numbers(value)
    elif _GUID.match(value):
        yield str(int(guid_bytes(value)[0].hex(), 16))


def unaccented(text: str) -> str:
    """A text without accents and in plain letters and digits: full-width ones are folded."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def is_guid(value: str) -> bool:
    """Whether a value is a GUID in any of its spellings."""
    return _GUID.match(value) is not None


def guid_bytes(value: str) -> tuple[bytes, bytes]:
    """The sixteen bytes of a GUID as they are written, and in .NET's order."""
    raw = bytes.fromhex(value.strip("{}()").replace("-", ""))
    return raw, raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]


def ending(value: str) -> str:
    """Of a long token its last letters, which tell it wherever the whole would and are encoded sooner; any other value as it is."""
    token = _token(value)
    return token[-ENOUGH:] if token else value


def windows(value: str) -> Iterator[str]:
    """Pieces of a long token, so many that any half of it holds one; of a signed token those of its signature, which nobody shares."""
    token = _token(value)
    yield from (token[at : at + WINDOW] for at in range(0, len(token) - WINDOW + 1, WINDOW // 2))


def _token(value: str) -> str:
    """A value that is one long token, or the signature of one; empty for any other."""
    token = value.rpartition(".")[2] if value.startswith("ey") else value
    return token if _OPAQUE.match(token) and not is_guid(token) and not token.isdigit() else ""


def hashes(value: str) -> Iterator[tuple[str, bytes]]:
    """The digests a service or a website stores instead of a value, as it is and in lower case: (name of the hash, digest)."""
    if len(value) <= LONGEST_HASHED:
        for text in dict.fromkeys((value, value.strip().lower())):
            raw = text.encode("utf-8", "surrogatepass")
            yield from ((name, make(raw, usedforsecurity=False).digest()) for name, make in _HASHES)


def _parts(value: str) -> Iterator[str]:
    local, at, _ = value.partition("@")
    if at:
        plain = local.partition("+")[0]
        yield from (part for part in (local, plain, _bare(plain)) if len(part) >= SHORTEST_LOCAL)
        yield from (part for part in re.split(r"[\W_\d]+", plain) if len(part) > SHORTEST_PART)
    elif " " in value.strip() and len(value) < LONGEST_HASHED:
        words = value.split()
        yield from (mark.join(words) for mark in "-_.")
        yield " ".join((*words[-1:], *words[:-1]))
        yield ", ".join((*words[-1:], " ".join(words[:-1])))


def _bare(text: str) -> str:
    return "".join(one for one in text if one.isalnum())


def _days(value: str) -> Iterator[str]:
    """A day as people and programs write it."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return
    for shape in ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%m-%d-%Y", "%d-%m-%Y", "%Y.%m.%d", "%Y%m%d", "%d%m%Y", "%m%d%Y"):
        yield day.strftime(shape)
    # Six digits, which a recording has few of outside its packed records: docs/decisions/policy-as-data.md.
    for shape in ("%d%m%y", "%m%d%y", "%y%m%d", "%Y%m", "%m%Y"):
        yield day.strftime(shape)
    for shape in ("{0.day}.{0.month}.{0.year}", "{0.month}/{0.day}/{0.year}", "{0.day}/{0.month}/{0.year}", "{0.year}-{0.month}-{0.day}"):
        yield shape.format(day)
    for month in ("%B", "%b"):
        name = day.strftime(month)
        yield from (f"{name} {day.day}, {day.year}", f"{day.day} {name} {day.year}", f"{day.day:02} {name} {day.year}")
        yield from (f"{day.day}-{name}-{day.year}", f"{name} {day.day} {day.year}", f"{day.day:02}-{name}-{day.year}")
    seconds = int(datetime.combine(day, time.min, UTC).timestamp())
    yield from (str(seconds), str(seconds * 1000))


def _numbers(digits: str) -> Iterator[str]:
    number = int(digits)
    yield str(number)
    yield f"0x{number:x}"
    yield f"0o{number:o}"


def masked(value: str) -> Iterator[str]:
    """A number of which the last digits are shown."""
    if value.isascii() and value.isdigit():
        yield from (f"{mask}{value[-_DIGITS_SHOWN:]}" for mask in ("*", "•", "xx", "..", "…", "##"))
