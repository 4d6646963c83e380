"""A cassette's name is a public file name: held against what was seen, in parts, glued, in initials and last digits. Pure.

Strong on purpose: another name is chosen in a second. Only words that tell of nobody may stand in it whatever was seen; a person called
Week loses nothing by a cassette of that name. What is encoded in a name, the search of the whole file finds.
"""

import re
from collections.abc import Iterable
from typing import Final

from sanitizer.spellings import unaccented
from tandem.regions import REGIONS
from tfx.capture import Seen

SECRET: Final = frozenset({"token", "hash", "id", "uuid", "password", "code", "cookie", "settings hash", "code verifier", "code challenge"})
"""Kinds whose values are long and random: their words mean nothing, a stretch of their letters does."""

PLAIN: Final = frozenset(
    "session week weeks day days month year user users test tests demo example unhappy happy pump mobi slim basal bolus control tandem "
    "new old record recording cassette cassettes out output public fixtures data tmp browser de la el the and "
    f"{' '.join(REGIONS)} {' '.join(map(str, range(2019, 2031)))}".split()
)
"""Words that tell of nobody."""

_STRETCH: Final = 8
_GLUED: Final = 4
_SHOWN: Final = 4
_LEAST_DIGITS: Final = 6


def named_in(name: str, seen: Iterable[Seen]) -> str:
    """The kind of a seen value a part of which is in a cassette's name, however it is spelled there; empty for none."""
    words = _parts_of(name)
    told = set(words) - PLAIN
    # Words that tell of nobody hide nothing; what they would be glued to does not begin in them.
    joined = "".join("\n" if word in PLAIN else word for word in words)
    tells = (one.kind for one in seen if (_holds_stretch if one.kind in SECRET else _holds_part)(one.value, told, joined))
    return next(tells, "")


def _holds_stretch(value: str, _told: set[str], joined: str) -> bool:
    bare = "".join(_parts_of(value))
    if len(bare) <= _STRETCH:
        return len(bare) >= _GLUED and bare in joined
    return any(bare[at : at + _STRETCH] in joined for at in range(len(bare) - _STRETCH + 1))


def _holds_part(value: str, told: set[str], joined: str) -> bool:
    parts = _parts_of(value.partition("@")[0])
    whole = "".join(parts)
    alone = {part for part in parts if len(part) > 1 and not (part.isdigit() and len(part) < _SHOWN)}
    if len(parts) > 1:
        alone.add("".join(part[0] for part in parts))
    if len(whole) >= _LEAST_DIGITS and whole.isdigit():
        alone.add(whole[-_SHOWN:])
    return bool(told & alone) or any(len(part) >= _GLUED and part not in PLAIN and part in joined for part in {*parts, whole})


def _parts_of(text: str) -> list[str]:
    """The words of a text: case, accents and punctuation taken away."""
    return [word for word in re.split(r"[\W_]+", unaccented(text.casefold())) if word]
