"""Answers made of their lines in a file: the very bytes that reading the whole file gives, whatever JSON is laid out there."""

import hashlib
import io
import re
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import store
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Headers, Request, Response, Terms
from tfx.jsonbody import Json
from tfx.skimming import skim
from tfx.stored import Kept, Laid

LEAVES = st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False) | st.text(max_size=12)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=40
)
ROWS = st.lists(st.fixed_dictionaries({"eventCode": st.integers(0, 999), 'a": b': st.text(max_size=90)}), min_size=8, max_size=70)
BODIES = (
    VALUES
    | st.fixed_dictionaries({"events": ROWS, "clockChanges": ROWS | st.just([])})
    | ROWS
    | st.lists(st.text(max_size=40), max_size=70)
)


def tape(*bodies: bytes, terms: Terms | None = None) -> Cassette:
    exchanges = [
        Exchange(
            request=Request(method="GET", url="https://x/"),
            response=Response(status=200, headers=Headers([("Content-Length", str(len(body)))]), body=body),
            terms=terms or Terms(),
        )
        for body in bodies
    ]
    return Cassette(name="x", era="2025", region="eu", clock=datetime(2024, 7, 3, tzinfo=UTC), policy=1, exchanges=tuple(exchanges))


def skimmed(data: bytes) -> Cassette:
    found = skim(io.BytesIO(data).read, lambda start, end: data[start:end])
    assert found is not None
    return found


def written(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return b"[0]"


@pytest.mark.proofs
@given(st.lists(BODIES.map(written), min_size=1, max_size=4), st.sampled_from([Terms(), Terms(repeat="cycle")]))
def test_the_lines_of_a_body_give_its_bytes(bodies: list[bytes], terms: Terms) -> None:
    found = skimmed(store.dumps(tape(*bodies, terms=terms)))
    for exchange, body in zip(found.exchanges, bodies, strict=True):
        assert (exchange.response.body, exchange.response.headers.get("content-length")) == (body, str(len(body)))
        assert exchange.terms == terms


LONG: dict[str, list[Json]] = {"events": [{"eventCode": number, "x": "y" * 40} for number in range(2_000)], "clockChanges": []}


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        pytest.param(b"", b"", [Laid, Laid], id="as tfx writes it"),
        pytest.param(b'{"eventCode":7,', b'{"eventCode": 7,', [Kept, Laid], id="a space in a row, in a long body"),
        pytest.param(b'{"a":7}', b'{"a" :7}', [Laid, Kept], id="a space in a short body"),
        pytest.param(b'{"a":7}', b'{"a":7E1}', [Laid, Kept], id="a number that tfx spells otherwise"),
    ],
)
def test_what_another_wrote_is_read_before_it_is_answered(old: bytes, new: bytes, kinds: list[type]) -> None:
    data = resealed(store.dumps(tape(orjson.dumps(LONG), b'[{"a":7}]')).replace(old, new, 1))
    found = skimmed(data)
    assert [type(one.unmade) for one in found.exchanges] == kinds
    assert found == store.loads(data, "x")


def resealed(data: bytes) -> bytes:
    """The file with a digest that fits, as another writer would make it."""
    blank = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + b"0" * 64, data, count=1)
    return blank.replace(b"sha256:" + b"0" * 64, b"sha256:" + hashlib.sha256(blank).hexdigest().encode(), 1)
