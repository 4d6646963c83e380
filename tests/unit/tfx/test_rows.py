"""A file read with its long lists some rows at a time is the one `loads` reads, and only if `dumps` writes it letter for letter."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from unittest import mock

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tfx import rows
from tfx.cassette import Cassette
from tfx.errors import CassetteError
from tfx.exchange import Exchange, Headers, Request, Response
from tfx.jsonbody import Json
from tfx.store import as_dumped, dumps, is_dumped, loads
from tfx.stored import Stored

LEAVES = st.none() | st.booleans() | st.integers(-9, 1 << 53) | st.sampled_from([0.5, -0.0, 1e30, "", "a", '}",{"a":', "\n", "é", "\0"])
INSIDE = LEAVES | st.lists(LEAVES | st.lists(LEAVES, max_size=2), max_size=3) | st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=2)
ALIKE = st.lists(st.tuples(INSIDE, INSIDE).map(lambda pair: {"a": pair[0], "b": pair[1]}), min_size=1, max_size=9)
MIXED = st.lists(st.dictionaries(st.sampled_from("abc"), INSIDE, max_size=3) | LEAVES, min_size=1, max_size=9)
SPELLINGS = [
    (b"", b"", "as it was"),
    (b'{"a":', b'{"a": ', "a blank"),
    (b'{"a":', b'{"a":0,"a":', "a member twice"),
    (b'{"a":', b'{"\\u0061":', "a name in escapes"),
    (b"100.0", b"1e+02", "a number in another spelling of as many letters"),
    (b":1", b":10000000000000000000000", "a number the quick reader cannot hold"),
    (b"},\n       {", b"},{", "two rows on a line"),
    (b'},{"a":2}]},\n       {', b'},\n       {"a":2}]},{', "a break within a row and none behind it"),
    (b'},\n       {"c":[{"a":1},{', b'},{"c":[{"a":1},\n       {', "the same, in a row that begins otherwise"),
    (b'},{"a":2}],"b":1},\n       ', b'},\n       {"a":2}],"b":1},', "the same, before a row that is none"),
    (b",", b",\n       ", "a break within a row"),
    (b"},\n       {", b"},\n      {", "another indent"),
    (b"\n      ]", b"\n       ]", "another indent of the end"),
    (b"},\n       {", b"},\n       [],\n       {", "a row that is none"),
    (b"},\n       {", b"},\n       {},\n       {", "a row of nothing"),
    (b'{"a":', b'{"c":0,"a":', "a row that begins otherwise"),
    (b'"z"', b'"' + b"z" * 2500 + b'"', "a line that is too long"),
    (b'"z"', b"[[[1]]]", "a row that nests too deep for a line"),
    (b'"more": [', b'"events": [', "a list twice"),
]
ODD = (
    [{"a": [{"a": 1}, {"a": 2}]}, {"a": 3}],
    [{"a": 1}, {"c": [{"a": 1}, {"a": 2}]}],
    [{"a": [{"a": 1}, {"a": 2}], "b": 1}, "a"],
    [{"a": at, "b": 100.0, "c": "z"} for at in range(12)],
    [{"a": {"b": [[1]]}}] * 9,
    [{"a": "x" * 2500}] * 9,
)


def sealed(data: bytes) -> bytes:
    blank = re.sub(rb'"digest": "sha256:[0-9a-f]{64}"', b'"digest": "sha256:' + b"0" * 64 + b'"', data, count=1)
    return blank.replace(b"0" * 64, sha256(blank).hexdigest().encode(), 1)


def read_whole(data: bytes) -> Cassette | None:
    """What the long way finds."""
    try:
        found = loads(data, "x")
        return found if is_dumped(found, data) else None
    except (CassetteError, ValueError):
        return None


@settings(max_examples=8)
@given(ALIKE | MIXED)
@example(ODD[0])
@example(ODD[1])
@example(ODD[2])
@example(ODD[3])
@example(ODD[4])
@example(ODD[5])
def test_it_reads_what_the_long_way_reads_and_nothing_else(listed: list[Json]) -> None:
    data = dumps(made({"events": listed, "more": [{"a": 7}] * 3}))
    for old, new, why in SPELLINGS:
        broken = sealed(data.replace(old, new, 1))
        whole = read_whole(broken)
        for piece in (1, 1000):
            with mock.patch.multiple(rows, _SHORTEST=20, _PIECE=piece):
                found = as_dumped(broken)
            assert found is None or found == whole, why


def made(value: Json) -> Cassette:
    headers = Headers([("Content-Type", "application/json")])
    one = Exchange(
        request=Request(method="GET", url="https://x/"), response=Response(status=200, headers=headers, body=orjson.dumps(value))
    )
    return Cassette(name="x", era="2025", region="eu", clock=datetime(2024, 7, 3, tzinfo=UTC), policy=1, exchanges=(one,))


def test_long_lists_are_taken_apart_and_equal_lists_are_too() -> None:
    events: list[Json] = [
        {"code": 1, "properties": {"bits": [1, 2], "rate": 0.5}, "at": f"2024-07-01T00:00:{at % 60:02}"} for at in range(2000)
    ]
    found = as_dumped(dumps(made({"events": events, "note": "x", "changes": events[:3]})))
    assert found is not None
    for exchange in found.exchanges:
        stored = exchange.unmade
        assert isinstance(stored, Stored)
        assert [*stored.tables] == ["events"], "a short list is read with all else"
        table = stored.tables["events"]
        assert table.names == ("code", "properties", "at")
        assert table.rows == events
        assert [dict(zip(table.names, row, strict=True)) for row in zip(*table.columns.values(), strict=True)] == events


@pytest.mark.parametrize("shown", [b"\\u0000", b"\\u0000\\u0000"])
def test_what_stands_for_a_list_cannot_stand_in_a_file(shown: bytes) -> None:
    events: list[Json] = [{"code": at, "text": "x" * 40} for at in range(2000)]
    data = dumps(made({"events": events, "note": "MARK"}))
    broken = sealed(data.replace(b"MARK", shown))
    assert as_dumped(broken) is None
    assert read_whole(broken) is not None
