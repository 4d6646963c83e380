"""An exchange survives the pipe and the checkpoint byte for byte."""

from hypothesis import given
from hypothesis import strategies as st

from recorder.serialized import deserialize, serialize
from tfx.exchange import Exchange, Headers, Request, Response

Part = tuple[list[tuple[str, str]], bytes]
lines = st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4)


parts = st.tuples(lines, st.binary(max_size=40))


@given(st.text(max_size=20), parts, st.integers(100, 599), parts)
def test_an_exchange_comes_back_as_it_was(url: str, sent: Part, status: int, got: Part) -> None:
    exchange = Exchange(
        request=Request(method="GET", url=url, headers=Headers(sent[0]), body=sent[1]),
        response=Response(status=status, reason="Fine", headers=Headers(got[0]), body=got[1]),
    )
    assert deserialize(serialize(exchange)) == exchange
