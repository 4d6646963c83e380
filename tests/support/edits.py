"""Edits drawn at random: an exchange in which something is written otherwise. For the laws of the check and of what passes it."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol, TypeVar, cast

from hypothesis import strategies as st

from tfx.codec import decoded, encoded
from tfx.errors import FormatError, RefusedError
from tfx.exchange import Exchange, Headers, Response
from tfx.jsonbody import Json, parse, write
from tfx.signing import claims_of, sign

LEAVES: list[Json] = [0.0, -0.0, 1.0, True, False, None, 0, 1, 2, "", [], {}, "1", 1.5, 99, [0], {"unknown1": 0}]

T = TypeVar("T")


class Draw(Protocol):
    """What draws a value: `data.draw`."""

    def __call__(self, strategy: st.SearchStrategy[T], /) -> T:
        """A value of the strategy."""


Edit = Callable[[Exchange, Draw], Exchange]
Way = tuple[str | int, ...]


def ways(value: Json, way: Way = ()) -> Iterator[Way]:
    """The way to everything in a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield (*way, key)
        yield from ways(item, (*way, key))


def another(value: Json, draw: Draw) -> Json:
    """The value with one leaf or container of it written otherwise, or one more member."""
    way = draw(st.sampled_from([*ways(value)] or [()]))
    changed = copy.deepcopy(value)
    inner = cast("dict[str | int, Json]", changed)
    for key in way[:-1]:
        inner = cast("dict[str | int, Json]", inner[key])
    for key in way[-1:]:
        old = inner[key]
        inner[key] = draw(st.sampled_from([*LEAVES, float(old) if type(old) is int else old]))
        if isinstance(key, str) and draw(st.booleans()):
            inner[draw(st.sampled_from(["note", "unknown2", "spareA0", "firstName"]))] = old
    return changed


def method(one: Exchange, draw: Draw) -> Exchange:
    """The method in other letters, or another one."""
    return one.replacing(request=replace(one.request, method=draw(st.sampled_from(["gEt", "get", "POST", "GeT"]))))


def url(one: Exchange, draw: Draw) -> Exchange:
    """The URL with a key, a fragment or a spelling of its own."""
    told = one.request.url
    others = [f"{told}&", f"{told}?", told.replace("%3A", ":"), f"{told}#", told.replace("=", "=%30", 1), f"{told}&{told[-9:]}"]
    others += [told.replace(".com/", ".com:443/"), told.replace(".com/", ".COM/"), f"{told}&note=1", told + "x"]
    return one.replacing(request=replace(one.request, url=draw(st.sampled_from(others))))


def line(one: Exchange, draw: Draw) -> Exchange:
    """A header line repeated, gone, or in other letters."""
    way = draw(st.sampled_from(["request", "response"]))
    part = one.request if way == "request" else one.response
    lines = list(part.headers)
    if not lines:
        return one
    index = draw(st.integers(0, len(lines) - 1))
    name, value = lines[index]
    others = [(name.swapcase(), value), (name, value.swapcase()), (name, value.replace("; ", ";")), (name, f"{value}, {value}")]
    others += [(name, ""), (name, value.replace(".com", ".com:443")), ("X-Note", value), (name, f"{value}x")]
    others += [(name, value), (name, value + "; " + value.rpartition("; ")[2])]
    lines[index : index + draw(st.integers(0, 1))] = [draw(st.sampled_from(others))]
    headers = Headers(lines)
    if way == "request":
        return one.replacing(request=replace(one.request, headers=headers))
    return one.replacing(response=replace(one.response, headers=headers))


def answer(one: Exchange, draw: Draw) -> Exchange:
    """The answer with something in it written otherwise; of a token, in its claims."""
    response = one.response
    try:
        value = parse(decoded(response.headers, response.body))
    except (FormatError, RefusedError):
        return one
    token = value.get("id_token") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(token, str) and token.count(".") == 2 and draw(st.booleans()):
        claims = another(dict(claims_of(token)), draw)
        assert isinstance(claims, dict)
        value["id_token"] = sign(claims)
    else:
        value = another(value, draw)
    return _answering(one, encoded(response.headers, write(value)))


def broken(one: Exchange, draw: Draw) -> Exchange:
    """The answer without its end, or with something behind it."""
    body = one.response.body
    end = draw(st.sampled_from([b"", b"x", b"{}", b" "]))
    return _answering(one, body[: -len(body) // 3] if end == b"x" else body + end if end else b"")


def status(one: Exchange, draw: Draw) -> Exchange:
    """The answer under another status."""
    number = draw(st.sampled_from([200, 204, 302, 400, 404, 500, 777]))
    response = one.response
    return one.replacing(response=Response(status=number, reason="", headers=response.headers, body=response.body))


def _answering(one: Exchange, body: bytes) -> Exchange:
    response = one.response
    headers = response.headers.replacing("Content-Length", str(len(body))) if "content-length" in response.headers else response.headers
    return one.replacing(response=Response(status=response.status, reason=response.reason, headers=headers, body=body))


EDITS: Mapping[str, Edit] = MappingProxyType({"method": method, "url": url, "line": line, "answer": answer, "the answer": answer})
"""Those after which an exchange can be understood."""
ODD: Mapping[str, Edit] = MappingProxyType({**EDITS, "broken": broken, "status": status})
