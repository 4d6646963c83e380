"""Every bit of every request on the committed cassettes, flipped: never an answer to something else, and the miss names the place."""

from pathlib import Path

import flips
import pytest

from tfx.store import load

CASSETTES = sorted((Path(__file__).parents[2] / "cassettes").glob("*.json"))


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
@pytest.mark.parametrize("mask", flips.MASKS)
def test_no_flipped_bit_goes_unseen(path: Path, mask: int) -> None:
    cassette, misses = load(path), 0
    for number, exchange in enumerate(cassette.exchanges):
        replay = flips.at(cassette, number)
        for part, at in flips.places(exchange):
            if flips.tried(replay, number, flips.flipped(exchange.request, part, at, mask)):
                replay = flips.at(cassette, number)
            else:
                misses += 1
    assert misses > len(cassette.exchanges) * 50
