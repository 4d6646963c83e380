"""A capture never prints, and cannot be pickled or copied out of memory by accident."""

import copy
import pickle
from datetime import UTC, datetime

import pytest

from tfx.capture import Capture, Seen
from tfx.exchange import Exchange, Headers, Request, Response

CANARY = "canary-7f3a"


def full() -> Capture:
    request = Request(method="POST", url=f"https://x.invalid/{CANARY}", headers=Headers([("Cookie", CANARY)]), body=CANARY.encode())
    response = Response(status=200, headers=Headers([(CANARY, CANARY)]), body=CANARY.encode())
    seen = (Seen(kind="password", value=CANARY), Seen(kind="name", value=CANARY))
    return Capture(
        exchanges=(Exchange(request=request, response=response),),
        era="2025",
        region="us",
        clock=datetime(2026, 1, 1, tzinfo=UTC),
        seen=seen,
    )


def test_its_repr_shows_counts_only() -> None:
    assert repr(full()) == "Capture(1 exchanges, 2 seen values)"


def test_nothing_inside_it_prints_what_it_holds() -> None:
    capture = full()
    exchange = capture.exchanges[0]
    parts = (capture, exchange, exchange.request, exchange.response, exchange.request.headers, *capture.seen)
    assert CANARY not in " ".join(f"{part} {part!r}" for part in parts)


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("what", ["capture", "seen"])
def test_it_is_neither_pickled_nor_copied(leave: object, what: str) -> None:
    capture = full()
    with pytest.raises(TypeError, match="never pickled"):
        leave(capture if what == "capture" else capture.seen[0])  # type: ignore[operator]  # a table cell
