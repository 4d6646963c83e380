"""Columns into tables, by the set: Arrow tables are registered with DuckDB and selected from, in the caller's transaction."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.decode import Batch, Reject
from pipeline.warehouse import driver

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


def insert(connection: Connection, table: str, rows: pa.Table, *, once: bool = False) -> int:
    """Add rows to a table; columns the rows lack become null. `once` passes over rows whose key is there. Returns how many came in."""
    if not len(rows):
        return 0
    columns = ", ".join(rows.column_names)
    again = "ON CONFLICT DO NOTHING" if once else ""
    with visible(connection, "incoming", rows):
        return number(connection, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM incoming {again}")  # noqa: S608  # our own names


def number(connection: Connection, statement: str, parameters: Sequence[object] = ()) -> int:
    """The one number a statement gives: a count, or how many rows it changed."""
    rows = driver(connection).execute(statement, list(parameters)).fetchall()
    return int(cast("int", rows[0][0])) if rows else 0


def identity_columns(device_id: int, batch: Batch) -> dict[str, pa.Array]:
    """The key columns of a batch."""
    return {
        "device_id": pa.array(np.full(len(batch), device_id, np.int32)),
        "sequence_group": pa.array(batch.groups.astype(np.int32)),
        "sequence_number": pa.array(batch.records.sequence.astype(np.int64)),
    }


def raw_rows(device_id: int, batch: Batch, era: str) -> pa.Table:
    """raw_events rows of a batch."""
    records = batch.records
    payload = np.ascontiguousarray(records.payload)
    return pa.table(
        {
            **identity_columns(device_id, batch),
            "era": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(batch), np.int32)), pa.array([era])),
            "code": pa.array(records.code.astype(np.int16)),
            "source": pa.array(records.source.astype(np.int16)),
            "pump_seconds": pa.array(records.seconds.astype(np.int64)),
            "payload": pa.FixedSizeBinaryArray.from_buffers(pa.binary(payload.shape[1]), len(batch), [None, pa.py_buffer(payload)]),
        }
    )


_KNOWN = """
SELECT place, r.era = i.era AND (r.code <> i.code OR r.pump_seconds <> i.pump_seconds OR r.payload <> i.payload)
FROM incoming i JOIN raw_events r USING (device_id, sequence_group, sequence_number)
WHERE r.device_id = $1 AND r.sequence_number BETWEEN $2 AND $3
"""


def sift(connection: Connection, device_id: int, batch: Batch, era: str) -> tuple[Positions, Positions]:
    """Which of the batch are new, and which carry a known identity with other content. The first of an identity counts.

    Content is compared within one era only: the json eras do not tell every bit of a record.
    """
    if not len(batch):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    keys, first, back = np.unique(batch.keys, return_index=True, return_inverse=True)
    odd = (batch.records.rows != batch.records.rows[first[back]]).any(axis=1)
    rows = raw_rows(device_id, batch, era).append_column("place", pa.array(np.arange(len(batch)))).take(pa.array(first))
    sequence = batch.records.sequence
    with visible(connection, "incoming", rows):
        duckdb = driver(connection).execute(_KNOWN, [device_id, int(sequence.min()), int(sequence.max())])
        known = np.array(duckdb.fetchall(), np.int64).reshape(-1, 2)
    fresh = np.zeros(len(batch), bool)
    fresh[first] = True
    fresh[known[:, 0]] = False
    odd[known[:, 0]] |= known[:, 1].astype(bool)
    del keys
    return np.flatnonzero(fresh), np.flatnonzero(odd)


def quarantine(connection: Connection, device_id: int, rejects: Sequence[Reject]) -> int:
    """Keep what could not be read; the same trouble met again is the same row."""
    if not rejects:
        return 0
    columns: Mapping[str, list[object]] = {
        "id": [_digest(device_id, reject) for reject in rejects],
        "device_id": [device_id for _ in rejects],
        "sequence_group": [reject.group for reject in rejects],
        "sequence_number": [reject.sequence for reject in rejects],
        "code": [reject.code for reject in rejects],
        "reason": [reject.reason for reject in rejects],
        "detail": [reject.detail for reject in rejects],
        "raw": [reject.raw for reject in rejects],
    }
    types = {"sequence_group": pa.int32(), "sequence_number": pa.int64(), "code": pa.int32(), "raw": pa.binary()}
    table = pa.table({name: pa.array(values, types.get(name)) for name, values in columns.items()})
    return insert(connection, "quarantine", table, once=True)


def _digest(device_id: int, reject: Reject) -> str:
    said = (device_id, reject.group, reject.sequence, reject.code, reject.reason, reject.detail, reject.raw)
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()
