"""The quarantine: received content that could not be understood, stored with its reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.receive.batch import Batch, Reject
from pipeline.store.load import blobs, number, run, same, visible
from pipeline.store.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fault:
    """Events with the same thing wrong with them. `whole` keeps their bytes, because no other table does."""

    batch: Batch
    reason: Reason
    detail: str
    whole: bool = False


_COLUMNS: Final = {
    "sequence_group": pa.int32(),
    "sequence_number": pa.int64(),
    "code": pa.int32(),
    "reason": pa.string(),
    "detail": pa.string(),
    "raw": pa.large_binary(),
}
_DIGEST: Final = """
md5(concat_ws(' ', device_id, coalesce(sequence_group, -1), coalesce(sequence_number, -1), coalesce(code, -1), md5(reason), md5(detail),
              coalesce(md5(raw), '-')))
"""
# The same trouble met again has the same digest and so is one row.
_KEEP: Final = f"""
INSERT INTO quarantine (id, device_id, sequence_group, sequence_number, code, reason, detail, raw)
SELECT {_DIGEST}, * FROM (SELECT $1 AS device_id, * FROM incoming) ON CONFLICT DO NOTHING
"""  # noqa: S608  # our own words
COMING: Final = "pump seconds: later than the day it was asked for"
_LATER: Final = f"""
SELECT sequence_number FROM quarantine WHERE device_id = $1 AND sequence_group = $2 AND detail = '{COMING}'
"""  # noqa: S608  # our own words
_ALTERED: Final = f"SELECT count(*) FROM quarantine WHERE id IS DISTINCT FROM {_DIGEST}"  # noqa: S608  # our own words


def quarantine(connection: Connection, device_id: int, rejects: Sequence[Reject], faults: Sequence[Fault]) -> int:
    """Keep them; the same trouble met again is the same row. Returns how many rows are new."""
    parts = [_of_faults(fault) for fault in faults if len(fault.batch)]
    if rejects:
        parts.append(_of_rejects(rejects))
    if not parts:
        return 0
    with visible(connection, "incoming", pa.concat_tables(parts).combine_chunks()):
        return number(connection, _KEEP, [device_id])


def later(connection: Connection, device_id: int, group: int) -> npt.NDArray[np.int64]:
    """Events that were later than the run that received them: a time is judged once (docs/decisions/event-identity.md)."""
    return np.asarray(run(connection, _LATER, [device_id, group]).fetchnumpy()["sequence_number"], np.int64)


def altered(connection: Connection) -> Iterator[str]:
    """Whether rows say something else than when they were kept, in a sentence. One that is gone is missed only if raw_events gives it."""
    if count := number(connection, _ALTERED):
        yield f"quarantine: {count:,} rows were altered since they were kept"


def _of_faults(fault: Fault) -> pa.Table:
    records, count = fault.batch.records, len(fault.batch)
    columns = (
        pa.array(fault.batch.groups.astype(np.int32)),
        pa.array(records.sequence.astype(np.int64)),
        pa.array(records.code.astype(np.int32)),
        same(fault.reason, count).cast(pa.string()),
        same(fault.detail, count).cast(pa.string()),
        blobs(records.rows) if fault.whole else pa.nulls(count, pa.large_binary()),
    )
    return pa.table(dict(zip(_COLUMNS, columns, strict=True)))


def _of_rejects(rejects: Sequence[Reject]) -> pa.Table:
    rows = zip(*((one.group, one.sequence, one.code, one.reason, one.detail, one.raw) for one in rejects), strict=True)
    return pa.table({name: pa.array(values, kind) for (name, kind), values in zip(_COLUMNS.items(), rows, strict=True)})
