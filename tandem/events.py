"""Pump events and their fields, as data: 59 of them, read once from event_fields.csv.

Sources. The layouts are those the Tandem Source web app ships in its reports module, as tconnectsync 3.0.3 publishes them (55 codes,
origin `schema`), plus the four tconnectsync adds by hand (36, 37, 48, 81: origin `custom`). Members that only the JSON of the bff shows
have origin `json`: 313 `weightUnit`, `weight`, `currentTdIpop` (places as pumpX2 gives them) and 61 `infusionSetType` (its place follows
from the order of the members; every known value is 0, so it is unproven). Origin `spare` are the members the bff names after the byte they
are in: letter = 32-bit word, number = byte of the little-endian payload, so byte i of word w lies at record offset
10 + 4*w + 3 - i % 4. A spare reaches up to the next member, hence `spareA2` of 66, 369 and 371 is 16 bits where 279 has `reservedA2` and
`spareA3`.

Two faults of the published layout are put right here:

- 81: tconnectsync reads the last word as two bytes of "charge percent" and a 16-bit voltage. In all public records it is u16 millivolts, u8
  percent, u8 status (tconnectsync PR 144, pumpX2); origin `bluetooth`. What tconnectsync calls `batteryChargePercentMSBRaw` and `...LSBRaw`
  are the two bytes of `batteryLipoMilliVolts`; its `batteryLipoMilliVolts` is `batteryChargePercent * 256 + batteryStatus`.
- 90: `featuresBitmask` and `featureBitmaskIndex` are lists of set bits in JSON though the layout declares plain numbers;
  tconnectsync's JSON path therefore leaves a list where its binary path gives a number.

Fields are in the order of the pump's little-endian payload, which is the order in which the bff writes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

FieldType = Literal["uint8", "uint16", "uint32", "int8", "int16", "int32", "float32"]
Meaning = Literal["none", "enum", "bitmask", "dictionary"]
TimeKind = Literal["none", "pump_seconds", "pump_days", "ms_of_day", "unix_wall", "device_counter"]
Origin = Literal["schema", "custom", "json", "spare", "bluetooth"]

PAYLOAD_START: Final = 10
RECORD_LENGTH: Final = 26
PAYLOAD_LENGTH: Final = RECORD_LENGTH - PAYLOAD_START

_BITS: Final[Mapping[str, int]] = {
    "uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "uint32": 32, "int32": 32, "float32": 32,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an event's payload.

    `offset`: its first byte in the 26-byte record (10 to 25), big-endian. `scale`: what the stored number is multiplied with to be
    in `unit`; neither records nor JSON apply it. `time`: what kind of time it holds and so how it moves when dates are shifted;
    `device_counter` is no date and does not move. `mark`: what the sanitizer must know of it: D date, C counter, I identifier,
    V version, W body data, ? opaque, empty for none.
    """

    name: str
    offset: int
    type: FieldType
    unit: str
    scale: float
    meaning: Meaning
    time: TimeKind
    mark: str
    origin: Origin

    @property
    def width(self) -> int:
        """Bytes it takes."""
        return _BITS[self.type] // 8

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest whole number it can hold; (0, 0) for float32, which has no such bounds."""
        bits = _BITS[self.type]
        if self.type == "float32":
            return 0, 0
        return (0, (1 << bits) - 1) if self.type.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """What is known of one event code: its name (tconnectsync's, without the `LID_` in front) and its fields."""

    code: int
    name: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field of that name; KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def unnamed(self) -> tuple[int, ...]:
        """Record offsets of the payload bytes no field covers, in little-endian payload order."""
        named = {field.offset + byte for field in self.fields for byte in range(field.width)}
        return tuple(offset for offset in map(spare_offset, range(PAYLOAD_LENGTH)) if offset not in named)


def spare_offset(index: int) -> int:
    """Where byte `index` (0 to 15) of the little-endian payload lies in a record: each 32-bit word is stored reversed."""
    return PAYLOAD_START + index - index % 4 + 3 - index % 4


def spare_name(offset: int) -> str:
    """The name the bff would give the payload byte at this record offset: `spareA3` is the highest byte of the first word."""
    place = offset - PAYLOAD_START
    index = place - place % 4 + 3 - place % 4
    return f"spare{'ABCD'[index // 4]}{index}"


def _field(row: list[str]) -> Field:
    name, offset, kind, unit, scale, meaning, time, mark, origin = row[2:]
    return Field(
        name=name,
        offset=int(offset),
        type=cast("FieldType", kind),
        unit=unit,
        scale=float(scale),
        meaning=cast("Meaning", meaning),
        time=cast("TimeKind", time),
        mark=mark,
        origin=cast("Origin", origin),
    )


def _load() -> dict[int, EventType]:
    lines = Path(__file__).with_name("event_fields.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",") for line in lines]  # no field holds a comma or a quote
    return {
        int(code): EventType(code=int(code), name=name, fields=tuple(map(_field, of_code)))
        for (code, name), of_code in groupby(rows, key=lambda row: (row[0], row[1]))
    }


EVENTS: Final[Mapping[int, EventType]] = MappingProxyType(_load())
"""The 59 events with a layout, by code."""

DEFAULT_CODES: Final[tuple[int, ...]] = (
    229, 5, 28, 4, 26, 562, 563, 566, 99, 279, 3, 16, 59, 21, 55, 20, 280, 64, 65, 66, 61, 33, 371, 171, 369, 460, 172, 370, 461, 372,
    480, 399, 256, 213, 406, 477, 394, 212, 404, 214, 405, 486, 447, 313, 60, 14, 69, 57, 6, 90, 230, 140, 12, 11, 53, 559, 558, 565,
    564, 13, 63, 203, 307, 191,
)  # fmt: skip
"""The codes tconnectsync 3.0.3 asks for unless told otherwise, in its order (`DEFAULT_EVENT_IDS` in api/tandemsource.py)."""

CODES_WITHOUT_LAYOUT: Final[tuple[int, ...]] = tuple(sorted(set(DEFAULT_CODES) - set(EVENTS)))
"""Codes clients ask for though nobody has published a layout: 57, 69, 558, 559, 562 to 566."""

IDENTITY_CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        57: "profile name, second half",
        69: "profile name, first half",
        156: "transmitter serial number",
        216: "transmitter serial number",
        217: "sensor code",
        220: "transmitter version and id",
        390: "sensor code",
        395: "pairing code",
    }
)
"""Codes without a layout whose payload, by name or by public samples, identifies a person or a device (pumpX2)."""


def fields_of(code: int) -> tuple[Field, ...]:
    """The fields of a code; for a code without layout every payload byte as a spare of its own, so that nothing is lost."""
    known = EVENTS.get(code)
    return known.fields if known else bare_fields()


def bare_fields() -> tuple[Field, ...]:
    """Sixteen single bytes, `spareA0` to `spareD15`: the layout of a code without a layout."""
    return _BARE


_BARE: Final = tuple(
    Field(
        name=spare_name(spare_offset(index)),
        offset=spare_offset(index),
        type="uint8",
        unit="",
        scale=1.0,
        meaning="none",
        time="none",
        mark="?",
        origin="spare",
    )
    for index in range(PAYLOAD_LENGTH)
)
