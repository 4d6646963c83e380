"""Insert columns into tables: Arrow tables are registered with DuckDB and selected from, in the caller's transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.receive.decode import Batch
from pipeline.store.warehouse import Driver, driver
from tandem.events import PAYLOAD_LENGTH

Positions = npt.NDArray[np.intp]


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


# --- what of an answer is new

_WITHIN: Final = "r.device_id = $1 AND r.sequence_number BETWEEN $2 AND $3"
_ANY: Final = f"SELECT count(*) FROM (SELECT 1 FROM raw_events r WHERE {_WITHIN} LIMIT 1)"  # noqa: S608  # our own words
_KNOWN: Final = f"""
SELECT place, r.era = i.era AND
    (r.code <> i.code OR r.source <> i.source OR r.pump_seconds <> i.pump_seconds OR r.payload <> i.payload) AS odd
FROM incoming i JOIN raw_events r USING (device_id, sequence_group, sequence_number)
WHERE {_WITHIN}
"""  # noqa: S608  # our own words


def sift(connection: Connection, device_id: int, batch: Batch, era: str) -> tuple[Batch, Batch]:
    """Which of the batch are new, in order of identity, and which carry an identity that is taken by other content.

    The first of an identity counts. Content is compared within one era only: the json eras do not tell every bit of a record.
    """
    if not len(batch):
        return batch, batch
    if _is_ascending(batch):  # as answers are: in order, and nothing twice
        firsts, later = batch, batch.take(np.empty(0, np.intp))
    else:
        first, odd = _firsts(batch)
        firsts, later = batch.take(first), batch.take(odd)
    taken, changed = _known(connection, device_id, firsts, era)
    if not len(taken):
        return firsts, later
    fresh = np.ones(len(firsts), bool)
    fresh[taken] = False
    return firsts.take(fresh), Batch.join((firsts.take(changed), later))


def _is_ascending(batch: Batch) -> bool:
    """Whether each identity is greater than the one before."""
    keys = batch.sequence if len(batch.group_numbers) == 1 else batch.keys
    return bool((keys[1:] > keys[:-1]).all())


def _firsts(batch: Batch) -> tuple[Positions, npt.NDArray[np.bool_]]:
    """Where each identity comes first, in order of identity; and which later ones say something else."""
    keys = batch.keys
    odd = np.zeros(len(batch), bool)
    order = np.argsort(keys, kind="stable")
    steps = np.diff(keys[order]) > 0
    starts = np.flatnonzero(np.append(np.True_, steps))
    leader = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    odd[order] = (batch.records.rows[order] != batch.records.rows[leader]).any(axis=1)
    return order[starts], odd


def _known(connection: Connection, device_id: int, batch: Batch, era: str) -> tuple[Positions, Positions]:
    """Which identities raw_events has, and which of those with other content."""
    sequence = batch.sequence
    span = [device_id, int(sequence.min()), int(sequence.max())]
    if not number(connection, _ANY, span):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    rows = raw_rows(device_id, batch, era).append_column("place", pa.array(np.arange(len(batch))))
    with visible(connection, "incoming", rows):
        found = run(connection, _KNOWN, span).fetchnumpy()
    taken = np.asarray(found["place"], np.intp)
    return taken, taken[np.asarray(found["odd"], bool)]
