"""Factories in one word for the kernel's nouns."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tfx import codec
from tfx.cassette import Cassette
from tfx.exchange import Exchange, Headers, Request, Response

JSON = ("Content-Type", "application/json")


def make_exchange(
    *, url: str = "https://source.tandemdiabetes.com/x", status: int = 200, body: bytes = b'{"a":1}', coding: str = ""
) -> Exchange:
    headers = Headers([JSON, ("Content-Encoding", coding)] if coding else [JSON])
    wire = codec.encoded(headers, body)
    headers = headers.replacing("Content-Length", str(len(wire)))
    return Exchange(request=Request(method="GET", url=url), response=Response(status=status, reason="OK", headers=headers, body=wire))


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    return make_exchange


@pytest.fixture
def cassette() -> Callable[..., Cassette]:
    def make(*exchanges: Exchange, name: str = "made") -> Cassette:
        return Cassette(
            name=name,
            era="2026-10",
            region="us",
            clock=datetime(2024, 7, 3, 12, 0, tzinfo=UTC),
            policy=1,
            exchanges=exchanges or (make_exchange(),),
            rules={"serial": 2},
        )

    return make
