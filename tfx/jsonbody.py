"""JSON bodies: strict reading, and writing in the style they came in. Pure.

A reader that is lenient about JSON is a reader that overlooks a secret: a second member of the same name, a NaN, bytes that are
not UTF-8 are refused, never repaired.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias

import orjson

from tfx.errors import FormatError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

DEEPEST: Final = 64
"""How deep arrays and objects may nest."""


def parse(data: bytes) -> Json:
    """The value of a JSON text.

    Raises:
        FormatError: the text is not UTF-8, not JSON, deeper than `DEEPEST`, or names a member twice. The message never quotes it.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"a JSON body is not UTF-8 at byte {error.start}") from None
    try:
        value: Json = json.loads(text, object_pairs_hook=_members, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise FormatError(f"a JSON body breaks off or goes wrong at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise FormatError(f"a JSON body nests deeper than {DEEPEST} levels") from None
    if _deeper_than(value, DEEPEST):
        raise FormatError(f"a JSON body nests deeper than {DEEPEST} levels")
    return value


def write(value: Json, style: str = "compact") -> bytes:
    """The text of a value in one of `STYLES`."""
    return STYLES[style](value)


def style_of(data: bytes) -> tuple[Json, str] | None:
    """The value and the style that gives these very bytes again, or None where no style does (then the bytes must be kept)."""
    try:
        value = parse(data)
    except FormatError:
        return None
    for style, writer in STYLES.items():
        if writer(value) == data:
            return value, style
    return None


def nearest_style(data: bytes) -> str:
    """The style that looks most like these bytes, for writing a changed value back."""
    found = style_of(data)
    if found:
        return found[1]
    return "spaced" if b'": ' in data else "compact"


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise FormatError("a JSON body names a member twice, and readers differ on which one counts; it is refused")
    return members


def _constant(name: str) -> NoReturn:
    raise FormatError(f"a JSON body holds {name}, which is not JSON")


def _deeper_than(value: Json, levels: int) -> bool:
    # `type(...) is`: this runs once a value of every body, and JSON makes no subclasses.
    if type(value) is not dict and type(value) is not list:
        return False
    if levels == 0:
        return True
    for item in value.values() if isinstance(value, dict) else value:
        if (type(item) is dict or type(item) is list) and _deeper_than(item, levels - 1):
            return True
    return False


def _compact(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _spaced(value: Json) -> bytes:
    return json.dumps(value).encode("ascii")


def _ascii(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _open(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _indented(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass")


STYLES: Mapping[str, Callable[[Json], bytes]] = MappingProxyType(
    {"compact": _compact, "spaced": _spaced, "ascii": _ascii, "open": _open, "indented": _indented}
)
"""`compact` as services write it, `spaced` as requests writes `json=` bodies, and three rarer ones."""
