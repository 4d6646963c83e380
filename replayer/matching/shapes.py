"""Describe the kind of a value that a client sent, never the value. Pure.

Decision: of a value that a client sends, only its shape is shown. The one exception is the dates of the requested window, which are part of
the request and no fact about a person. Values on the cassette are sanitized and public, so they are shown as they are.
"""

import re
from typing import Final

__tracebackhide__ = True  # pytest --showlocals would print the live request

ABSENT: Final = "<absent>"
BLANK: Final = "<blank>"
NO_VALUE: Final = "<no value>"
"""A name that is not there, one with nothing after its `=`, and one without a `=`."""
_SHAPES: Final = (
    (re.compile(r"\Z"), BLANK),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d\Z"), "<date>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)?\Z"), "<time>"),
    (re.compile(r"-?\d+(\.\d+)?\Z"), "<number>"),
    (re.compile(r"\d+(,\d+)+\Z"), "<numbers>"),
    (re.compile(r"eyJ[\w-]*\.[\w-]*\.[\w-]*\Z"), "<jwt>"),
    (re.compile(r"[^@\s]+@[^@\s]+\Z"), "<e-mail address>"),
    (re.compile(r"https?://", re.IGNORECASE), "<url>"),
)
_LONGEST: Final = 60
WINDOW_KEYS: Final = frozenset({"startDate", "endDate", "minDate", "maxDate"})
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?Z?)?\Z")


def shape(value: object) -> str:
    """What kind of value this is."""
    if value is None:
        return "<nothing>"
    if isinstance(value, bool):
        return "<true or false>"
    if isinstance(value, int | float):
        return "<number>"
    if isinstance(value, dict | list):
        return "<object>" if isinstance(value, dict) else "<list>"
    return next((name for pattern, name in _SHAPES if pattern.match(str(value))), "<text>")


def asked(place: str, value: object) -> str:
    """A live value as it may be shown: by its shape, or, for the dates of a window, as it is."""
    if place.removeprefix("query.") in WINDOW_KEYS and isinstance(value, str) and _MOMENT.match(value):
        return value
    return shape(value)


def recorded(value: object) -> str:
    """A value of the cassette, shortened."""
    words = "<nothing>" if value is None else str(value)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
