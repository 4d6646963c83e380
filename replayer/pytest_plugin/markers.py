"""Read the `cassette` marker: which cassettes a test uses, closest first, with which options and scope. Pure; imports only pytest."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from _pytest.nodes import Node  # pytest exports no name of what both items and collectors are

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
    kinds = {"class": pytest.Class, "module": pytest.Module}
    for owner, mark in node.iter_markers_with_node(NAME):
        said = misused(mark)
        scope = "function" if said else _read(mark).scope
        if scope != "function" and not isinstance(owner, kinds[scope]):
            said = f'scope="{scope}" belongs on the {scope} whose tests share the cassette, not on {owner.name}'
        if said:
            return f"{_place(owner)}: {said}"
    return ""


def _place(owner: "Node") -> str:
    """`test_bridge.py:12`, where what is marked begins; pytest keeps no line of the marker itself."""
    _, line, _ = owner.reportinfo() if isinstance(owner, pytest.Function | pytest.Class) else ("", None, "")
    return owner.path.name if line is None else f"{owner.path.name}:{line + 1}"


def misused(mark: pytest.Mark) -> str:
    """What is wrong with a marker, empty if nothing."""
    if len(mark.args) != 1 or not isinstance(mark.args[0], str):
        return 'the cassette marker takes one name: @pytest.mark.cassette("NAME")'
    strange = sorted(set(mark.kwargs) - WORDS - {"scope"})
    if strange:
        return f"the cassette marker knows {', '.join(sorted(WORDS | {'scope'}))}, and not {', '.join(strange)}"
    if mark.kwargs.get("scope", "function") not in SCOPES:
        return f"the scope of a cassette is one of {', '.join(SCOPES)}"
    return next(filter(None, (_VALUES.get(word, _no_flag)(word, value) for word, value in mark.kwargs.items() if word != "scope")), "")


def _no_flag(word: str, value: object) -> str:
    return "" if isinstance(value, bool) else f"{word} of the cassette marker is True or False"


def _no_era(word: str, value: object) -> str:
    from tandem.eras import ERAS

    return (
        "" if value is None or (isinstance(value, str) and value in ERAS) else f"{word} of the cassette marker is one of {', '.join(ERAS)}"
    )


def _no_faults(word: str, value: object) -> str:
    from tandem.faults import Fault
    from tfx.errors import UsageError

    if not isinstance(value, list | tuple) or not all(isinstance(one, str | Fault) for one in value):
        return f'{word} of the cassette marker is a list of texts such as "pump-logs:2:429"'
    try:
        for one in value:
            Fault.parse(str(one))
    except UsageError as error:
        return str(error)
    return ""


def _no_names(word: str, value: object) -> str:
    is_list = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return "" if is_list else f'{word} of the cassette marker is a list of base names such as ["git"]'


_VALUES: Final[Mapping[str, Callable[[str, object], str]]] = MappingProxyType(
    {"as_era": _no_era, "faults": _no_faults, "allow_programs": _no_names}
)
"""What is wrong with the value of a word, empty if nothing; every other word is a flag."""


def _read(mark: pytest.Mark) -> Wanted:
    options = {word: value for word, value in mark.kwargs.items() if word != "scope"}
    return Wanted(name=mark.args[0].removesuffix(".json"), scope=mark.kwargs.get("scope", "function"), options=options)


def _parameter(node: pytest.Item | pytest.Collector) -> Iterator[Wanted]:
    """`@pytest.mark.parametrize("cassette", ["a", "b"], indirect=True)`."""
    name = getattr(node, "callspec", None) and node.callspec.params.get(NAME)  # type: ignore[union-attr]  # only functions have one
    if isinstance(name, str):
        yield Wanted(name=name.removesuffix(".json"))
