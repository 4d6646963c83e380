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

TOO_LONG: Final = "holds a number too long to read"


def parse(data: bytes) -> Json:
    """The value of a JSON text.

    Raises:
        FormatError: the text is not UTF-8, not JSON, deeper than `DEEPEST`, names a member twice, or holds a
            number of thousands of digits. The message never quotes it.
    """
    return read(data)[0]


def read(data: bytes) -> tuple[Json, bool]:
    """The value of a JSON text, and whether the text is letter for letter what `write` gives for it.

    Raises:
        FormatError: as `parse`.
    """
    # orjson is lenient (the last of two members of one name wins, a long integer becomes a float), but what it writes back unchanged
    # holds nothing that it overlooked. Most bodies are such, and then the strict reader, which is five times as slow, is not needed.
    try:
        value: Json = orjson.loads(data)
        is_exact = orjson.dumps(value) == data
    except (ValueError, TypeError):
        is_exact = False
    if not is_exact:
        value = _strictly(data)
    if len(data) > DEEPEST and nests_deeper(value, DEEPEST, data):
        raise FormatError(f"a JSON body nests deeper than {DEEPEST} levels")
    return value, is_exact


def lenient(data: bytes) -> tuple[object, bool]:
    """Any JSON, as Python's own reader reads it, and whether the quick reader read it: then every number and text in it can be written.

    Raises:
        ValueError, RecursionError: it is none.
    """
    if not _may_hold_a_long_integer(data):
        try:
            return orjson.loads(data), True
        except ValueError:
            pass
    return json.loads(data), False


def nests_deeper(value: Json, levels: int, text: bytes = b"") -> bool:
    """Whether arrays and objects nest deeper than that: `[]` is one level. `text`, if it is known, is JSON that says the value."""
    brackets = _brackets(text)
    if brackets is not None:
        for _ in range(levels):
            if not brackets:
                return False
            brackets = brackets.replace(b"{}", b"")
        return bool(brackets)
    # `type(...) is`: this runs once a value of every body, and JSON makes no subclasses.
    level = [value] if type(value) is dict or type(value) is list else []
    for _ in range(levels - 1):
        level = [item for one in level for item in (one.values() if type(one) is dict else one) if type(item) is dict or type(item) is list]
        if not level:
            return False
    # Of the last level the first will do: a list of pump events has thousands.
    for one in level:
        for item in one.values() if type(one) is dict else one:
            if type(item) is dict or type(item) is list:
                return True
    return False


def write(value: Json, style: str = "compact") -> bytes:
    """The text of a value in one of `STYLES`."""
    return STYLES[style](value)


def style_of(data: bytes) -> tuple[Json, str] | None:
    """The value and the style that gives these very bytes again, or None where no style does (then the bytes must be kept)."""
    try:
        value, is_exact = read(data)
    except FormatError:
        return None
    if is_exact:
        return value, "compact"
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


def _brackets(text: bytes) -> bytes | None:
    """The brackets of a JSON text, all as braces and without what stands between them; None where some may be inside of strings."""
    shown = text.translate(_BRACES, _NEITHER_BRACKET_NOR_QUOTE)
    if not text or b"\\" in shown:
        return None
    # Nothing escapes a quote, so they stand in pairs; a quote that has not its partner beside it has brackets behind it.
    shown = shown.replace(b'""', b"")
    return None if b'"' in shown else shown


_BRACES: Final = bytes.maketrans(b"[]", b"{}")
_NEITHER_BRACKET_NOR_QUOTE: Final = bytes(one for one in range(256) if one not in b'[]{}"\\')


def _may_hold_a_long_integer(data: bytes) -> bool:
    """Whether a number of so many digits that orjson would make a float of it stands there, or something that looks like one."""
    digits = data.translate(_DIGITS)
    start = digits.find(_LONG)
    while start >= 0:
        before = start - 1 if data[start - 1 : start] != b"-" else start - 2
        if before < 0 or data[before] in b" \t\r\n:,[":
            return True
        end = digits.find(b" ", start)
        start = digits.find(_LONG, end) if end > 0 else -1
    return False


_DIGITS: Final = bytes(ord("0") if chr(one).isdigit() and one < 128 else ord(" ") for one in range(256))  # noqa: PLR2004  # ASCII
_LONG: Final = b"0" * 19


def _strictly(data: bytes) -> Json:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("a JSON body is not UTF-8") from None
    try:
        value: Json = json.loads(text, object_pairs_hook=_members, parse_constant=_constant)
    except json.JSONDecodeError as error:
        # Not where: of a body that goes wrong behind its end that would be its length.
        raise FormatError(f"a JSON body breaks off or goes wrong: {error.msg}") from None
    except ValueError:  # Python's limit on the digits of an integer
        raise FormatError(f"a JSON body {TOO_LONG}") from None
    except RecursionError:
        raise FormatError(f"a JSON body nests deeper than {DEEPEST} levels") from None
    return value


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
