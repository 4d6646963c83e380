"""What of an answer is new: identities that raw_events does not have yet. Reads only."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.receive.batch import Batch
from pipeline.store.load import number, raw_rows, run, visible

Positions = npt.NDArray[np.intp]

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
