"""The cache of response bodies: one that is requested again is made once, and all caches together stay within their limit."""

from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfx import shelf
from tfx.exchange import Response
from tfx.shelf import Shelf

ROOM = 100


class Making:
    def __init__(self, sizes: dict[int, int]) -> None:
        self.sizes, self.made = sizes, list[int]()

    def __call__(self, place: int) -> Response:
        self.made.append(place)
        return Response(status=200, body=b"x" * self.sizes[place])


def asked(on: Shelf, making: Making, *places: int, at_once: bool = False) -> None:
    for place in places:
        assert len(on.answer(place, lambda at=place: making(at), at_once=at_once).body) == making.sizes[place]  # type: ignore[misc]  # mypy cannot infer a default's type


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=60), st.lists(st.integers(0, 60), min_size=6, max_size=6))
def test_no_more_is_held_than_there_is_room(asks: list[tuple[bool, int]], sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "ROOM", ROOM)
        patch.setattr(shelf, "_SHELVES", WeakSet())
        shelves, making = (Shelf(), Shelf()), Making(dict(enumerate(sizes)))
        for which, place in asks:
            asked(shelves[which], making, place)
            assert sum(one.held for one in shelves) <= ROOM
            assert all(one.held == sum(len(kept.body) for kept in one._answers.values()) for one in shelves)


@pytest.mark.parametrize(
    ("at_once", "asks", "made"),
    [
        pytest.param(False, (1, 2, 3), [1, 2, 3], id="what is asked for once is made once"),
        pytest.param(False, (1, 1, 1, 1), [1, 1], id="what is asked for again is kept then"),
        pytest.param(True, (1, 1, 1), [1], id="what is dear is kept at once"),
        pytest.param(True, (1, 2, 1, 3, 1, 2), [1, 2, 3, 2], id="what was asked for longest ago goes"),
        pytest.param(True, (4, 4), [4, 4], id="what is larger than the room is not kept"),
    ],
)
def test_what_is_made_anew(monkeypatch: pytest.MonkeyPatch, at_once: bool, asks: tuple[int, ...], made: list[int]) -> None:
    monkeypatch.setattr(shelf, "ROOM", ROOM)
    monkeypatch.setattr(shelf, "_SHELVES", WeakSet())
    making = Making({1: 40, 2: 40, 3: 40, 4: 101})
    asked(Shelf(), making, *asks, at_once=at_once)
    assert making.made == made
