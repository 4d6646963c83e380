"""What an answer is read into: a batch of records, and rejects. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.store.reasons import HOLES, Reason
from tandem.eras import Era
from tandem.records import Records

Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something received that is no event: `raw` as it came, or None where raw_events keeps the record of that identity."""

    reason: Reason
    detail: str
    raw: bytes | None
    group: int | None = None
    sequence: int | None = None
    code: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Records of one device with the sequence group of each. No slots: the columns of the header are read out of the records once."""

    records: Records
    groups: Groups

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def codes(self) -> npt.NDArray[np.uint16]:
        """Event codes."""
        return self.records.code

    @cached_property
    def seconds(self) -> npt.NDArray[np.uint32]:
        """Seconds since 2008 on the pump's wall clock."""
        return self.records.seconds

    @cached_property
    def sequence(self) -> npt.NDArray[np.uint32]:
        """Sequence numbers."""
        return self.records.sequence

    @property
    def keys(self) -> npt.NDArray[np.int64]:
        """Group and sequence number in one number: the identity within a device."""
        return (self.groups << 32) | self.sequence

    @cached_property
    def group_numbers(self) -> tuple[int, ...]:
        """The sequence groups there are: one, as far as anybody has seen."""
        if len(self) and (self.groups == self.groups[0]).all():
            return (int(self.groups[0]),)
        return tuple(np.unique(self.groups).tolist())

    @classmethod
    def join(cls, parts: Sequence["Batch"]) -> "Batch":
        """All records of the parts, one part after the other."""
        return cls(records=Records.join(part.records for part in parts), groups=np.concatenate([part.groups for part in parts]))

    def take(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Batch":
        """The records at these positions, or where this mask is true."""
        return Batch(records=self.records.take(which), groups=self.groups[which])


NO_NEWS: Final = Batch(records=Records.join(()), groups=np.empty(0, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Received:
    """One answer, read: the events it held (any number of times), and what could not be read."""

    era: str
    batch: Batch
    rejects: tuple[Reject, ...] = ()

    @property
    def has_hole(self) -> bool:
        """Whether events of its days are missing for sure: nothing could be read, or it is not whole records to its end."""
        return any(reject.reason in HOLES for reject in self.rejects)


def joined(answers: Sequence[Received]) -> Received:
    """Answers of one era and device as one, in their order."""
    if len(answers) == 1:
        return answers[0]
    rejects = tuple(reject for answer in answers for reject in answer.rejects)
    return Received(era=answers[0].era, batch=Batch.join([answer.batch for answer in answers]), rejects=rejects)


def unreadable(era: Era, body: bytes, detail: str) -> Received:
    """An answer in which nothing could be read."""
    return Received(era=era.name, batch=NO_NEWS, rejects=(Reject(reason=Reason.UNREADABLE, detail=detail, raw=body),))
