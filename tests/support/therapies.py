"""Pump events for tests: listed one by one, or generated."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from tandem.events import EVENTS, fields_of
from tandem.records import Records

Message = tuple[int, int, Mapping[str, float]]
"""Code, sequence number, fields."""

START: Final = 580_000_000
NOW: Final = 550_000_000

ALARM: Final = {"alarmId": 18}
MODE: Final = {"currentUserMode": 1}
SESSION: Final = {"sessionDuration": 10}
SAID: Final[tuple[tuple[int, Mapping[str, float]], ...]] = (
    (5, ALARM), (28, ALARM), (11, {}), (12, {}), (212, SESSION), (213, SESSION), (214, SESSION), (229, MODE), (229, {}),
    (371, {"dalertId": 2}), (81, {"dailyTotalBasal": 1.5}), (66, {"bolusId": 7, "totalBolusSize": 2}),
    (20, {"bolusId": 7, "insulinDelivered": 2, "completionStatus": 3}),
)  # fmt: skip
"""What a pump says of things that begin and end."""


def story(*messages: Message) -> Records:
    """Records of these messages, a second after START for each sequence number."""
    return Records.join(Records.build(code=code, seconds=START + at, sequence=at, columns=columns) for code, at, columns in messages)


def cut_story(said: list[int], window_of: list[int]) -> tuple[Records, list[Records]]:
    """These of SAID, hours apart, as one story, and cut into windows, in the windows' order."""
    messages = [(SAID[one][0], 1 + place * 30_011, SAID[one][1]) for place, one in enumerate(said)]
    parts = [
        story(*(message for message, where in zip(messages, window_of, strict=False) if where == window))
        for window in sorted(set(window_of))
    ]
    return story(*messages), parts


def invented(seed: int, each: int = 3) -> Records:
    """Records of every code with a layout and some without, with any bytes as payload that JSON can say, in any order of time."""
    rng = np.random.default_rng(seed)
    codes = [*EVENTS, 57, 69, 4000]
    parts = []
    for place, code in enumerate(codes):
        sequence = 10_000 + place + np.arange(each) * len(codes)
        made = Records.build(code=code, seconds=NOW + rng.integers(-86_400, 86_400, each), sequence=sequence)
        made = made.with_payload(rng.integers(0, 256, (each, 16), np.uint8))
        floats = [field.name for field in fields_of(code) if field.type == "float32"]
        made = made.with_columns(code, {name: rng.choice([0.0, 0.35, 2.083, 25.5, -1.0, 1e30], each).astype(np.float32) for name in floats})
        times = [field.name for field in fields_of(code) if field.name == "egvTimeStamp"]
        parts.append(made.with_columns(code, {name: NOW + rng.integers(-9_000, 9_000, each) for name in times}))
    whole = Records.join(parts)
    return whole.take(rng.permutation(len(whole)))
