"""Synthetic amounts of a pump's settings: the same for everybody. Pure."""

from collections.abc import Iterator, Mapping

from sanitizer.values.amounts import SEGMENTS
from tfx.jsonbody import Json


def changed_settings(
    table: Mapping[str, int], value: Json, place: str = "", *, changes: bool, is_padding: bool = False
) -> Iterator[tuple[str, bool]]:
    """Write the constants into an answer, or only look; each place that holds one as a number, and whether it was another."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            is_empty = place.endswith(SEGMENTS) and index > 0 and isinstance(item, dict) and item.get("startTime") == 0
            yield from changed_settings(table, item, f"{place}[]", changes=changes, is_padding=is_empty)
        return
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        where = f"{place}.{key}" if place else key
        if isinstance(item, dict | list):
            yield from changed_settings(table, item, where, changes=changes)
        elif where in table and (type(item) is int or type(item) is float):
            amount = 0 if is_padding else table[where]
            yield where, item != amount or type(item) is not int
            if changes:
                value[key] = amount
