"""Every table against what raw_events gives: the same functions make it again beside what is stored, and row by row both are compared.

What is made again is in tables of the connection's own, which have the names of the stored ones and hide them meanwhile: nothing of the
database is changed, and a file that can only be read will do.
"""
# ruff: noqa: S608  # every name in these statements is our own

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from sqlalchemy import Column, Connection, Double, Numeric

from pipeline.extracts.tables import EXTRACTS
from pipeline.models import IDENTITY, Base, key_of
from pipeline.rebuild import MADE, rebuild_all
from pipeline.warehouse import driver

_HIDDEN: Final = (*MADE, "quarantine")
_FROM_RECORDS: Final = ("events", *EXTRACTS, "clock_facts")
"""What is there as soon as an event is; the others lag behind where a run was cut short."""

_RECORD: Final = """
octet_length(payload) = 16 AND code BETWEEN 0 AND 4095 AND source BETWEEN 0 AND 15 AND sequence_group >= 0
AND pump_seconds BETWEEN 0 AND 4294967295 AND sequence_number BETWEEN 0 AND 4294967295
"""
"""What any row of raw_events can be, if tfx wrote it."""


_AT_MOST: Final = 3
"""Sentences about one table."""


@contextmanager
def records_only(connection: Connection) -> Iterator[tuple[str, ...]]:
    """What raw_events has that is no record, in sentences; meanwhile it is out of sight, for nobody could read it."""
    stored = _stored(connection, "raw_events")
    broken = driver(connection).execute(f"""
        SELECT device_id, sequence_group, sequence_number FROM {stored} WHERE ({_RECORD}) IS NOT true ORDER BY ALL
    """).fetchall()  # fmt: skip
    if not broken:
        yield ()
        return
    driver(connection).execute(f"CREATE TEMP VIEW raw_events AS FROM {stored} WHERE {_RECORD}")
    try:
        device, group, number = broken[0]
        yield (f"raw_events: {len(broken):,} rows are no records; the first is {_place(device, group, number)}",)
    finally:
        driver(connection).execute("DROP VIEW temp.raw_events")


def differences(connection: Connection, *, is_whole: bool) -> tuple[str, ...]:
    """Where a table says something else than what raw_events gives, in sentences that name keys and columns, never values.

    Not `is_whole`, a run was cut short, and only what is there at once is compared.
    """
    stored = {table: _stored(connection, table) for table in _HIDDEN}
    for table, name in stored.items():
        driver(connection).execute(f"CREATE TEMP TABLE {table} AS FROM {name} LIMIT 0")
    try:
        driver(connection).execute("ALTER TABLE temp.quarantine ADD PRIMARY KEY (id)")
        driver(connection).execute(f"INSERT INTO quarantine FROM {stored['quarantine']}")
        rebuild_all(connection)
        compared = [table for table in stored if table != "stale_ranges"] if is_whole else _FROM_RECORDS
        return tuple(told for table in compared for told in _compared(connection, table, stored[table]))
    finally:
        for table in stored:
            driver(connection).execute(f"DROP TABLE temp.{table}")


def _compared(connection: Connection, table: str, stored: str) -> Iterator[str]:
    columns, key = Base.metadata.tables[table].columns, key_of(Base.metadata.tables[table])
    odd = ", ".join(f"CASE WHEN {_differs(column)} THEN '{column.name}' END" for column in columns if column.name not in key)
    found = driver(connection).execute(f"""
        WITH sides AS (
            SELECT CASE WHEN s.{key[0]} IS NULL THEN 'missing' WHEN m.{key[0]} IS NULL THEN 'strange' ELSE 'other' END AS kind,
                array_to_string([{odd}], ', ') AS columns,
                ({", ".join(f"coalesce(m.{name}, s.{name})" for name in IDENTITY)}) AS place
            FROM temp.{table} m FULL JOIN {stored} s ON {" AND ".join(f"m.{name} = s.{name}" for name in key)}
        )
        SELECT kind, CASE WHEN kind = 'other' THEN columns END AS columns, count(*), unnest(min(place))
        FROM sides WHERE kind <> 'other' OR columns <> '' GROUP BY 1, 2 ORDER BY ALL LIMIT {_AT_MOST}
    """).fetchall()  # fmt: skip
    for kind, names, count, *place in cast("list[tuple[str, str, int, int, int, int]]", found):
        yield f"{table}: {count:,} rows {_WORDS[kind].format(names)} (first {_place(*place)}); tfx pipeline rebuild makes it again"


_WORDS: Final = {
    "missing": "are missing that the events as received give",
    "strange": "are there that the events as received do not give",
    "other": "say something else in {} than the events as received give",
}


def _differs(column: Column[object]) -> str:
    """Sums of fractions may come out otherwise in the last place, in another order."""
    differs = f"m.{column.name} IS DISTINCT FROM s.{column.name}"
    is_fraction = isinstance(column.type, Double | Numeric)
    return f"{differs} AND NOT coalesce(abs(m.{column.name} - s.{column.name}) < 1e-6, false)" if is_fraction else differs


def _place(device: object, group: object, number: object) -> str:
    return f"device {device}, sequence group {group}, event {number}"


def _stored(connection: Connection, table: str) -> str:
    """The name of a table of the database itself, whatever hides it."""
    ((database,),) = driver(connection).execute("SELECT current_database()").fetchall()
    quoted = str(database).replace('"', '""')
    return f'"{quoted}".main.{table}'
