"""Bodies in a cassette file: byte-exact whatever they are, readable where they can be."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import bodies, codec
from tfx.exchange import Headers

TYPES = ["application/json", "application/x-www-form-urlencoded", "text/html; charset=utf-8", "application/octet-stream"]


@given(st.binary() | st.text().map(str.encode), st.sampled_from(TYPES), st.sampled_from(["", "gzip", "deflate"]))
def test_a_body_comes_back_byte_for_byte(body: bytes, content_type: str, coding: str) -> None:
    headers = Headers([("Content-Type", content_type), *([("Content-Encoding", coding)] if coding else [])])
    wire = codec.encoded(headers, body)
    assert bodies.body_bytes(headers, bodies.body_node(headers, wire)) == wire


def test_a_compressed_body_that_we_would_write_otherwise_keeps_its_bytes() -> None:
    headers = Headers([("Content-Encoding", "gzip")])
    wire = b"\x1f\x8b\x08\x00\x01\x02\x03\x04" + codec.encoded(headers, b"x")[8:]
    assert set(bodies.body_node(headers, wire)) == {"wire"}
    assert bodies.body_bytes(headers, bodies.body_node(headers, wire)) == wire


RECORDS = bytes(range(52))


@pytest.mark.parametrize(
    ("content_type", "body", "form", "why"),
    [
        ("application/json", b'{"a":1}', {"json": {"a": 1}}, "JSON in place"),
        ("application/json", b'{"a": 1}', {"json": {"a": 1}, "style": "spaced"}, "the style is named"),
        ("application/json", b'{"a":1,"a":1}', {"text": '{"a":1,"a":1}'}, "duplicates cannot be JSON in place"),
        ("text/html", b"<p>\n</p>", {"text": "<p>\n</p>"}, "text as text"),
        ("application/x-www-form-urlencoded", b"a=&a=%2F", {"form": [["a", ""], ["a", "/"]]}, "blanks and duplicates"),
        ("application/x-www-form-urlencoded", b"a=%2f", {"text": "a=%2f"}, "lower-case escapes would change"),
        ("application/octet-stream", b"\x00\xff", {"base64": "AP8="}, "binary"),
        ("text/plain", b"a\x00b", {"base64": "YQBi"}, "a NUL is no text"),
        (
            "application/json",
            b'"' + base64.b64encode(RECORDS) + b'"',
            {"records": [RECORDS[:26].hex(), RECORDS[26:].hex()]},
            "a record a line",
        ),
        ("application/json", b"", {}, "nothing stays nothing"),
    ],
)
def test_the_form_a_body_takes(content_type: str, body: bytes, form: dict[str, object], why: str) -> None:
    headers = Headers([("Content-Type", content_type)])
    assert bodies.body_node(headers, body) == form, why
    assert bodies.body_bytes(headers, form) == body, why  # type: ignore[arg-type]  # a table cell is wider than a node
