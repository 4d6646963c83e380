"""The `cassette` marker read: which cassettes a test wants, closest first, how, and for how long. Pure; imports nothing but pytest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import pytest

NAME: Final = "cassette"
WORDS: Final = frozenset({"strict_windows", "signed_in", "freeze", "virtual_clock", "as_era", "faults", "allow_programs"})
SCOPES: Final = ("function", "class", "module")
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A cassette by name; `options` are those of `offline`; a scope other than `function` lets the tests there share one replay."""

    name: str
    scope: str = "function"
    options: Mapping[str, object] = field(default_factory=lambda: _NOTHING)


def wanted(node: pytest.Item | pytest.Collector) -> tuple[Wanted, ...]:
    """The cassettes this test, class or module is marked with, closest first; a parameter `cassette` comes before all marks."""
    return (*_parameter(node), *(_read(mark) for mark in node.iter_markers(NAME) if not misused(mark)))


def is_marked(node: pytest.Item) -> bool:
    """Whether it wants any."""
    return node.get_closest_marker(NAME) is not None or any(_parameter(node))


def wrong(node: pytest.Item | pytest.Collector) -> str:
    """What is wrong with its markers, empty if nothing: one test fails of it, not the run."""
    marks = list(node.iter_markers_with_node(NAME))
    kinds = {"class": pytest.Class, "module": pytest.Module}
    for owner, mark in marks:
        if said := misused(mark):
            return said
        scope = _read(mark).scope
        if scope != "function" and not isinstance(owner, kinds[scope]):
            return f'scope="{scope}" belongs on the {scope} whose tests share the cassette, not on {owner.name}'
    return ""


def misused(mark: pytest.Mark) -> str:
    """What is wrong with a marker, empty if nothing."""
    if len(mark.args) != 1 or not isinstance(mark.args[0], str):
        return 'the cassette marker takes one name: @pytest.mark.cassette("NAME")'
    strange = sorted(set(mark.kwargs) - WORDS - {"scope"})
    if strange:
        return f"the cassette marker knows {', '.join(sorted(WORDS | {'scope'}))}, and not {', '.join(strange)}"
    return "" if mark.kwargs.get("scope", "function") in SCOPES else f"the scope of a cassette is one of {', '.join(SCOPES)}"


def _read(mark: pytest.Mark) -> Wanted:
    options = {word: value for word, value in mark.kwargs.items() if word != "scope"}
    return Wanted(name=mark.args[0].removesuffix(".json"), scope=mark.kwargs.get("scope", "function"), options=options)


def _parameter(node: pytest.Item | pytest.Collector) -> Iterator[Wanted]:
    """`@pytest.mark.parametrize("cassette", ["a", "b"], indirect=True)`."""
    name = getattr(node, "callspec", None) and node.callspec.params.get(NAME)  # type: ignore[union-attr]  # only functions have one
    if isinstance(name, str):
        yield Wanted(name=name.removesuffix(".json"))
