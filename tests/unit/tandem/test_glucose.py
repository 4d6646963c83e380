"""Low, high, a value or nothing: as the service's pages show it."""

import numpy as np

from tandem.glucose import HIDDEN, HIGH, LOW, SPECIAL_HIGH, SPECIAL_LOW, VALUE, shown

# status, value, kind, glucose: why
TABLE = [
    (0, 120, VALUE, 120),  # a reading
    (0, 40, VALUE, 40),  # the lowest that is shown
    (0, 39, SPECIAL_LOW, LOW),  # below
    (0, 400, VALUE, 400),  # the highest that is shown
    (0, 412, SPECIAL_HIGH, HIGH),  # above
    (1, 0, SPECIAL_HIGH, HIGH),  # special high tells no number
    (2, 0, SPECIAL_LOW, LOW),  # special low neither
    (6, 133, HIDDEN, None),  # do not show
    (0, 0, HIDDEN, None),  # a message without a reading
    (0, -3, HIDDEN, None),  # json could say so; no sensor does
]


def test_what_a_message_shows() -> None:
    status, value, kind, glucose = zip(*TABLE, strict=True)
    seen = shown(np.array(status), np.array(value))
    assert tuple(seen.kind.tolist()) == kind
    assert tuple(None if hidden else number for hidden, number in zip(seen.kind == HIDDEN, seen.glucose.tolist(), strict=True)) == glucose


def test_narrow_columns_do_not_wrap() -> None:
    assert shown(np.array([1], np.uint8), np.array([250], np.uint8)).glucose.tolist() == [HIGH]
