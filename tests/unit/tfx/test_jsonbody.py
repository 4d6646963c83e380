"""JSON bodies are read strictly and written back in the style they came in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import jsonbody
from tfx.errors import FormatError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.sampled_from(sorted(jsonbody.STYLES)))
def test_every_style_reads_back(value: jsonbody.Json, style: str) -> None:
    try:
        text = jsonbody.write(value, style)
        text.decode("utf-8")
    except UnicodeDecodeError:
        return  # lone surrogates have no UTF-8 form; only the escaping styles can carry them
    assert jsonbody.parse(text) == value


@given(VALUES, st.sampled_from(sorted(jsonbody.STYLES)))
def test_a_found_style_gives_the_very_bytes(value: jsonbody.Json, style: str) -> None:
    text = jsonbody.write(value, style)
    found = jsonbody.style_of(text)
    assert found is None or jsonbody.write(*found) == text


@given(
    VALUES.map(jsonbody.write)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.text('{}[]",:1a0.e-\\ud8 ', max_size=20).map(str.encode)
)
def test_the_quick_reader_reads_as_the_strict_one(text: bytes) -> None:
    try:
        strict = jsonbody._strictly(text)  # the reader that the quick one must equal
    except (FormatError, ValueError):
        with pytest.raises((FormatError, ValueError)):
            jsonbody.parse(text)
        return
    value, is_exact = jsonbody.read(text)
    assert repr(value) == repr(strict), "1, 1.0 and True are different"
    assert is_exact <= (jsonbody.write(value) == text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a":1.8189592,"b":0,"c":30}', "shortest float32 text and integers stay as they are"),
        (b'{"a": 1, "b": [1, 2]}', "as requests writes it"),
        ('{"n":"t:slim X2™"}'.encode(), "unescaped UTF-8"),
        (b'{"n":"\\u2122"}', "escaped UTF-8"),
        (b'{"big":123456789012345678901234567890}', "integers beyond 64 bits"),
    ],
)
def test_the_styles_services_write_are_known(text: bytes, why: str) -> None:
    assert jsonbody.style_of(text) is not None, why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a":1,"a":2}', "which one counts differs by reader"),
        (b'{"a":1e400}', "overflows to infinity"),
        (b'{"a":1.10}', "the trailing nought would go"),
        (b'{"a" :1}', "white space nobody writes"),
        (b"", "nothing"),
    ],
)
def test_no_style_is_claimed_where_bytes_would_change(text: bytes, why: str) -> None:
    assert jsonbody.style_of(text) is None, why


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b'{"a":1,"a":2}', "names a member twice"),
        (b"[NaN]", "holds NaN"),
        (b'["\xff"]', "is not UTF-8"),
        (b'{"secret', "breaks off"),
        (b"[" + b"9" * 6000 + b"]", "holds a number too long to read"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b"[" * 100_000, "deeper than 64"),
    ],
)
def test_lenient_json_is_refused(text: bytes, what: str) -> None:
    with pytest.raises(FormatError, match=what) as caught:
        jsonbody.parse(text)
    assert "secret" not in str(caught.value)


def test_names_and_long_numbers_are_read_where_the_quick_reader_would_lose_them() -> None:
    assert jsonbody.read(b'{"big":18446744073709551616}') == ({"big": 1 << 64}, False)
    assert jsonbody.read(b'["\\ud800"]') == (["\ud800"], False)
    assert jsonbody.read(b'{"a":18446744073709551615}') == ({"a": (1 << 64) - 1}, True)


def test_deep_but_allowed() -> None:
    text = b"[" * 64 + b"]" * 64
    assert json.dumps(jsonbody.parse(text)).encode() == text
