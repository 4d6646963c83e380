"""A stream out of step gives no wrong events: only its plausible beginning is stored."""

from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.receive.batch import Received
from pipeline.receive.decode import received
from pipeline.receive.framing import A_HANDFUL, believed
from pipeline.running.steps import Stored
from tandem.clock import seconds_of
from tandem.eras import ERAS
from tandem.records import Records
from tandem.windows import Window

WINDOW = Window(since=date(2026, 11, 17), until=date(2026, 11, 18))
START = seconds_of(datetime(2026, 11, 17))  # noqa: DTZ001  # the pump's clock has no zone


def read(stream: bytes) -> Received:
    return received(ERAS["2025"], b'"' + pybase64.b64encode(stream) + b'"', window=WINDOW)


@given(data=st.data())
def test_bytes_lost_or_added_invent_no_event(data: st.DataObject, history: Records) -> None:
    whole = history.to_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    lost = data.draw(st.integers(0, min(60, len(whole) - place)))
    added = data.draw(st.binary(max_size=60) if lost == 0 else st.just(b""))
    stream = whole[:place] + added + whole[place + lost :]
    if (lost - len(added)) % 26:
        found = read(stream)
        kept = found.batch.records.to_bytes()
        assert whole.startswith(kept)
        assert [reject.raw for reject in found.rejects] == [stream[len(kept) :]]
        assert found.has_hole
        assert len(kept) >= place - 3 * 26  # and it is given up no earlier than it must be


def test_two_breaks_that_make_up_for_each_other_are_found_too(history: Records) -> None:
    whole = history.to_bytes()
    stream = whole[:5200] + whole[5201:15600] + b"\0" + whole[15600:]
    kept = read(stream).batch.records.to_bytes()
    assert whole.startswith(kept)
    assert 5200 - 3 * 26 <= len(kept) <= 5200


@pytest.mark.parametrize(
    ("code", "seconds", "kept"),
    [
        pytest.param(4000, START + 60, 30, id="new codes of a new firmware"),
        pytest.param(279, 0, 30, id="a clock that lost its time"),
        pytest.param(4000, 0, 9, id="neither name nor time"),
    ],
)
def test_strange_events_are_events_until_nothing_speaks_for_them(code: int, seconds: int, kept: int) -> None:
    sound = Records.build(code=279, seconds=START + np.arange(10), sequence=np.arange(500_000, 500_010))
    strange = Records.build(code=code, seconds=seconds, sequence=np.arange(500_010, 500_030))
    assert believed(Records.join((sound, strange)).to_bytes(), WINDOW) == kept
    few = Records.join((sound, strange.take(slice(A_HANDFUL))))
    assert believed(few.to_bytes(), WINDOW) == len(few)


def test_a_healthy_answer_makes_good_for_a_broken_one(
    keep: Callable[..., Stored], content: Callable[[], dict[str, list[object]]], history: Records, whole: dict[str, list[object]]
) -> None:
    stream = history.to_bytes()
    keep(read(stream[:5200] + stream[5201:]))
    keep(history)
    found = content()
    assert {name: rows for name, rows in found.items() if name != "quarantine"} == {
        name: rows for name, rows in whole.items() if name != "quarantine"
    }
    assert len(found["quarantine"]) == len(whole["quarantine"]) + 1
