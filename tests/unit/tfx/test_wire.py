import http.client
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx.exchange import Headers, Response
from tfx.wire import CHUNK, DROPS, drops, on_the_wire


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
