"""Why something is in the quarantine: a closed list. Pure. What each means and what is kept: docs/decisions/event-identity.md.

The detail beside a reason begins with the field concerned, where there is one, and a colon.
"""

import re
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """A reason, as the column `reason` has it."""

    # of an answer
    UNREADABLE = "unreadable answer"
    INCOMPLETE = "incomplete answer"
    TRUNCATED = "truncated record"
    BROKEN = "broken stream"
    # of an event in JSON that no record can be made of
    NO_OBJECT = "not an object"
    MISSING = "missing field"
    TWICE = "field given twice"
    UNKNOWN_FIELD = "unknown field"
    WRONG_TYPE = "wrong type"
    OUT_OF_RANGE = "out of range"
    UNREADABLE_TIME = "unreadable time"
    ANOTHER_PUMPS = "event of another pump"
    # of what is stored all the same
    STRANGER = "unknown member"
    UNKNOWN_CODE = "unknown code"
    IMPOSSIBLE_TIME = "impossible time"
    IMPOSSIBLE_VALUE = "impossible value"
    CHANGED = "changed record"
    SETTINGS = "unreadable settings"


HOLES: Final = (Reason.UNREADABLE, Reason.TRUNCATED, Reason.BROKEN, Reason.INCOMPLETE)
"""Events are missing for sure: their days are asked for again."""

UNREADABLE_EVENTS: Final = (
    Reason.NO_OBJECT, Reason.MISSING, Reason.TWICE, Reason.UNKNOWN_FIELD, Reason.WRONG_TYPE, Reason.OUT_OF_RANGE, Reason.UNREADABLE_TIME,
    Reason.ANOTHER_PUMPS,
)  # fmt: skip
"""An event that only the quarantine has."""

# What tandem.bff says of an event, the first that fits.
_SAID: Final = (
    (r"not an object$", Reason.NO_OBJECT),
    (r"missing$", Reason.MISSING),
    (r"there twice$", Reason.TWICE),
    (r"not in the layout|is sixteen spares", Reason.UNKNOWN_FIELD),
    (r"^pumpDateTime:", Reason.UNREADABLE_TIME),
    (r"^deviceAssignmentId:", Reason.ANOTHER_PUMPS),
    (r"a rising list", Reason.WRONG_TYPE),
    (r"from -?\d+ to \d+|32-bit float|ever seen$", Reason.OUT_OF_RANGE),
)


def of_event(detail: str) -> Reason:
    """The reason for which an event cannot be read, by what is said of it."""
    return next((reason for said, reason in _SAID if re.search(said, detail)), Reason.WRONG_TYPE)
