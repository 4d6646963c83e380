"""Open and set up the DuckDB database: the only module that opens DuckDB.

What serves `duckdb://` is whichever SQLAlchemy dialect is installed; nothing here or elsewhere asks which
(docs/decisions/duckdb-dialect.md).
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, DateTime, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from tfx.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy.types import TypeEngine

MEMORY = "duckdb:///:memory:"
MEMORY_LIMIT: Final = "256MB"
"""What DuckDB keeps of a file at most, unless the address names another: duckdb:///warehouse.duckdb?memory_limit=1GB."""
_HERE = Path(__file__).parents[1]


class Driver(Protocol):
    """What of DuckDB's own connection is used: everything that goes in by the column, and nothing else."""

    def register(self, view_name: str, python_object: object) -> object:
        """Make an Arrow table readable under a name."""

    def unregister(self, view_name: str) -> object:
        """Forget that name."""

    def execute(self, query: str, parameters: object = None) -> "Driver":
        """Run a statement."""

    def fetchall(self) -> list[tuple[object, ...]]:
        """The rows of the last statement."""

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        """The next rows of the last statement."""

    def fetchnumpy(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """The rows of the last statement by the column."""

    def to_arrow_table(self) -> "pa.Table":
        """The same as an Arrow table."""


def connect(url: str, *, to_read: bool = False) -> Engine:
    """An engine on that database, whatever its schema. Raises UsageError for an address that is not DuckDB's.

    In memory there is one connection for all: a second one would see an empty database. `to_read` leaves the file as it is, which needs
    no right to write it, and several programs may do so at once.
    """
    if not url.startswith("duckdb:"):
        right = "is not DuckDB; name one like duckdb:///warehouse.duckdb"
        if url and "://" not in url:
            right = f"has no duckdb:/// before it; write duckdb:///{shown(url)}"
        raise UsageError(f"the database {shown(url)} {right}")
    try:
        engine = create_engine(url, poolclass=StaticPool) if _in_memory(url) else create_engine(url, connect_args={"read_only": to_read})
    except (ArgumentError, NoSuchModuleError, ValueError):  # its text quotes the address, and the password in it
        raise UsageError(f"the database address {shown(url)} cannot be read; name one like duckdb:///warehouse.duckdb") from None
    named = "memory_limit" in engine.url.query or "max_memory" in engine.url.query
    event.listen(engine, "connect", lambda connection, _record: _set_up(connection, in_memory=_in_memory(url), names_its_limit=named))
    return engine


def in_memory() -> Engine:
    """A new, migrated warehouse that lives as long as its engine."""
    return open_warehouse(MEMORY)


def open_warehouse(url: str) -> Engine:
    """The migrated warehouse at that address, made if there is none. Raises UsageError if it cannot be opened."""
    return _opened(url, upgrade=True)


def existing_warehouse(url: str, *, upgrade: bool = False) -> Engine:
    """The warehouse in a file that is there. Raises UsageError if there is none.

    `upgrade` brings it to today's schema; without it the file is opened to be read only, and another schema is refused.
    """
    try:
        path = Path(make_url(url).database or "")
    except ArgumentError:
        path = Path()
    if url.startswith("duckdb:") and not path.is_file():
        raise UsageError(f"there is no database at {shown(url)}; make one with: tfx pipeline run --database {shown(url)}")
    return _opened(url, upgrade=upgrade)


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """A connection that changes nothing in the warehouse in a file. Raises UsageError where there is none, or it cannot be read."""
    with told(url):
        engine = existing_warehouse(url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


@contextmanager
def filled(url: str) -> Iterator[Engine]:
    """The migrated warehouse at that address for a while; where it was made for this and nothing came in, its file is gone again."""
    path = None if _in_memory(url) else Path(make_url(url).database or "") if url.startswith("duckdb:") else None
    is_new = path is not None and not path.exists()
    engine = open_warehouse(url)
    has_come = False
    try:
        yield engine
        has_come = True
    finally:
        if not has_come and is_new:
            with engine.connect() as connection:
                has_come = bool(driver(connection).execute("SELECT 1 FROM devices LIMIT 1").fetchall())
        engine.dispose()
        if path is not None and is_new and not has_come:
            for rest in (path, path.with_name(f"{path.name}.wal")):
                rest.unlink(missing_ok=True)


def _opened(url: str, *, upgrade: bool) -> Engine:
    _see_that_it_is_duckdbs(url)
    engine = connect(url, to_read=not upgrade)
    try:
        found = _see_its_schema(engine, url, upgrade=upgrade)
        if found != head():
            migrate(engine)
        _see_its_columns(engine, url)
        if found not in (None, head()):
            _make_again(engine)
    except UsageError:
        engine.dispose()
        raise
    except DBAPIError as e:
        engine.dispose()
        if "lock on file" in str(e.orig):
            holder = re.search(r"PID (\d+)", str(e.orig))
            which = f" (process {holder[1]})" if holder else ""
            raise UsageError(
                f"the database {shown(url)} is open in another program{which}, and DuckDB lets one in at a time; wait for it to end"
            ) from None
        if type(e.orig).__name__ in ("CatalogException", "BinderException"):
            raise _strange_schema(url) from None
        raise UsageError(
            f"the database {shown(url)} cannot be opened as a warehouse ({type(e.orig).__name__}); "
            "see that the folder is there, that the file is DuckDB's and may be written, and that no other program has it open"
        ) from e
    return engine


def _make_again(engine: Engine) -> None:
    """Fill the tables that an older schema did not have, and clock_facts, from the events it had."""
    from pipeline.derive.rebuild import rebuild

    rebuild(engine)


def _see_its_schema(engine: Engine, url: str, *, upgrade: bool) -> str | None:
    """The revision of the schema; None for an empty database.

    Raises UsageError for tables that are no warehouse, a schema that only a newer tfx knows, and, without `upgrade`, an older one.
    """
    with engine.connect() as connection:
        tables = {name for (name,) in driver(connection).execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()}
        if "alembic_version" not in tables:
            if tables:
                raise UsageError(f"the database {shown(url)} was not made by tfx: its tables are others; name another file with --database")
            if not upgrade:
                raise _unfinished(url)
            return None
        found = [str(revision) for (revision,) in driver(connection).execute("SELECT version_num FROM alembic_version").fetchall()]
    *older, newest = revisions()
    if strangers := set(found) - {*older, newest}:
        told = ", ".join(sorted(strangers))
        raise UsageError(f"the database {shown(url)} was made by a newer tfx (schema {told}; this one knows {newest}); install that one")
    if len(found) != 1:
        raise _strange_schema(url, f" (alembic_version has {len(found)} rows)")
    if not upgrade and found != [newest]:
        raise UsageError(
            f"the database {shown(url)} has the schema of an older tfx ({found[0]}; today's is {newest}); "
            f"bring it up to date with: tfx pipeline upgrade --database {shown(url)}"
        )
    return found[0]


def _unfinished(url: str) -> UsageError:
    return UsageError(
        f"the database {shown(url)} is empty, as one is whose first run was killed while making it; "
        f"fill it with: tfx pipeline run --database {shown(url)}"
    )


def _strange_schema(url: str, what: str = "") -> UsageError:
    return UsageError(
        f"the schema of the database {shown(url)} is not the one this tfx made{what}: somebody changed it by hand; "
        "run again into a new file, named with --database"
    )


def _see_its_columns(engine: Engine, url: str) -> None:
    """Refuse a warehouse in which a table, a view, a key or a column of today's schema is missing, or a column has another type."""
    from pipeline.models import VIEWS, Base

    tables = Base.metadata.tables.values()
    with engine.connect() as connection:
        columns = (
            driver(connection).execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal").fetchall()
        )
        kept = driver(connection).execute(_KEYS).fetchall()
    types = {(str(table), str(column)): str(kind) for table, column, kind in columns}
    wanted = {(table.name, column.name): _type_of(column.type) for table in tables for column in table.columns}
    keys = {(table.name, ", ".join(column.name for column in table.primary_key)) for table in tables if len(table.primary_key)}
    views = {*VIEWS} - {table for table, _ in types}
    odd = [f"{'.'.join(place)} is {types.get(place, 'missing')}" for place, kind in sorted(wanted.items()) if types.get(place) != kind]
    odd += [f"{view} is missing" for view in sorted(views)] + [f"the key of {table} is missing" for table, _ in sorted(keys - {*kept})]
    if odd:
        raise _strange_schema(url, f" ({', '.join(odd[:3])})")


_KEYS: Final = """
SELECT table_name, array_to_string(constraint_column_names, ', ') FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'
"""


def _type_of(kind: "TypeEngine[object]") -> str:
    """DuckDB's own word for a type of a model."""
    if isinstance(kind, DateTime):
        return "TIMESTAMP WITH TIME ZONE" if kind.timezone else "TIMESTAMP"
    return str(kind)


def _see_that_it_is_duckdbs(url: str) -> None:
    """Refuse a file that DuckDB would read as something else: asked to open x.json, it makes a view of it in memory, silently."""
    try:
        path = Path(make_url(url).database or "")
    except (ArgumentError, ValueError):
        return  # `connect` says so in its words
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(12)
        if start[8:] != b"DUCK":
            what = "is not a DuckDB database;" if start else "is empty; remove it, or"
            raise UsageError(f"the file {path} exists and {what} name another one, like duckdb:///warehouse.duckdb")


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to that revision; nothing happens where it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def head() -> str:
    """The newest revision of the schema."""
    return revisions()[-1]


@cache
def revisions() -> tuple[str, ...]:
    """Every revision of the schema, oldest first."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.set_main_option("path_separator", "os")
    return tuple(reversed([step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]))


@contextmanager
def told(url: str) -> Iterator[None]:
    """What the database itself refuses, such as a full disk, in our words. Raises UsageError; what a signal raised stays what it was."""
    import duckdb

    # The pool logs a traceback for a connection it cannot close, as on a full disk; the error itself comes out here.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL + 1)
    try:
        yield
    except RuntimeError as e:
        # Whatever a signal raises while DuckDB is at work comes out of it as RuntimeError("Query interrupted"), the real one behind it.
        if isinstance(e.__context__, KeyboardInterrupt):
            raise e.__context__ from None
        raise
    except (DBAPIError, duckdb.Error) as e:
        kind = type(e.orig if isinstance(e, DBAPIError) else e).__name__  # and no more of it: its text quotes rows
        if kind in ("CatalogException", "BinderException"):
            raise _strange_schema(url) from None
        if kind == "OutOfMemoryException":
            address = shown(url).partition("?")[0]
            raise UsageError(
                f"the database {shown(url)} needs more memory than it may have ({MEMORY_LIMIT} unless its address says otherwise); "
                f"what was under way is undone; name more, and run the command again: --database '{address}?memory_limit=1GB'"
            ) from None
        raise UsageError(
            f"the database {shown(url)} cannot be read or written any more ({kind}): see that its disk has room and that no other program "
            "has it open, and run the command again; windows stored so far stay stored, and what was under way is undone"
        ) from None


def driver(connection: Connection) -> Driver:
    """DuckDB's own connection under SQLAlchemy's, in the same transaction."""
    return cast("Driver", connection.connection.driver_connection)


def _migrations() -> Path:
    """Beside the package in a wheel, beside its folder in the repository."""
    packaged = _HERE / "alembic"
    return packaged if packaged.is_dir() else _HERE.parent / "alembic"


def _in_memory(url: str) -> bool:
    return url in (MEMORY, "duckdb://", "duckdb:///")


def _set_up(connection: DBAPIConnection, *, in_memory: bool, names_its_limit: bool) -> None:
    cursor = connection.cursor()
    # Not in the connect config: DuckDB has not loaded its time zones at that moment.
    cursor.execute("SET TimeZone = 'UTC'")
    # DuckDB's threads wait for each other busily: on one, a window goes in with half the CPU time and no later (keys-that-pay.md).
    cursor.execute("SET threads = 1")
    # Rows stay in memory, uncompressed, up to the next checkpoint, which goes through every row there is: 32 MB of log are half a million
    # events, 60 MB. In memory there is no log, and nothing to write to.
    cursor.execute(f"SET checkpoint_threshold = '{'1TB' if in_memory else '32MB'}'")
    if not in_memory and not names_its_limit:
        cursor.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")  # by itself DuckDB keeps what it has read, up to 80 % of the machine


def shown(url: str) -> str:
    """The address without what may be a password in it."""
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
