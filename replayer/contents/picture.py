"""A glucose chart as inline SVG, without scripts, fonts or links. Pure."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from replayer.contents.glucose import Reading
from tandem.clock import PUMP_EPOCH
from tandem.glucose import HIGH, LOW

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 28
TARGET: Final = (70, 180)
"""The consensus target range, mg/dL (Battelino et al., Diabetes Care 2019;42:1593)."""

_HOUR, _DAY = 3600, 86_400
_FIRST_MONDAY: Final = 6 * _DAY  # 2008-01-07
_STEPS: Final = (_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 364 * _DAY)
_MOST_TICKS: Final = 9


def picture(readings: Sequence[Reading]) -> str:
    """An `svg` element; empty text for no readings. The dots are three paths, so a year of them stays small."""
    if not readings:
        return ""
    first, last = readings[0][0], max(readings[-1][0], readings[0][0] + _HOUR)

    def x(seconds: int) -> float:
        return LEFT + (seconds - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    low, high = TARGET
    bands = {
        "low": [one for one in readings if one[1] < low],
        "in": [one for one in readings if low <= one[1] <= high],
        "high": [one for one in readings if one[1] > high],
    }
    dots = "".join(
        f'<path class="dot {name}" d="{"".join(f"M{x(when):.1f} {_y(glucose):.1f}h0" for when, glucose in of_band)}"/>'
        for name, of_band in bands.items()
        if of_band
    )
    told = (
        f"{len(readings)} sensor readings from {_wall(first)} to {_wall(readings[-1][0])}, {100 * len(bands['in']) / len(readings):.0f} %"
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="glucose-title">'
        f'<title id="glucose-title">{told} of them from {low} to {high} mg/dL</title>'
        f'<rect class="target" x="{LEFT}" y="{_y(high):.1f}" width="{WIDTH - LEFT - RIGHT}" height="{_y(low) - _y(high):.1f}"/>'
        f"{_rows((LOW + 1, low, high, 300, HIGH - 1))}{''.join(_column(x(when), when) for when in _ticks(first, last))}{dots}</svg>"
    )


def _y(glucose: int) -> float:
    return TOP + (HIGH - glucose) / (HIGH - LOW) * (HEIGHT - TOP - BOTTOM)


def _rows(values: Iterable[int]) -> str:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(value):.1f}" y2="{_y(value):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{_y(value) + 4:.1f}" text-anchor="end">{value}</text>'
        for value in values
    )


def _ticks(first: int, last: int) -> range:
    step = next((one for one in _STEPS if (last - first) / one <= _MOST_TICKS), _STEPS[-1])
    # The pump's epoch is a midnight, so whole steps of a day or less are round times of day.
    offset = _FIRST_MONDAY if step > 2 * _DAY else 0
    return range(first + (offset - first) % step, last + 1, step)


def _column(x: float, when: int) -> str:
    bottom = HEIGHT - BOTTOM
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
        f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_label(when)}</text>'
    )


def _label(when: int) -> str:
    moment = PUMP_EPOCH + timedelta(seconds=when)
    return f"{moment:%m-%d}" if when % _DAY == 0 else f"{moment:%H:%M}"


def _wall(seconds: int) -> str:
    return f"{PUMP_EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M}"
