"""Validate requests for pump events as the service of each era does, and give its answer to an invalid one. Pure.

Known: the Zod error about query keys (tconnectsync #163), the facade's about wrong dates (#114), the pages of 28 days.
Assumed: that the bff reports all faults at once, and how it words those of dates.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from tandem.codes import BadCodesError, codes_of
from tandem.eras import Era
from tandem.refusals import BAD_PARAMETERS, NOT_A_NUMBER, bad_date, too_long, unknown_keys, zod_error
from tfx.jsonbody import Json

Values = Callable[[str], Sequence[str]]
"""Every value of a query key, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the ends of a window are asked for: the two query keys, how their values are written, what these are called, and one."""

    keys: tuple[str, str]
    pattern: re.Pattern[str]
    words: str
    example: str

    def moment(self, text: str) -> datetime | None:
        """The wall-clock time a value says (the service compares the Z away); None if it says none."""
        try:
            return datetime.fromisoformat(text.removesuffix("Z")) if self.pattern.match(text) else None
        except ValueError:
            return None

    def ends(self, values: Values) -> tuple[datetime | None, datetime | None]:
        """The first values of both keys."""
        first, last = (self.moment(next(iter(values(key)), "")) for key in self.keys)
        return first, last


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "pump-logs": Form(
            keys=("startDate", "endDate"),
            pattern=re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z"),
            words="instants",
            example="2024-07-02T00:00:00Z",
        ),
        "pump-events": Form(keys=("minDate", "maxDate"), pattern=re.compile(r"\d{4}-\d\d-\d\d\Z"), words="dates", example="2024-07-02"),
    }
)
"""By endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a question is answered with 400, in words that hold none of its own, and the body of that answer."""

    why: str
    told: Json


def refusal(endpoint: str, keys: Sequence[str], values: Values, era: Era, *, longest: timedelta | None = None) -> Refusal | None:
    """What is wrong with a question about events; None if it is taken.

    `keys` are all keys of the query; `longest` is the longest window that is known to be answered, by default the era's.
    """
    form = FORMS[endpoint]
    first, last = form.ends(values)
    found: list[tuple[str, Json]] = [
        (f"{key} is no moment such as {form.example}", bad_date(key))
        for key, moment in zip(form.keys, (first, last), strict=True)
        if moment is None
    ]
    if first and last:
        found += _span_faults(first, last, era, longest)
    if not _is_list(values(era.events_key), era):
        found.append((f"{era.events_key} is no list of numbers", NOT_A_NUMBER))
    if era.wire == "json" and era.filters_events:
        found[:0] = [("it has a key there is none of", issue) for issue in unknown_keys(keys)]
    if not found:
        return None
    told = BAD_PARAMETERS if era.wire == "binary" else zod_error([issue for _, issue in found])
    return Refusal(why=", ".join(words for words, _ in found), told=told)


def _span_faults(first: datetime, last: datetime, era: Era, longest: timedelta | None) -> Iterator[tuple[str, Json]]:
    # The reportsfacade of 2025 had no cap that anybody met; what the bff does with an end before the beginning is not known.
    if era.wire == "binary" and last < first:
        yield "it ends before it begins", BAD_PARAMETERS
    if era.wire == "json" and last - first > (longest or timedelta(days=era.max_window_days)):
        yield f"it spans more than {era.max_window_days} days", too_long(era.max_window_days)


def _is_list(values: Sequence[str], era: Era) -> bool:
    try:
        codes_of(values, era)
    except BadCodesError:
        return False
    return True
