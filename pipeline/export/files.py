"""Write tables and views to files: the only module that does. An export is written completely or not at all.

DuckDB writes straight from its columns. Files are written into a folder beside the requested one, which is renamed when all are complete.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection

from pipeline.export import nightscout
from pipeline.models import TABLES, VIEWS
from pipeline.store.engine import driver
from pipeline.store.load import number
from pipeline.store.ranges import CUT_SHORT, is_waiting
from tfx.errors import UsageError

EXPORTED: Final = (*TABLES, *VIEWS)
"""What can be exported: every table, and the views."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to export: `tables` (all where empty), and the days on the pump's clock, both included; what has no day comes whole."""

    tables: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for a table there is not, or days the wrong way round."""
        strange = [name for name in self.tables if name not in EXPORTED]
        if strange:
            raise UsageError(f"there is no table {strange[0]!r}; there are {', '.join(EXPORTED)}")
        if self.since and self.until and self.since > self.until:
            raise UsageError(f"--since {self.since} is after --until {self.until}")


Write = Callable[[Connection, Path, Choice], Mapping[str, int]]
"""Writes files into a folder; what it wrote: file name -> rows."""


def export(connection: Connection, folder: Path, kind: str, choice: Choice) -> Mapping[str, int]:
    """Write the chosen tables into a new folder. Returns file names and how many rows each has.

    `kind` is a key of KINDS. Raises UsageError if the folder is there already or cannot be made, or where a run was cut short.
    """
    if is_waiting(connection):
        raise UsageError(f"{CUT_SHORT}. Nothing was exported")
    with _whole(folder) as partial:
        return KINDS[kind](connection, partial, choice)


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A private folder that becomes `folder` at the end, or nothing."""
    if folder.exists():
        raise UsageError(f"{folder} exists already; name a new folder, so that old files are not mistaken for exported ones")
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # only its owner can look inside
    except OSError as e:
        raise UsageError(f"no folder can be made in {folder.parent} ({e.strerror}); name another one with --output") from e
    try:
        yield partial
        os.rename(partial, folder)  # noqa: PTH104  # Path.rename would overwrite an empty folder made meanwhile just as well
    except BaseException as e:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(e, OSError) or type(e).__name__ == "IOException":  # DuckDB's; its text names the hidden folder
            raise UsageError(f"the files cannot be written to {folder.parent}: see that its disk has room, and export again") from None
        raise


# --- tables as they are

_TIMES: Final = {"raw_events": "(TIMESTAMP '2008-01-01' + to_seconds(pump_seconds))"}


def _tables(suffix: str, options: str) -> Write:
    def write(connection: Connection, folder: Path, choice: Choice) -> Mapping[str, int]:
        return {
            f"{table}.{suffix}": _copy(connection, _query(connection, table, choice), folder / f"{table}.{suffix}", options)
            for table in choice.tables or EXPORTED
        }

    return write


def _query(connection: Connection, table: str, choice: Choice) -> str:
    columns = [str(column) for (column, *_) in cast("list[tuple[str, ...]]", driver(connection).execute(f"DESCRIBE {table}").fetchall())]
    time = _TIMES.get(table) or next((name for name in ("pump_time", "day") if name in columns), None)
    where = "true" if time is None else _days(time, choice)
    return f"FROM {table} WHERE {where} ORDER BY ALL"


def _days(column: str, choice: Choice) -> str:
    """Rows without a time are part of an export of all days only."""
    parts = [f"{column}::DATE >= DATE '{choice.since}'"] if choice.since else []
    parts += [f"{column}::DATE <= DATE '{choice.until}'"] if choice.until else []
    return " AND ".join(parts) or "true"


def _copy(connection: Connection, query: str, path: Path, options: str) -> int:
    quoted = str(path).replace("'", "''")
    return number(connection, f"COPY ({query}) TO '{quoted}' ({options})")


# --- Nightscout's


def _nightscout(connection: Connection, folder: Path, choice: Choice) -> Mapping[str, int]:
    if choice.tables:
        raise UsageError("Nightscout's files are made of several tables each; leave out --tables, or export parquet or csv")
    return {
        f"{name}.json": _array(connection, nightscout.query(collection, _days("pump_time", choice)), folder / f"{name}.json")
        for name, collection in nightscout.FILES.items()
    }


def _array(connection: Connection, query: str, path: Path) -> int:
    """A JSON array, one object a line, written a batch at a time: the rows are JSON texts."""
    rows = driver(connection).execute(query)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        while batch := cast("Sequence[tuple[str]]", rows.fetchmany(_BATCH)):
            file.writelines(f"{',' if count + place else ''}\n {line}" for place, (line,) in enumerate(batch))
            count += len(batch)
        file.write("\n]\n")
    return count


_BATCH: Final = 10_000

KINDS: Final[Mapping[str, Write]] = {
    "parquet": _tables("parquet", "FORMAT parquet, COMPRESSION zstd"),
    "csv": _tables("csv", "FORMAT csv, HEADER true"),
    "nightscout": _nightscout,
}
"""What can be written, and how."""
