"""Read the `replay` member of an exchange, and say in words what is wrong with one. Pure."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, cast, get_args

from tfx.errors import CassetteError
from tfx.exchange import STRICT, Repeat, State, Terms
from tfx.jsonbody import Json

_REPEATS: Final = get_args(Repeat)
_STATES: Final = tuple(filter(None, get_args(State)))
_PARTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "": ("request", "response", "replay"),
        "request": ("method", "url", "headers", "body"),
        "response": ("status", "reason", "headers", "body"),
    }
)
"""Part of an exchange (blank: the exchange itself) -> its members in the file."""


class TermsError(CassetteError):
    """What is wrong in an exchange, without the file and its number: a name that is not known is not repeated, for it may be anything."""


def terms_of(node: Json) -> Terms:
    """The terms of a `replay` member; None stands for none. A key that is left out has its default.

    Raises:
        TermsError: a key or a value is not one of those there are.
    """
    if node is None:
        return STRICT
    if not isinstance(node, dict):
        raise TermsError('replay: it is an object such as {"repeat": "last"}')
    strange = next((key for key in node if key not in _READERS), None)
    if strange is not None:
        raise TermsError(f"replay: {_unknown('key', strange, tuple(_READERS))}")
    read = {key: _READERS[key](key, value) for key, value in node.items()}
    return Terms(**read)  # type: ignore[arg-type]  # a reader per member, each of its type


def check_members(node: Json) -> None:
    """See that an exchange has only members that it can have: the file is written again without the others, so an edit would be lost.

    Raises:
        TermsError: it has another, or a key of `replay` stands elsewhere.
    """
    if not isinstance(node, dict):
        return
    for part, members in _PARTS.items():
        within = node.get(part) if part else node
        strange = next((key for key in within if key not in members), None) if isinstance(within, dict) else None
        if strange is not None:
            raise TermsError(f"{part}: {_elsewhere(strange, members)}" if part else _elsewhere(strange, members))


def _elsewhere(key: str, members: Sequence[str]) -> str:
    if key in _READERS:
        return f'"{key}" belongs into the member "replay" of the exchange: "replay": {{"{key}": ...}}'
    return '"replay" stands beside "request" and "response", in neither of them' if key == "replay" else _unknown("key", key, members)


def _unknown(what: str, found: str, known: Sequence[str]) -> str:
    near = get_close_matches(found, known, n=1)
    return f"an unknown {what}{f' (near it: {near[0]})' if near else ''}; known are {', '.join(known)}"


def _repeat(key: str, value: Json) -> Repeat:
    return cast("Repeat", _one_of(key, value, _REPEATS))


def _state(key: str, value: Json) -> State:
    return cast("State", _one_of(key, value, _STATES))


def _one_of(key: str, value: Json, known: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise TermsError(f"replay.{key}: {_unknown('value', value if isinstance(value, str) else '', known)}")
    return value


def _ignore(key: str, value: Json) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(place, str) for place in value):
        raise TermsError(f'replay.{key}: it is a list of places such as ["query.endDate"]')
    return tuple(cast("list[str]", value))


_READERS: Final[Mapping[str, Callable[[str, Json], object]]] = MappingProxyType(
    {"repeat": _repeat, "ignore": _ignore, "when": _state, "then": _state}
)
"""Key of `replay` -> what reads its value."""
