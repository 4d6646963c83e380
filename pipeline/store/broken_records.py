"""Rows of raw_events that are no records: tfx writes none, so a hand or a failing disk changed them. Reads only."""

from typing import Final, cast

from sqlalchemy import Connection

from pipeline.store.engine import driver
from tandem.eras import ERAS

_BINARY: Final = ", ".join(f"'{era.name}'" for era in ERAS.values() if era.wire == "binary")
_JSON: Final = ", ".join(f"'{era.name}'" for era in ERAS.values() if era.wire == "json")  # which do not tell the source

RECORD: Final = f"""
octet_length(payload) = 16 AND code BETWEEN 0 AND 4095 AND source BETWEEN 0 AND 15 AND sequence_group >= 0
AND pump_seconds BETWEEN 0 AND 4294967295 AND sequence_number BETWEEN 0 AND 4294967295
AND (era IN ({_BINARY}) OR era IN ({_JSON}) AND source = 0)
"""
"""What any row of raw_events can be, if tfx wrote it."""


def broken_records(connection: Connection, table: str = "raw_events") -> str | None:
    """How many rows there are that are no records, and where the first is, in words; None where all are."""
    query = f"SELECT count(*), unnest(min((device_id, sequence_group, sequence_number))) FROM {table} WHERE ({RECORD}) IS NOT true"  # noqa: S608  # our own words
    ((count, *place),) = cast("list[tuple[int, int, int, int]]", driver(connection).execute(query).fetchall())
    return f"raw_events: {count:,} rows are no records; the first is {place_in_words(*place)}" if count else None


def place_in_words(device: object, group: object, number: object) -> str:
    """Which event, in a sentence."""
    return f"device {device}, sequence group {group}, event {number}"
