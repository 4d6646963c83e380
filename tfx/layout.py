"""How a cassette's JSON is laid out on lines: deterministic, and one pump event a line, so that a git diff reads. Pure."""

from collections.abc import Iterator
from typing import Final

from tfx import jsonbody
from tfx.jsonbody import Json

WIDTH: Final = 120
"""A container that fits into this many characters stays on one line."""

_ROW_WIDTH: Final = 2000
_ROW_DEPTH: Final = 3


def lay_out(value: Json) -> str:
    """The text of a value, with a final newline."""
    return "".join(_lines(value, 0, in_array=False)) + "\n"


def _lines(value: Json, indent: int, *, in_array: bool) -> Iterator[str]:
    if not isinstance(value, dict | list) or _on_one_line(value, in_array=in_array):
        yield jsonbody.write(value).decode("utf-8", "surrogatepass")
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    pairs = list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]
    pad = "\n" + " " * (indent + 1)
    yield opening
    for number, (key, item) in enumerate(pairs):
        yield ("," if number else "") + pad
        if key is not None:
            yield jsonbody.write(key).decode("utf-8", "surrogatepass") + ": "
        yield from _lines(item, indent + 1, in_array=key is None)
    yield "\n" + " " * indent + closing


def _on_one_line(value: dict[str, Json] | list[Json], *, in_array: bool) -> bool:
    # An element of an array that is shallow is a row (a pump event, a header line) however wide; all else must be short.
    depth = _depth(value, _ROW_DEPTH)
    if in_array and depth <= (_ROW_DEPTH if type(value) is dict else 1):
        return len(jsonbody.write(value)) <= _ROW_WIDTH
    if depth > _ROW_DEPTH or len(value) > WIDTH // 2:
        return False
    rows = type(value) is list and any(type(item) is dict for item in value)
    return not rows and len(jsonbody.write(value)) <= WIDTH


def _depth(value: dict[str, Json] | list[Json], enough: int) -> int:
    """How deep containers nest, counted no further than `enough` + 1. `type(...) is`: this runs once a value of every event."""
    deepest = 0
    for item in value.values() if type(value) is dict else value:
        if type(item) is dict or type(item) is list:
            deepest = max(deepest, _depth(item, enough - 1) if enough else 1)
            if deepest > enough:
                break
    return deepest + 1
