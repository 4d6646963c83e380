"""Insert columns into tables: Arrow tables are registered with DuckDB and selected from, in the caller's transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.receive.batch import Batch
from pipeline.store.engine import Driver, driver
from tandem.events import PAYLOAD_LENGTH


@contextmanager
def visible(connection: Connection, name: str, table: pa.Table) -> Iterator[None]:
    """The Arrow table under that name for statements of this connection."""
    duckdb = driver(connection)
    duckdb.register(name, table)
    try:
        yield
    finally:
        duckdb.unregister(name)


def insert(connection: Connection, table: str, rows: pa.Table) -> int:
    """Add rows to a table; columns the rows lack become null. Returns how many came in."""
    if not len(rows):
        return 0
    columns = ", ".join(rows.column_names)
    with visible(connection, "incoming", rows):
        return number(connection, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming")  # noqa: S608  # our own names


def run(connection: Connection, statement: str, numbers: Sequence[int] = ()) -> Driver:
    """Run a statement, `$1`, `$2` and so on being these whole numbers.

    They are written into it: given as parameters, DuckDB would look for pandas twice a number, which takes longer than most statements.
    """
    for place, value in reversed([*enumerate(numbers, 1)]):
        statement = statement.replace(f"${place}", str(int(value)))
    return driver(connection).execute(statement)


def number(connection: Connection, statement: str, numbers: Sequence[int] = ()) -> int:
    """The one number a statement gives: a count, or how many rows it changed."""
    rows = run(connection, statement, numbers).fetchall()
    return int(cast("int", rows[0][0])) if rows else 0


def same(word: str, count: int) -> pa.Array:
    """The same word in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([word]))


def blobs(rows: npt.NDArray[np.uint8]) -> pa.Array:
    """Rows of bytes as a column. With offsets, though all are as long: DuckDB reads fixed-size binaries at a fifth of the speed."""
    count, length = rows.shape
    offsets = np.arange(0, (count + 1) * length, length, dtype=np.int64)
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(rows))]
    )


def payloads(column: pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """Payloads that DuckDB gave as a column, N x 16: `blobs` the other way round. Every stored payload is 16 bytes long."""
    parts = [np.empty(0, np.uint8)]
    for chunk in column.chunks:
        if len(chunk):
            _, offsets, content = chunk.buffers()
            first = np.frombuffer(offsets, np.int32)[chunk.offset]
            parts.append(np.frombuffer(content, np.uint8, PAYLOAD_LENGTH * len(chunk), first))
    return np.concatenate(parts).reshape(-1, PAYLOAD_LENGTH)


def identity_columns(device_id: int, batch: Batch) -> dict[str, pa.Array]:
    """The key columns of a batch."""
    return {
        "device_id": pa.array(np.full(len(batch), device_id, np.int32)),
        "sequence_group": pa.array(batch.groups.astype(np.int32)),
        "sequence_number": pa.array(batch.sequence.astype(np.int64)),
    }


def raw_rows(device_id: int, batch: Batch, era: str) -> pa.Table:
    """raw_events rows of a batch."""
    records = batch.records
    return pa.table(
        {
            **identity_columns(device_id, batch),
            "era": same(era, len(batch)),
            "code": pa.array(batch.codes.astype(np.int16)),
            "source": pa.array(records.source.astype(np.int16)),
            "pump_seconds": pa.array(batch.seconds.astype(np.int64)),
            "payload": blobs(records.payload),
        }
    )
