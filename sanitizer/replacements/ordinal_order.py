"""Check that replacements are numbered from 1 in order of first appearance, without gaps. Pure.

A file whose stand-ins skip or stand in another order was not made by tfx, and an ordinal could say anything of up to five digits.
"""

from collections.abc import Iterable

Ordinal = tuple[str, int]
"""The name of a numbering, and a number in it."""


class OrdinalOrder:
    """What was met so far of each numbering."""

    __slots__ = ("_last", "_told")

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._told: set[str] = set()

    def are_kept(self, ordinals: Iterable[Ordinal]) -> bool:
        """Whether each was met before or is the next one; of a numbering out of turn that is told once, for all behind it is too."""
        kept = True
        for numbering, number in ordinals:
            last = self._last.get(numbering, 0)
            if number > last + 1 and numbering not in self._told:
                self._told.add(numbering)
                kept = False
            self._last[numbering] = max(last, number)
        return kept
