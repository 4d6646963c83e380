"""The dated versions of the Tandem Source API and the differences between them, as data. Source: tconnectsync issues #146, #163."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """One state of the API.

    `events_key`: the query key that names event codes; `filters_events`: whether the service honours it (before October 2026
    it returned every type); `wants_same_origin`: whether the firewall answers 403 unless Origin and Referer are the source URL;
    `max_window_days`: the longest window clients ask for in one request (tconnectsync 3 pages by 28 days).
    """

    name: str
    wire: Literal["binary", "json"]
    events_key: str
    filters_events: bool
    wants_same_origin: bool
    max_window_days: int


ERAS: Mapping[str, Era] = MappingProxyType(
    {
        era.name: era
        for era in (
            Era(
                name="2025",
                wire="binary",
                events_key="eventIds",
                filters_events=True,
                wants_same_origin=False,
                max_window_days=28,
            ),
            Era(
                name="2026-07",
                wire="json",
                events_key="eventIds",
                filters_events=False,
                wants_same_origin=True,
                max_window_days=28,
            ),
            Era(
                name="2026-10",
                wire="json",
                events_key="eventCodes",
                filters_events=True,
                wants_same_origin=True,
                max_window_days=28,
            ),
        )
    }
)
CURRENT = "2026-10"
"""The era the live service is in."""
