"""The garbage collector is still while a function makes many objects, and afterwards as it was."""

import gc

import pytest

from tfx.collecting import uncollected


def test_it_is_off_meanwhile_and_on_afterwards_whatever_happens() -> None:
    assert gc.isenabled()
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled(), "who found it off leaves it off"
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), uncollected():
        _ = 1 / 0
    assert gc.isenabled()


def test_what_others_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        with uncollected():
            pass
        assert gc.get_freeze_count() >= before > 0
    finally:
        gc.unfreeze()
    with uncollected():
        pass
    assert gc.get_freeze_count() == 0
