"""The 26-byte records of pump events, decoded and encoded as one array, by column.

A record is a big-endian header (4 bits source, 12 bits event code, 32 bits pump seconds, 32 bits sequence number) and 16
payload bytes whose fields `tandem.events` places. No length, checksum or compression.
Source: tconnectsync eventparser/raw_event.py; 126 public records.
Pump seconds count from 2008-01-01 on the pump's wall clock, which has no zone: see `tandem.clock`.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from tandem.events import PAYLOAD_START, RECORD_LENGTH, Field, fields_of
from tfx.errors import FormatError

Column = npt.NDArray[np.generic]
Columns = dict[str, Column]
Values = npt.ArrayLike

_HEADER: Final = np.dtype(
    {
        "names": ["head", "seconds", "sequence"],
        "formats": [">u2", ">u4", ">u4"],
        "offsets": [0, 2, 6],
        "itemsize": RECORD_LENGTH,
    }
)
_WIRE: Final[Mapping[str, str]] = {
    "uint8": "u1", "int8": "i1", "uint16": ">u2", "int16": ">i2", "uint32": ">u4", "int32": ">i4", "float32": ">f4",
}  # fmt: skip


@cache
def layout(code: int) -> np.dtype[np.void]:
    """The structured dtype of a whole record of that code, its fields at their places."""
    fields = fields_of(code)
    return np.dtype(
        {
            "names": [field.name for field in fields],
            "formats": [_WIRE[field.type] for field in fields],
            "offsets": [field.offset for field in fields],
            "itemsize": RECORD_LENGTH,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Records:
    """Pump records in their order, `rows` being N x 26 bytes that nobody writes to.

    Its `repr` shows the count only: records are health data.
    """

    rows: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape[1] != RECORD_LENGTH or self.rows.dtype != np.uint8:  # noqa: PLR2004  # N x 26
            raise FormatError(f"pump records are rows of {RECORD_LENGTH} bytes, not an array of shape {self.rows.shape}")
        rows = np.ascontiguousarray(self.rows)
        if rows.flags.writeable:
            rows = rows.view()
            rows.flags.writeable = False
        object.__setattr__(self, "rows", rows)

    # --- in and out

    @classmethod
    def parse(cls, stream: bytes | bytearray | memoryview) -> "Records":
        """Records of a byte stream, without copying it. Raises FormatError if it does not end at the end of a record."""
        size = memoryview(stream).nbytes
        if size % RECORD_LENGTH:
            whole = size - size % RECORD_LENGTH
            raise FormatError(
                f"the pump event stream of {size} bytes ends inside a record: {size % RECORD_LENGTH} of {RECORD_LENGTH} bytes at offset "
                f"{whole} (record {whole // RECORD_LENGTH}); fetch that window again"
            )
        return cls(rows=np.frombuffer(stream, dtype=np.uint8).reshape(-1, RECORD_LENGTH))

    @classmethod
    def from_base64(cls, text: str | bytes) -> "Records":
        """Records of base64 text. Raises FormatError if it is not strict base64 or not whole records."""
        try:
            return cls.parse(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as e:
            raise FormatError(f"the pump event stream is not base64 ({len(text)} characters); fetch that window again") from e

    @classmethod
    def from_body(cls, body: bytes) -> "Records":
        """Records of a legacy `pumpevents` answer: one JSON string that holds base64. Raises FormatError for anything else."""
        try:
            text: object = orjson.loads(body)
        except orjson.JSONDecodeError as e:
            raise FormatError(f"the pumpevents answer of {len(body)} bytes is not JSON; fetch that window again") from e
        if not isinstance(text, str):
            raise FormatError(f"the pumpevents answer is a JSON {type(text).__name__}, not a string of base64")
        return cls.from_base64(text)

    @classmethod
    def join(cls, parts: Iterable["Records"]) -> "Records":
        """All records of the parts, one part after the other."""
        rows = [part.rows for part in parts]
        return cls(rows=np.concatenate(rows) if rows else np.empty((0, RECORD_LENGTH), np.uint8))

    @classmethod
    def build(
        cls,
        *,
        code: int,
        seconds: Values,
        sequence: Values,
        columns: Mapping[str, Values] | None = None,
        source: int = 0,
    ) -> "Records":
        """New records of one code from columns of equal length (or single numbers, repeated); fields left out are 0.

        Raises FormatError for a name the code does not have, a value out of its field's range, or columns of unequal length.
        """
        columns = columns or {}
        try:
            count = np.broadcast(*map(np.atleast_1d, (seconds, sequence, *columns.values()))).size
        except ValueError as e:
            raise FormatError(f"columns for event {code} are of different lengths") from e
        blank = cls(rows=np.zeros((count, RECORD_LENGTH), np.uint8)).with_header(
            code=code, source=source, seconds=seconds, sequence=sequence
        )
        return blank.with_columns(code, columns) if columns else blank

    def to_bytes(self) -> bytes:
        """The byte stream."""
        return self.rows.tobytes()

    def to_base64(self) -> str:
        """The byte stream as base64 text."""
        return base64.b64encode(self.rows.data if len(self) else b"").decode("ascii")

    def to_body(self) -> bytes:
        """A legacy `pumpevents` answer: a JSON string of base64."""
        return orjson.dumps(self.to_base64())

    # --- the header and the payload

    @property
    def source(self) -> npt.NDArray[np.uint8]:
        """The upper four bits of the first byte: 0 from Tandem Source, 1 in Bluetooth records of newer pumps."""
        return self.rows[:, 0] >> np.uint8(4)

    @property
    def code(self) -> npt.NDArray[np.uint16]:
        """Event codes, 0 to 4095."""
        return self._header("head").astype(np.uint16) & np.uint16(0x0FFF)

    @property
    def seconds(self) -> npt.NDArray[np.uint32]:
        """Seconds since 2008-01-01 on the pump's wall clock."""
        return self._header("seconds").astype(np.uint32)

    @property
    def sequence(self) -> npt.NDArray[np.uint32]:
        """Sequence numbers: the order of writing, which is not the order of time."""
        return self._header("sequence").astype(np.uint32)

    @property
    def payload(self) -> npt.NDArray[np.uint8]:
        """The payloads, N x 16 bytes; a view."""
        return self.rows[:, PAYLOAD_START:]

    def _header(self, name: str) -> Column:
        return self.rows.view(_HEADER)[:, 0][name]

    # --- choosing

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Records({len(self)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Records) and np.array_equal(self.rows, other.rows)

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def take(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> "Records":
        """The records at these positions, or where this mask is true."""
        return Records(rows=self.rows[which])

    def positions(self, code: int) -> npt.NDArray[np.intp]:
        """Where the records of this code are."""
        return np.flatnonzero(self.code == code)

    def select(self, code: int) -> "Records":
        """The records of this code, in their order."""
        return self.take(self.positions(code))

    def groups(self) -> Iterator[tuple[int, npt.NDArray[np.intp], "Records"]]:
        """Per code, in rising order: the code, its positions, its records. One sort for all codes."""
        codes = self.code
        order = np.argsort(codes, kind="stable")
        for which in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
            if len(which):
                yield int(codes[which[0]]), which, self.take(which)

    # --- fields by the column

    def columns(self, code: int) -> Columns:
        """Every field of the records of this code: name -> one native number per such record, in their order.

        Numbers are as stored: no scale applied, bit masks as numbers. A code without layout gives its sixteen payload bytes.
        """
        chosen = self if (self.code == code).all() else self.select(code)
        view = chosen.rows.view(layout(code))[:, 0]
        return {field.name: view[field.name].astype(field.type) for field in fields_of(code)}

    def with_columns(self, code: int, columns: Mapping[str, Values]) -> "Records":
        """The same records with these fields of this code's records replaced, and nothing else.

        A column has one number per record of the code, or is a single number for all. Raises FormatError for an unknown name, a
        number out of the field's range, or a column of another length.
        """
        fields = {field.name: field for field in fields_of(code)}
        which = self.positions(code)
        rows = self.rows.copy()
        part = rows[which].view(layout(code))[:, 0]
        for name, values in columns.items():
            if name not in fields:
                raise FormatError(f"event {code} has no field {name}; it has {', '.join(fields)}")
            part[name] = _fitting(values, fields[name], len(which), f"event {code}, field {name}")
        rows[which] = part.view(np.uint8).reshape(-1, RECORD_LENGTH)
        return Records(rows=rows)

    def with_header(
        self,
        *,
        code: Values | None = None,
        source: Values | None = None,
        seconds: Values | None = None,
        sequence: Values | None = None,
    ) -> "Records":
        """The same records with these parts of every header replaced. Raises FormatError for numbers that do not fit."""
        rows = self.rows.copy()
        header = rows.view(_HEADER)[:, 0]
        if code is not None or source is not None:
            codes = self.code if code is None else _whole(code, 0, 0x0FFF, len(self), "event code")
            sources = self.source if source is None else _whole(source, 0, 0xF, len(self), "source")
            header["head"] = np.asarray(sources, np.uint16) << np.uint16(12) | np.asarray(codes, np.uint16)
        for name, values in (("seconds", seconds), ("sequence", sequence)):
            if values is not None:
                header[name] = _whole(values, 0, 0xFFFFFFFF, len(self), name)
        return Records(rows=rows)

    def with_payload(self, payload: npt.NDArray[np.uint8], which: npt.NDArray[np.intp] | slice = slice(None)) -> "Records":
        """The same records with whole payloads replaced (16 bytes, or n x 16), everywhere or at these positions."""
        rows = self.rows.copy()
        rows[which, PAYLOAD_START:] = payload
        return Records(rows=rows)


def _fitting(values: Values, field: Field, count: int, place: str) -> Column:
    if field.type != "float32":
        return _whole(values, *field.bounds, count, place)
    column = np.asarray(values)
    if column.dtype.kind not in "fiu":
        raise FormatError(f"{place}: not numbers")
    with np.errstate(over="ignore"):  # checked below, with a better message
        narrow = column.astype(np.float32, copy=False)
    if (np.isinf(narrow) & ~np.isinf(column)).any():
        raise FormatError(f"{place}: a number is beyond what 32-bit floats hold")
    return _shaped(narrow, count, place)


def _whole(values: Values, low: int, high: int, count: int, place: str) -> Column:
    column = np.asarray(values)
    if column.dtype.kind not in "iu" and column.size:
        raise FormatError(f"{place}: not whole numbers")
    if column.size and (column.min() < low or column.max() > high):
        raise FormatError(f"{place}: a number is outside {low} to {high}")
    return _shaped(column, count, place)


def _shaped(column: Column, count: int, place: str) -> Column:
    if column.ndim and column.shape != (count,):
        raise FormatError(f"{place}: {column.size} numbers for {count} records")
    return column
