"""Search a text for thousands of patterns in one pass, by the last bytes of each. Pure; knows nothing of values.

An automaton over whole patterns costs more to build than to use. What it is asked for here is the last eight bytes of every pattern;
where those stand, the rest is compared.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

_LAST: Final = 8
"""Fewer, and words of the format are met too often; more, and building takes longer: it is the sum of these that is built."""


class Patterns:
    """Patterns to be found, each once; `found` tells which by its number."""

    __slots__ = ("_automaton", "_more", "_numbers", "_patterns")

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self._patterns = tuple(patterns)
        first: dict[bytes, int] = {}
        more: dict[int, list[int]] = {}
        for number, pattern in enumerate(self._patterns):
            before = first.setdefault(pattern[-_LAST:], number)
            if before != number:
                more.setdefault(before, [before]).append(number)
        self._numbers = tuple(first.values())
        # In the order in which an automaton over the whole patterns tells them.
        self._more = {number: sorted(alike, key=lambda one: -len(self._patterns[one])) for number, alike in more.items()}
        # Named, for what the library chooses by itself is slow to build, or slow to search.
        self._automaton = BytesAhoCorasick(first, implementation=Implementation.ContiguousNFA) if first else None

    def __repr__(self) -> str:
        return f"Patterns({len(self._patterns)})"

    def found(self, text: bytes) -> Iterator[tuple[int, int, int]]:
        """(number of the pattern, start, end) of every place where one stands, overlapping ones too."""
        if self._automaton is None or not text:
            return
        for ending, _, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            one = self._numbers[ending]
            for number in self._more.get(one, (one,)):
                pattern = self._patterns[number]
                start = end - len(pattern)
                if start >= 0 and text.startswith(pattern, start):
                    yield number, start, end
