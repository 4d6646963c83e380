"""Every table against what raw_events gives: the same functions make it again beside what is stored, and row by row both are compared.

What is made again is in tables of the connection's own, which have the names of the stored ones and hide them meanwhile: nothing of the
database is changed, and a file that can only be read will do.
"""
# ruff: noqa: S608  # every name in these statements is our own

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final, cast

from sqlalchemy import Column, Connection, Double, Numeric

from pipeline.derive.rebuild import MADE, rebuild_all
from pipeline.extracts.tables import EXTRACTS
from pipeline.models import IDENTITY, VIEWS, Base, key_of
from pipeline.store.broken_records import RECORD, broken_records, place_in_words
from pipeline.store.engine import driver
from pipeline.store.ranges import STALE, UNSETTLED
from pipeline.store.warehouse import in_memory

_HIDDEN: Final = (*MADE, "quarantine")
_FROM_RECORDS: Final = ("events", *EXTRACTS, "clock_facts")
"""What is there as soon as an event is. The others lag behind where a run was cut short, and so may instants."""
_LATE: Final = ("instant", "clock")

_AT_MOST: Final = 3
"""Sentences about one table."""


@contextmanager
def records_only(connection: Connection) -> Iterator[tuple[str, ...]]:
    """What raw_events has that is no record, in sentences; meanwhile it is out of sight, for nobody could read it."""
    stored = _stored(connection, "raw_events")
    broken = broken_records(connection, stored)
    if broken is None:
        yield ()
        return
    driver(connection).execute(f"CREATE TEMP VIEW raw_events AS FROM {stored} WHERE {RECORD}")
    try:
        yield (broken,)
    finally:
        driver(connection).execute("DROP VIEW temp.raw_events")


def differences(connection: Connection, *, is_whole: bool, is_settled: bool) -> tuple[str, ...]:
    """Where a table says something else than what raw_events gives, in sentences that name keys and columns, never values.

    Not `is_whole`, a run was cut short, and only what is there at once is compared; instants only where all of them are settled.
    """
    stored = {table: _stored(connection, table) for table in _HIDDEN}
    for table, name in stored.items():
        driver(connection).execute(f"CREATE TEMP TABLE {table} AS FROM {name} LIMIT 0")
    try:
        driver(connection).execute("ALTER TABLE temp.quarantine ADD PRIMARY KEY (id)")
        driver(connection).execute(f"INSERT INTO quarantine FROM {stored['quarantine']}")
        rebuild_all(connection)
        compared = [table for table in stored if table not in (UNSETTLED, STALE)] if is_whole else _FROM_RECORDS
        late = () if is_settled else _LATE
        return tuple(told for table in compared for told in _compared(connection, table, stored[table], late))
    finally:
        for table in stored:
            driver(connection).execute(f"DROP TABLE temp.{table}")


def _compared(connection: Connection, table: str, stored: str, late: Sequence[str]) -> Iterator[str]:
    columns, key = Base.metadata.tables[table].columns, key_of(Base.metadata.tables[table])
    odd = ", ".join(f"CASE WHEN {_differs(column)} THEN '{column.name}' END" for column in columns if column.name not in (*key, *late))
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
        yield f"{table}: {count:,} rows {_WORDS[kind].format(names)} (first {place_in_words(*place)}); tfx pipeline rebuild makes it again"


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


def _stored(connection: Connection, table: str) -> str:
    """The name of a table of the database itself, whatever hides it."""
    ((database,),) = driver(connection).execute("SELECT current_database()").fetchall()
    quoted = str(database).replace('"', '""')
    return f'"{quoted}".main.{table}'


# --- views


def altered_views(connection: Connection) -> Iterator[str]:
    """Views that say something else than those tfx makes say of the same tables, a sentence each."""
    found = [_said(connection, _stored(connection, view), view) for view in VIEWS]
    made = _as_made()
    try:
        for view in VIEWS:  # in an order in which each refers to earlier ones
            driver(connection).execute(made[view].replace("CREATE VIEW", "CREATE OR REPLACE TEMP VIEW", 1))
        again = [_said(connection, f"temp.{view}", view) for view in VIEWS]
    finally:
        for view in VIEWS:
            driver(connection).execute(f"DROP VIEW IF EXISTS temp.{view}")
    for view, one, other in zip(VIEWS, found, again, strict=True):
        if one != other:
            yield f"{view}: the view is another than the one this tfx makes; run again into a new file"


def _said(connection: Connection, name: str, view: str) -> list[tuple[object, ...]]:
    """What a view says, small enough to be kept: its columns, how many rows, and a digest of them in any order."""
    columns = driver(connection).execute(f"DESCRIBE FROM {name}").fetchall()
    return columns + driver(connection).execute(f"SELECT count(*), bit_xor(hash({view})) FROM {name} AS {view}").fetchall()


@cache
def _as_made() -> Mapping[str, str]:
    """View -> the statement that makes it, by the migrations."""
    engine = in_memory()
    try:
        with engine.connect() as connection:
            found = driver(connection).execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
            return {str(name): str(sql) for name, sql in found}
    finally:
        engine.dispose()
