"""An engine on a DuckDB database, and DuckDB's own connection under it: the only module that opens one.

What serves `duckdb://` is whichever SQLAlchemy dialect is installed; nothing here or elsewhere asks which
(docs/decisions/duckdb-dialect.md).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from tfx.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY = "duckdb:///:memory:"
MEMORY_LIMIT: Final = "256MB"
"""What DuckDB keeps of a file at most, unless the address names another: duckdb:///warehouse.duckdb?memory_limit=1GB."""


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
        engine = create_engine(url, poolclass=StaticPool) if is_in_memory(url) else create_engine(url, connect_args={"read_only": to_read})
    except (ArgumentError, NoSuchModuleError, ValueError):  # its text quotes the address, and the password in it
        raise UsageError(f"the database address {shown(url)} cannot be read; name one like duckdb:///warehouse.duckdb") from None
    named = "memory_limit" in engine.url.query or "max_memory" in engine.url.query
    event.listen(engine, "connect", lambda connection, _record: _set_up(connection, in_memory=is_in_memory(url), names_its_limit=named))
    return engine


def written_out(engine: Engine) -> None:
    """Write a file's log into it, and let go of what was kept of it: among others the keys of new rows, which no limit bounds until then.

    A database in memory stays as it is.
    """
    if not is_in_memory(str(engine.url)):
        with engine.connect() as connection:
            driver(connection).execute("CHECKPOINT")


def driver(connection: Connection) -> Driver:
    """DuckDB's own connection under SQLAlchemy's, in the same transaction."""
    return cast("Driver", connection.connection.driver_connection)


def is_in_memory(url: str) -> bool:
    """Whether nothing of it is kept."""
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
    cursor.execute("SET enable_progress_bar = false")  # in a notebook DuckDB draws one of its own, into what is printed
    if not in_memory and not names_its_limit:
        cursor.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")  # by itself DuckDB keeps what it has read, up to 80 % of the machine


def shown(url: str) -> str:
    """The address without what may be a password in it."""
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
