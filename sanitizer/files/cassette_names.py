"""Check that a cassette's name contains no recorded value: in parts, joined, reversed, as initials or last digits. Pure.

Strict on purpose: another name is easily chosen. Only common words are allowed whatever was recorded; a person called Week loses nothing by
a cassette of that name. Encoded values in a name are found by the search of the whole file.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from sanitizer.search.spellings import unaccented
from tandem.regions import REGIONS
from tfx.capture import Seen

SECRET: Final = frozenset({"token", "hash", "id", "uuid", "password", "code", "cookie", "settings hash", "code verifier", "code challenge"})
"""Kinds whose values are long and random: their words mean nothing, a stretch of their letters does."""

PLAIN: Final = frozenset(
    "session week weeks day days month year user users test tests demo example unhappy happy pump mobi slim basal bolus control tandem "
    "new old record recording cassette cassettes out output public fixtures data tmp browser import export archive web de la el the and "
    f"{' '.join(REGIONS)} {' '.join(map(str, range(2019, 2031)))}".split()
)
"""Words that tell of nobody."""

_STRETCH: Final = 8
_GLUED: Final = 4
_BEGINNING: Final = 5
"""So many letters from the start of a name tell whose it is."""
_SHOWN: Final = 4
_LEAST_DIGITS: Final = 6
_MOST_WORDS: Final = 6
_TURNED: Final = 2
"""Two letters turned round are two others of anybody's."""
_DATE: Final = re.compile(r"(?:\d{4}\D(\d{1,2})\D(\d{1,2})|(\d{1,2})\D(\d{1,2})\D\d{4})(?!\d)")
_TWO: Final = str.maketrans({"ä": "ae", "ö": "oe", "ø": "oe", "ü": "ue", "å": "aa", "đ": "dj"})


def named_in(name: str, seen: Iterable[Seen]) -> str:
    """The kind of a seen value a part of which is in a cassette's name, however it is spelled there; empty for none."""
    ways = tuple(dict.fromkeys(way for text in _spelled(name) for way in _ways(text)))
    tells = (
        one.kind
        for one in seen
        if any((_holds_stretch if one.kind in SECRET else _holds_part)(one.value, told, joined) for told, joined in ways)
    )
    return next(tells, "")


def plain_name(text: str) -> str:
    """A name of the words of a text, where every one of them tells of nobody and only one is a year; empty for any other."""
    words = _words(text.casefold())
    is_plain = PLAIN.issuperset(words) and sum(word.isdecimal() for word in words) < 2  # noqa: PLR2004  # two may be a date
    return "-".join(words) if is_plain and len(words) <= _MOST_WORDS else ""


def _ways(text: str) -> Iterator[tuple[frozenset[str], str]]:
    """The words of a name and all of them joined, forwards and backwards."""
    words = _words(text)
    told = set(words) - PLAIN
    # Words that tell of nobody hide nothing; what they would be glued to does not begin in them.
    joined = "".join("\n" if word in PLAIN else word for word in words)
    yield frozenset(told), joined
    yield frozenset(word[::-1] for word in told if len(word) > _TURNED), joined[::-1]


def _holds_stretch(value: str, _told: frozenset[str], joined: str) -> bool:
    return any(_has_stretch("".join(_words(text)), joined) for text in _spelled(value))


def _has_stretch(bare: str, joined: str) -> bool:
    if len(bare) <= _STRETCH:
        return len(bare) >= _GLUED and bare in joined
    return any(bare[at : at + _STRETCH] in joined for at in range(len(bare) - _STRETCH + 1))


def _holds_part(value: str, told: frozenset[str], joined: str) -> bool:
    return _has_day(value, told, joined) or any(_has_part(_words(text), told, joined) for text in _spelled(value.partition("@")[0]))


def _has_day(value: str, told: frozenset[str], joined: str) -> bool:
    """Whether the day and the month of a date are there: a birthday without its year."""
    found = _DATE.match(value)
    if found is None:
        return False
    one, other = (int(part) for part in found.groups() if part)
    stand_alone = one != other and all(told & {str(number), f"{number:02}"} for number in (one, other))
    return stand_alone or f"{one:02}{other:02}" in joined or f"{other:02}{one:02}" in joined


def _has_part(parts: list[str], told: frozenset[str], joined: str) -> bool:
    whole = "".join(parts)
    alone = {part for part in parts if len(part) > 1 and not (part.isdigit() and len(part) < _SHOWN)}
    initials = "".join(part[0] for part in parts)
    if len(parts) > 1 and not initials.isdigit():  # a date has none
        alone.add(initials)
    if len(whole) >= _LEAST_DIGITS and whole.isdigit():
        alone.add(whole[-_SHOWN:])
    found = {part[:_BEGINNING] if part.isalpha() else part for part in {*parts, whole} if len(part) >= _GLUED and part not in PLAIN}
    return bool(told & alone) or any(part in joined for part in found)


def _spelled(text: str) -> tuple[str, ...]:
    """A text in small letters as people and programs spell it where only plain ones may stand, each once.

    Without its accents, in Latin letters, with the two letters that Germans and Danes write for one, and with such letters left out:
    Jørgensen is jorgensen, joergensen and jrgensen.
    """
    folded = unicodedata.normalize("NFC", text.casefold())
    if folded.isascii():
        return (folded,)
    from anyascii import anyascii  # most are called something plain

    left_out = "".join(one for one in folded if one.isascii())
    return tuple(dict.fromkeys((unaccented(folded), anyascii(folded).lower(), anyascii(folded.translate(_TWO)).lower(), left_out)))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text) if word]
