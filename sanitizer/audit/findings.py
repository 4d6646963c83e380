"""What the sanitizer reports: place and kind, never the value, its length or a hash of it. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MEMBER_NAME = re.compile(r"[a-z_][A-Za-z_]{0,47}\Z")
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,4})"
_HEADER_NAME = re.compile(rf"{_WORD}(?:-{_WORD})+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place on one exchange (1 is the first; 0 is the cassette itself), and a rule to paste into the policy where one would help."""

    exchange: int
    place: str
    kind: str
    rule: str = ""

    def __str__(self) -> str:
        where = f"#{self.exchange} {self.place}" if self.exchange else self.place
        return f"{where}: {self.kind}"


_ADVICE = re.compile(
    r"[;:,.]? (?:nothing was written|ask the service|record (?:that|without|it|the)|export the|refused$|it is refused).*\Z",
    re.IGNORECASE | re.DOTALL,
)


def listed(numbers: Sequence[int]) -> str:
    """How many, and which, runs of them as one: `4 (#2, #5 to #7)`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return f"{len(numbers)} ({', '.join(' to '.join(f'#{number}' for number in run) for run in runs)})"


def without_advice(text: str) -> str:
    """What an error says, without what to do about it: that depends on where the recording comes from."""
    return _ADVICE.sub("", text)


def printable(name: str, seen: Sequence[str] = ()) -> str:
    """A header, key or member name as it may be shown: names can carry an identifier.

    Only what looks like a schema's word is, and none that holds a seen value: no digits, members as `camelCase` or `snake_case`.
    """
    if not (_MEMBER_NAME.match(name) or _HEADER_NAME.match(name)):
        return "<unnamed>"
    bare = _bare(name)
    if any(value in bare for value in seen):
        return "<unnamed>"
    return name


def short(values: Iterable[str]) -> tuple[str, ...]:
    """Seen values in the form `printable` looks for: letters and digits alone, case-folded, and long enough to mean something."""
    bare = {_bare(value.partition("@")[0]) for value in values}
    return tuple(value for value in bare if len(value) > 2)  # noqa: PLR2004  # two letters occur in every word


def _bare(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if one.isalnum())
