"""Read JSON strictly, and write it again for the quarantine. Pure.

Legal but unusable values (half a surrogate pair, a number of a hundred digits), NaN, which is not JSON but occurs, and a member that is
there twice make their own event unreadable, not the whole response.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

from tfx import jsonbody
from tfx.jsonbody import Json


class Twice(str):
    """An object that names a member twice, as text: readers differ on which one counts, so none of ours is to take it for an object."""

    __slots__ = ()


def read(body: bytes) -> object:
    """The value of a JSON text, `Twice` where an object names a member twice. Raises ValueError or RecursionError for what is no JSON."""
    value, quick = jsonbody.lenient(body)
    if quick and body.count(b'":') == _members(value):
        return value
    return json.loads(body, object_pairs_hook=_object)


def shallow(body: bytes) -> bytes:
    """The same JSON text, in which a value inside an event that nests deeper than anybody reads is a string: its own text.

    Raises ValueError where such a text is not UTF-8.
    """
    parts, done, level, start, deepest = [], 0, 0, 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] in (b"[", b"{"):
            level += 1
            if level == _INSIDE:
                start, deepest = token.start(), 0
            deepest = max(deepest, level)
        elif token[0] in (b"]", b"}"):
            if level == _INSIDE and deepest > jsonbody.DEEPEST:
                parts += [body[done:start], json.dumps(body[start : token.end()].decode()).encode()]
                done = token.end()
            level -= 1
    return b"".join([*parts, body[done:]])


_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)
_INSIDE: Final = 5
"""The level at which a value of an event's member, or of its properties, may begin: in an answer, in a list, in an event, in a member."""


def spell(told: Json) -> bytes:
    """The text of any JSON value, `Twice` as it came. Raises RecursionError for what nests deeper than Python reads."""
    return _spelled(told).encode("ascii")


def is_text(told: str) -> bool:
    """Whether a column can hold it: half a surrogate pair is legal JSON and no text."""
    return not any("\ud800" <= letter <= "\udfff" for letter in told)


def _members(answer: object) -> int:
    """How many members an answer has, if it is one of pump events; of anything else, some other number."""
    if not isinstance(answer, dict):
        return -1
    events = [event for found in answer.values() if isinstance(found, list) for event in found if isinstance(event, dict)]
    inner: Iterable[object] = (event.get(_INNER) for event in events)
    return len(answer) + sum(map(len, events)) + sum(len(one) for one in inner if isinstance(one, dict))


_INNER: Final = "eventProperties"


def _object(pairs: list[tuple[str, Json]]) -> Json:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Twice(_braced(pairs))


def _spelled(told: Json) -> str:
    if isinstance(told, Twice):
        return str(told)
    if isinstance(told, dict):
        return _braced(told.items())
    if isinstance(told, list):
        return f"[{','.join(map(_spelled, told))}]"
    return json.dumps(told)


def _braced(pairs: Iterable[tuple[str, Json]]) -> str:
    return f"{{{','.join(f'{json.dumps(name)}:{_spelled(value)}' for name, value in pairs)}}}"
