"""Open a warehouse: made where it may be, migrated, and refused in words where it is none."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from pipeline.store.engine import MEMORY, MEMORY_LIMIT, connect, driver, is_in_memory, shown
from pipeline.store.schema import head, migrate, see_its_columns, see_its_schema, strange_schema
from tfx.errors import InUseError, UsageError

if TYPE_CHECKING:
    import duckdb


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
    path = None if is_in_memory(url) else Path(make_url(url).database or "") if url.startswith("duckdb:") else None
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
    _see_its_options(url)
    engine = connect(url, to_read=not upgrade)
    try:
        found = see_its_schema(engine, url, upgrade=upgrade)
        if found != head():
            migrate(engine)
        see_its_columns(engine, url)
        if found not in (None, head()):
            _make_again(engine)
    except UsageError:
        engine.dispose()
        raise
    except DBAPIError as e:
        engine.dispose()
        raise _refused(url, e, "cannot be opened as a warehouse", _SEE_TO_IT) from None
    return engine


_SEE_TO_IT = "see that the folder is there, that the file is DuckDB's and may be written, and that no other program has it open"


def _make_again(engine: Engine) -> None:
    """Fill the tables that an older schema did not have, and clock_facts, from the events it had."""
    from pipeline.derive.rebuild import rebuild

    rebuild(engine)


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


def _see_its_options(url: str) -> None:
    """Refuse what DuckDB does not know after a ? in the address, before a file is made: asked of a database in memory."""
    _, has_options, options = url.partition("?")
    if not has_options:
        return
    engine = connect(f"{MEMORY}?{options}")
    try:
        engine.connect().close()
    except DBAPIError:
        raise UsageError(
            f"DuckDB does not take the options in the address {shown(url)}; leave out what comes after ?, or write ?memory_limit=1GB"
        ) from None
    finally:
        engine.dispose()


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
        raise _refused(url, e, "cannot be read or written any more", _TRY_AGAIN) from None


_TRY_AGAIN = (
    "see that its disk has room and that no other program has it open, and run the command again; windows stored so far stay stored, and "
    "what was under way is undone"
)


def _refused(url: str, error: "DBAPIError | duckdb.Error", what: str, advice: str) -> UsageError:
    """What DuckDB refused, in our words; of its own there is no more than a name, for they quote rows."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    kind, text = type(cause).__name__, str(cause)
    if "lock on file" in text:
        holder = re.search(r"PID (\d+)", text)
        which = f" (process {holder[1]})" if holder else ""
        return InUseError(
            f"the database {shown(url)} is open in another program{which}, and DuckDB lets one in at a time; wait for it to end"
        )
    if kind in ("CatalogException", "BinderException"):
        return strange_schema(url)
    if kind == "OutOfMemoryException":
        address = shown(url).partition("?")[0]
        return UsageError(
            f"the database {shown(url)} needs more memory than it may have ({MEMORY_LIMIT} unless its address says otherwise); "
            f"what was under way is undone; name more, and run the command again: --database '{address}?memory_limit=1GB'"
        )
    if re.search("Corrupt database file|Could not read enough bytes", text):
        return UsageError(f"the file of the database {shown(url)} is damaged; restore it from a copy, or run again into a new one")
    return UsageError(f"the database {shown(url)} {what} ({kind}); {advice}")
