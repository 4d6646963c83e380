"""What goes from a recording without a stand-in, as texts that the second search can look for. Pure; holds secrets, prints none.

Of what every page and every answer has (headers a rule drops, pages, addresses of pages) only numbers and pieces with a digit are taken,
for words of theirs stand anywhere. Times are left out, and numbers with a fraction: amounts are alike by chance.
"""

import re
from collections.abc import Iterator
from typing import Final, NoReturn

from sanitizer.search.forms import SHORTEST, SHORTEST_DIGITS
from tfx.jsonbody import Json

MOST: Final = 1000
"""Texts that are looked for: a document nobody knows may hold any number of them, and each is searched in a hundred forms."""
_LONGEST: Final = 256
_NUMBER: Final = re.compile(rf"(?<![0-9A-Za-z.])[0-9]{{{SHORTEST_DIGITS},19}}(?![0-9A-Za-z]|[.][0-9])")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[0-9:.Z+-]*|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d( GMT)?")
_NO_NUMBER: Final = re.compile(rf"{_TIME.pattern}|[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}")
"""Times, and GUIDs, of which a group may be digits alone."""
_BETWEEN: Final = re.compile(r"[\s/?&=#;,\"'<>()]+")


class Unkept:
    """The texts, each once, in the order met."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """What is to be looked for."""
        return tuple(self._texts)

    def value(self, value: Json) -> None:
        """Every leaf of a value nobody has a rule for: the whole of it, and the numbers in it."""
        self._add(_of_value(value))

    def numbers(self, text: str) -> None:
        """The numbers in a text of which nothing else says anything."""
        self._add(_numbers(text))

    def address(self, url: str) -> None:
        """The pieces of an address that have a digit."""
        self._add(piece for piece in _BETWEEN.split(url) if any(map(str.isdigit, piece)))
        self.numbers(url)

    def _add(self, texts: Iterator[str]) -> None:
        for text in texts:
            if len(self._texts) == MOST:
                return
            if SHORTEST <= len(text) <= _LONGEST and not _is_anybodys(text):
                self._texts[text] = None

    def __repr__(self) -> str:
        return f"Unkept({len(self._texts)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("what was not kept is never pickled: it would leave memory in plain text")


def _is_anybodys(text: str) -> bool:
    """Whether a number is a round one, such as a time limit, or the largest of its width, which says "none"."""
    if not (text.isascii() and text.isdigit()):
        return False
    return len(text.rstrip("0")) < _LEAST_DIGITS or not int(text) & int(text) + 1


_LEAST_DIGITS: Final = 3


def _of_value(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(key)
            yield from _of_value(item)
    elif isinstance(value, list):
        for item in value:
            yield from _of_value(item)
    elif isinstance(value, str):
        if not _TIME.fullmatch(value):
            yield value.removeprefix("W/").strip(' "')
            yield from _numbers(value)
    elif isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        yield str(abs(int(value)))


def _numbers(text: str) -> Iterator[str]:
    yield from _NUMBER.findall(_NO_NUMBER.sub(" ", text))
