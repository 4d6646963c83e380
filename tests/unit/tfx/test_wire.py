import http.client
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx.exchange import Headers, Response
from tfx.wire import CHUNK, DROPS, drops, on_the_wire, request_of, unchunked


class Tape(io.BytesIO):
    """Bytes that http.client takes for a socket."""

    def makefile(self, *_: object) -> "Tape":
        return self


def response(body: bytes, *, chunked: bool) -> Response:
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
    return Response(status=200, reason="OK", headers=Headers([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), framing]), body=body)


@given(body=st.one_of(st.binary(max_size=50), st.integers(CHUNK - 1, 2 * CHUNK + 1).map(bytes)), chunked=st.booleans())
def test_what_goes_out_is_what_a_client_reads(body: bytes, chunked: bool) -> None:
    wire = on_the_wire(response(body, chunked=chunked))
    found = http.client.HTTPResponse(Tape(wire.head + wire.body))  # type: ignore[arg-type]  # a tape reads like a socket
    found.begin()
    assert found.read() == body
    assert found.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


@given(st.binary(max_size=2000))
def test_a_slow_answer_is_the_same_answer_in_few_drops(body: bytes) -> None:
    wire = on_the_wire(response(body, chunked=True))
    pieces = list(drops(wire))
    assert b"".join(pieces) == wire.head + wire.body
    assert 1 < len(pieces) <= DROPS


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_to_head_has_no_body(chunked: bool) -> None:
    assert on_the_wire(response(b"abc", chunked=chunked), "HEAD").body == b""


@given(body=st.binary(max_size=60), pieces=st.lists(st.integers(1, 20), max_size=8), chunked=st.booleans(), data=st.data())
def test_what_a_client_sends_is_read_once_it_is_whole(body: bytes, pieces: list[int], chunked: bool, data: st.DataObject) -> None:
    framing, sent = f"Content-Length: {len(body)}", body
    if chunked:
        cuts = [0, *sorted({min(sum(pieces[: at + 1]), len(body)) for at in range(len(pieces))} - {0}), len(body)]
        parts = [body[one:two] for one, two in pairwise(cuts) if one < two]
        framing, sent = (
            "Transfer-Encoding: chunked",
            b"".join(b"%X;x=y\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nT: u\r\n\r\n",
        )
    wire = f"POST /a?b=c HTTP/1.1\r\nHost: h\r\nX: one:two \r\n{framing}\r\n\r\n".encode() + sent
    found = request_of(wire, "https://h")
    assert found is not None
    assert (found.method, found.url, found.headers.get("X"), found.body) == ("POST", "https://h/a?b=c", "one:two", body)
    assert request_of(wire[: data.draw(st.integers(0, len(wire) - 1))], "https://h") is None


def test_a_whole_url_is_the_request_to_a_proxy_and_one_in_a_query_is_not() -> None:
    for target, url in (("http://other/x", "http://other/x"), ("/x?to=http://other/", "http://h/x?to=http://other/")):
        found = request_of(f"GET {target} HTTP/1.1\r\n\r\n".encode(), "http://h")
        assert found is not None
        assert found.url == url


@pytest.mark.parametrize("sent", [b"zz\r\n", b"-1\r\n", b"3\r\nab", b"3\r\nabcd\r\n0\r\n\r\n", b"9\r\n123456789\r\n0\r\n\r\n", b""])
def test_chunks_that_are_none_or_too_much(sent: bytes) -> None:
    assert unchunked(io.BytesIO(sent), 8) is None
