"""Stand-ins: ordinals by first appearance, in the shape of what they replace. Nothing is derived from the person. Pure.

Each kind says how its values are compared (`canonical`), how the n-th stand-in is written, and which stand-in a text is
(`number`), so that a check needs no secrets. Numbers are written in decimal even in hexadecimal places: no upper or lower case.
"""

import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import NoReturn
from urllib.parse import quote, unquote
from uuid import UUID

from sanitizer.replacements.epoch import Odd

MOST = 99_999
"""The last ordinal of most kinds: five digits identify nobody; what comes after is blanked."""

MOST_NUMBERS = 999
"""The last stand-in of a number, which a real one of six digits must not be taken for: a 9, zeros, and three digits that say something."""

MOST_HASHED = 4095
"""The last ordinal of kinds whose hash stands on a cassette too: a check works all of them out."""

_HEX32 = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of identifier. `write(n, like)` gives the n-th stand-in, spelled like the value it replaces; n goes up to `most`.

    `number` says the stand-in of which n a text is, in any spelling; 0 for what is none.
    """

    name: str
    says: str
    canonical: Callable[[str], str]
    numbers: str = ""
    """The numbering it shares with another kind; its own where empty."""
    write: Callable[[int, str], str]
    number: Callable[[str], int]
    most: int = MOST

    @property
    def numbering(self) -> str:
        """The name under which its ordinals are counted."""
        return self.numbers or self.name

    def image(self, value: str) -> bool:
        """Whether a text is a stand-in of this kind."""
        return self.number(value) > 0


class Ordinals:
    """Who stands for whom, in the order of first sight. Holds the originals: never printed, never pickled."""

    __slots__ = ("_numbers", "originals")

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self.originals: dict[tuple[str, str], None] = {}

    def stand_in(self, kind: Kind, value: str) -> str:
        """The stand-in for a value; the same one for every spelling of it. An empty text stands for itself.

        Raises:
            Odd: the value is not of this kind.
        """
        if not value:
            return value
        numbers = self._numbers.setdefault(kind.numbering, {})
        key = kind.canonical(value)
        number = numbers.setdefault(key, len(numbers) + 1)
        if number > kind.most:
            raise Odd
        changed = kind.write(number, value)
        self.replaced(kind.name, value, changed)
        return changed

    def replaced(self, kind: str, value: str, changed: str) -> None:
        """Remember an original, for the second look; on a cassette that is sanitized again most values stand for themselves."""
        if value != changed:
            self.originals[kind, value] = None

    def knows(self, kind: Kind, value: str) -> bool:
        """Whether the value has a stand-in already."""
        return kind.canonical(value) in self._numbers.get(kind.numbering, {})

    def __repr__(self) -> str:
        return f"Ordinals({', '.join(f'{len(numbers)} {name}' for name, numbers in self._numbers.items())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("ordinals are never pickled: they hold the originals")


def _exact(value: str) -> str:
    return value


def _folded(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _bare(value: str) -> tuple[str, int]:
    """A value with its percent-encoding undone, and how often it was: once in an address, twice in an address inside one."""
    for times in range(_MOST_QUOTED):
        plain = unquote(value)
        if plain == value:
            return value, times
        value = plain
    return value, _MOST_QUOTED


_MOST_QUOTED = 2


def _guid(value: str) -> str:
    plain = _bare(value)[0]
    found = plain.strip("{}()").replace("-", "").lower()
    one = UUID(found if _HEX32.match(found) else _guid_bytes(plain).hex())
    # .NET writes a GUID's bytes with the first three groups turned round, others as they stand; the text does not say who wrote it.
    return min(one.bytes, one.bytes_le).hex()


def _guid_bytes(value: str) -> bytes:
    if not _BASE64_GUID.match(value):
        raise Odd
    return urlsafe_b64decode(value[:22].translate(_URL_SAFE) + "==")


_BASE64_GUID = re.compile(r"[A-Za-z0-9+/_-]{21}[AQgw](?:==)?\Z")
_URL_SAFE = str.maketrans("+/", "-_")


def _write_guid(number: int, like: str) -> str:
    plain, times = _bare(like)
    text = f"00000000-0000-4000-8000-{number:012d}"
    if _BASE64_GUID.match(plain):
        text = urlsafe_b64encode(UUID(text).bytes_le).decode("ascii")
        text = text if plain.endswith("==") else text.rstrip("=")
    else:
        text = text if "-" in like else text.replace("-", "")
        text = "{" + text + "}" if plain.startswith("{") else text
    for _ in range(times):
        text = quote(text, safe="")
    return text


def _guid_number(value: str) -> int:
    plain, times = _bare(value)
    if _BASE64_GUID.match(plain):
        plain = str(UUID(bytes_le=_guid_bytes(plain)))
    number = _GUID_NUMBER(plain)
    return number if not times or _write_guid(number, value) == value else 0


def _digits(value: str) -> str:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):  # noqa: PLR2004  # longer is no device number, and no int64
        raise Odd
    # A stand-in is as long as what it stands for; it is the same one all the same.
    return _write_digits(_NUMBER(value), "") if _NUMBER(value) else str(int(value))


_SHORTEST_NUMBER = 6
_LONGEST_NUMBER = 10


def _write_digits(number: int, like: str) -> str:
    # A 9 and zeros in front, as long as the original: clients compare serial numbers as text, and a plain 1 would be found everywhere.
    return "9" + str(number).zfill(min(max(len(like), _SHORTEST_NUMBER), _LONGEST_NUMBER) - 1)


NUMBER = r"[1-9]\d{0,4}"


def _written(pattern: str, most: int = MOST) -> Callable[[str], int]:
    """The ordinal of a stand-in: what the pattern's groups hold, from 1 to the last one that is ever written; 0 for any other text."""
    compiled = re.compile(pattern, re.ASCII)

    def number(value: str) -> int:
        found = compiled.fullmatch(value)
        told = int(next(filter(None, found.groups()))) if found else 0
        return told if told <= most else 0

    return number


def _zero_filled(width: int) -> str:
    """The pattern of an ordinal filled with zeros to a width; one that is wider stands as it is."""
    return rf"(\d{{{width}}}|[1-9]\d{{{width},4}})" if width < len(str(MOST)) else rf"(\d{{{width}}})"


_GUID_NUMBER = _written(r"00000000-0000-4000-8000-N|\{00000000-0000-4000-8000-N\}|00000000000040008000N".replace("N", _zero_filled(12)))


def _lower(value: str) -> str:
    return value.lower()


def _unquoted(value: str) -> str:
    return _bare(value)[0]


def _mailbox(value: str) -> str:
    # A plus that went through a form unencoded is a space.
    return _folded(_bare(value)[0]).replace(" ", "+")


def _verifier(number: int) -> str:
    return f"tfx-verifier-{number:030d}"


def _s256(verifier: str) -> str:
    # Not from tfx.signing: that costs 80 ms of cryptography, and `tfx sanitize --check` must start at once.
    return urlsafe_b64encode(sha256(verifier.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode("ascii")


_CHALLENGE_LENGTH = 43


def _challenge_number(value: str) -> int:
    return _challenges().get(value, 0) if len(value) == _CHALLENGE_LENGTH else 0


@cache
def _challenges() -> Mapping[str, int]:
    return {_s256(_verifier(number)): number for number in range(1, MOST_HASHED + 1)}


def _counted(name: str, says: str, *, width: int = 6, canonical: Callable[[str], str] = _exact, most: int = MOST) -> Kind:
    """A fake of fixed shape with a counter: `tfx-code-000001`."""
    return Kind(
        name=name,
        says=says,
        canonical=canonical,
        write=lambda number, _like: f"tfx-{name}-{number:0{width}d}",
        number=_written(rf"tfx-{name}-" + _zero_filled(width), most),
        most=most,
    )


def _word(name: str, prefix: str, says: str) -> Kind:
    """A name with a number behind it: `Given1`."""
    return Kind(
        name=name,
        says=says,
        canonical=_folded,
        write=lambda number, _like: f"{prefix}{number}",
        number=_written(f"{prefix}({NUMBER})"),
    )


_NUMBER = _written(rf"9(\d{{{_SHORTEST_NUMBER - 1},{_LONGEST_NUMBER - 1}}})", MOST_NUMBERS)

NUMBERS = {
    "serial": "not a stand-in serial",
    "device": "not a stand-in device number",
    "upload": "not a stand-in upload number",
}
"""Kinds that may stand in JSON as a number, and what a check says of others."""

_KINDS = (
    Kind(
        name="uuid",
        says="not a stand-in UUID",
        canonical=_guid,
        write=_write_guid,
        number=_guid_number,
    ),
    *(
        Kind(
            name=name,
            says=says,
            canonical=_digits,
            write=_write_digits,
            number=_NUMBER,
            most=MOST_NUMBERS,
        )
        for name, says in NUMBERS.items()
    ),
    Kind(
        name="email",
        says="not a stand-in e-mail address",
        canonical=_mailbox,
        write=lambda number, _like: f"user{number}@example.invalid",
        number=_written(rf"user({NUMBER})@example\.invalid"),
    ),
    _word("given", "Given", "not a stand-in given name"),
    _word("family", "Family", "not a stand-in family name"),
    _word("profile", "Profile", "not a stand-in profile name"),
    Kind(
        name="hash",
        says="not a stand-in hash",
        canonical=_lower,
        write=lambda number, _like: f"{number:040d}",
        number=_written(_zero_filled(40)),
    ),
    Kind(
        name="challenge",
        says="not the challenge of a stand-in verifier",
        canonical=_exact,
        write=lambda number, _like: _s256(_verifier(number)),
        number=_challenge_number,
        most=MOST_HASHED,
    ),
    Kind(
        # The challenge comes first on the wire, the verifier with the token form: one number for both.
        name="verifier",
        numbers="challenge",
        says="not a stand-in verifier",
        canonical=_s256,
        write=lambda number, _like: _verifier(number),
        number=_written("tfx-verifier-" + _zero_filled(30), MOST_HASHED),
        most=MOST_HASHED,
    ),
    _counted("access-token", "not a stand-in access token", width=12, most=MOST_HASHED),
    _counted("refresh-token", "not a stand-in refresh token", width=12),
    _counted("code", "not a stand-in authorization code"),
    _counted("state", "not a stand-in state"),
    _counted("nonce", "not a stand-in nonce"),
    _counted("session", "not a stand-in session id"),
    _counted("session-state", "not a stand-in session state"),
    _counted("cookie", "not a stand-in cookie value", canonical=_unquoted),
    _counted("cookie-name", "not a stand-in cookie name", width=2),
    _counted("subject", "not a stand-in subject"),
    _counted("trace", "not a stand-in trace id"),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})
