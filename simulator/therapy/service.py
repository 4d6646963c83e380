"""The first three hours of a new pump: powered up, clock set, filled, every sensor family tried, every alarm tested.

This is where the rare events come from: together with ordinary therapy each of the 59 known event codes occurs at least once, and so do
codes nobody has a layout for. Rows are (seconds after power-up, event code, fields).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.identity import PumpIdentity
from simulator.settings import Settings
from simulator.therapy.boluses import Boluses
from simulator.therapy.log import Log
from simulator.therapy.sensors import G6, G7, LIBRE2, LIBRE3, log_readings
from simulator.therapy.timeline import SLOT, Timeline
from tandem.clock import UNIX_OF_PUMP_EPOCH

SERVICE: Final = 3 * 3600
"""Seconds from power-up to ordinary therapy."""

FACTORY_AGE: Final = 2016
"""Days between the date a new pump believes it is and the date it is set to."""

Row = tuple[int, int, Mapping[str, int | float]]

_NEVER: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """What a pump says of its own making; numbers of parts and versions, and the mask of its features."""

    part: int
    version: int
    radio_part: int
    radio_version: int
    config: int
    features: int
    checksum: int


def firmware(rng: np.random.Generator) -> Firmware:
    """One of a few plausible builds."""
    build = int(rng.integers(0, 4))
    return Firmware(
        part=1_013_117 + build,
        version=3_104_800 + build * 137,
        radio_part=1_010_466,
        radio_version=2_205_310 + build * 11,
        config=0x0000_8421 + build,
        features=0x0220_DD9A,
        checksum=int(rng.integers(0, 0x10000)),
    )


def log_service(
    log: Log, timeline: Timeline, pump: PumpIdentity, settings: Settings, *, names: tuple[str, ...], rng: np.random.Generator
) -> None:
    """All of it except the boluses, which are `service_boluses`."""
    for rows in (
        _power_up(timeline, pump, firmware(rng)), _fill(settings), _old_sensors(timeline, pump), _g7(pump), _alarms(pump), _modes(),
    ):  # fmt: skip
        for at, code, fields in rows:
            log.add(code, at, **fields)
    _tell_names(log, pump, names)
    for family, begin, count in ((LIBRE2, 1240, 3), (LIBRE3, 2700, 5), (G6, 4700, 4)):
        slots = begin + SLOT * np.arange(count, dtype=np.int64)
        log_readings(log, family, slots, rng.integers(95, 140, count), timeline=timeline, rng=rng)


def clock_setting(timeline: Timeline, pump: PumpIdentity, at: int) -> Iterator[Row]:
    """A new pump's clock set from factory time: 13 and 14, headers already on the new clock."""
    milliseconds = int(timeline.of_day(at)) * 1000
    day = int(timeline.wall(at)) // 86_400
    yield at, 13, {"timePrior": 18_994_053, "timeAfter": milliseconds, "rawRtcTime": pump.rtc + at * 1000}
    yield at, 14, {"datePrior": max(day - FACTORY_AGE, 1), "dateAfter": day, "rawRtcTime": pump.rtc + at * 1000 + 41}


def _power_up(timeline: Timeline, pump: PumpIdentity, built: Firmware) -> Iterator[Row]:
    config = {"version": built.version, "configABits": built.config, "configBBits": 3}
    yield 0, 53, {"msecSinceReset": pump.rtc, "liPoCurrent": -12, "liPoAbc": 57, "liPoIbc": 58, "liPoRemCap": 141, "liPoMV": 3905}
    yield 2, 99, {**config, "numLogEntries": pump.log_entries}
    yield 2, 191, {**config, "armCrc": built.checksum}
    yield 3, 307, {
        "armPartNumber": built.part, "armSwVersion": built.version, "blePartNumber": built.radio_part, "bleSwVersion": built.radio_version,
    }  # fmt: skip
    yield 4, 203, {
        "swUpdateStatus": 1, "metadataAndVersionStatus": 3, "fullDlAndCrcStatus": 3, "updateSuccessful": 1, "swPartNum": built.part,
    }  # fmt: skip
    yield 5, 60, {"block": 12, "reason": 2}
    yield from clock_setting(timeline, pump, 60)
    yield 75, 36, {"negotiatedCurrent": 500.0}
    yield 95, 90, {"commandedBasalRate": 0, "featuresBitmask": built.features, "featureBitmaskIndex": 0}
    yield 96, 313, {"pumpControlState": 0, "usermode": 0, "sensorType": 0, "weightUnit": 1, "weight": 0, "currentTdIpop": 0}
    yield 540, 81, {"batteryLipoMilliVolts": 4098, "batteryChargePercent": 99, "batteryStatus": 1}
    yield 545, 37, {"negotiatedCurrent": 500.0}


def _fill(settings: Settings) -> Iterator[Row]:
    rate = settings.segments[0].basal_rate / 1000
    told = {"baseBasalRate": rate, "maxBasalRate": settings.basal_limit / 1000}
    yield 610, 11, {"preSuspendState": 106, "insulinAmount": 0, "suspendReason": 0, "rpaTimeout": 15}
    yield 640, 33, {"insulinVolume": 200, "v2Volume": 198.625}
    yield 700, 63, {"primeSize": 13.276, "completionStatus": 3, "position": _NEVER}
    yield 760, 12, {"preResumeState": 100, "insulinAmount": 180}
    yield 760, 3, {**told, "commandedBasalRate": rate, "changeType": 32}
    yield 800, 61, {"primeSize": 0.3, "completionStatus": 3, "infusionSetType": 0}
    half = round(rate * 500)
    yield 900, 3, {**told, "commandedBasalRate": half / 1000, "changeType": 4}
    yield 905, 279, {
        "commandedRateSource": 2, "profileBasalRate": round(rate * 1000), "commandedRate": half, "tempRate": half, "algorithmRate": 65_535,
    }  # fmt: skip
    yield 1110, 3, {**told, "commandedBasalRate": rate, "changeType": 8}


def _old_sensors(timeline: Timeline, pump: PumpIdentity) -> Iterator[Row]:
    unix = {at: int(timeline.wall(at)) + UNIX_OF_PUMP_EPOCH for at in (1200, 1208, 2400, 2600, 2607, 4500)}
    clock = pump.transmitter_clock
    yield 1200, 404, {"sessionStartTime": unix[1200], "sessionDuration": 14}
    yield 1208, 406, {"sessionStartTime": unix[1200], "sessionJoinTime": unix[1208], "sessionDuration": 14, "sessionJoinReason": 0}
    yield 2000, 460, {"dalertId": 3, "sensorType": 2, "faultLocatorData": 8467, "param1": 71, "param2": 80}
    yield 2110, 461, {"dalertId": 3, "sensorType": 2}
    yield 2400, 405, {"sessionStartTime": unix[1200], "sessionStopTime": unix[2400], "sessionDuration": 14, "sessionStopReason": 1}
    yield 2607, 477, {"sessionStartTime": unix[2600], "sessionJoinTime": unix[2607], "sessionJoinReason": 0, "sessionDuration": 15}
    yield 4500, 486, {"sessionStartTime": unix[2600], "sessionStopTime": unix[4500], "sessionStopReason": 0, "sessionDuration": 15}
    yield 4600, 212, {"currentTransmitterTime": clock, "sessionStartTime": _NEVER, "sessionDuration": 10}
    yield 4630, 213, {"currentTransmitterTime": clock + 30, "sessionStartTime": clock, "sessionDuration": 10, "sessionJoinReason": 10}
    yield 5000, 140, {
        "timestamp": int(timeline.wall(4998)), "fmr": 104, "pgv": 76, "fmrStatus": 1, "pgvValid": 1, "ruleState": 1, "hoMinState": 1,
        "status": 3,
    }  # fmt: skip
    yield 5010, 171, {"dalertId": 11, "faultLocatorData": 8415, "param1": 4, "param2": 0}
    yield 5300, 172, {"dalertId": 11}
    yield 5900, 214, {
        "currentTransmitterTime": clock + 1300, "sessionStartTime": clock, "sessionStopTime": clock + 1299, "sessionDuration": 10,
        "sessionStopReason": 0,
    }  # fmt: skip


def _g7(pump: PumpIdentity) -> Iterator[Row]:
    age = pump.transmitter_clock % 50_000
    yield 6000, 394, {"cgmTimestamp": 3000 + age, "sessionSignature": pump.session_signature}
    for at in range(6005, SERVICE - 3000, 600):
        yield at, G7.code, {"glucoseValueStatus": 6, "cgmDataType": 16, "algorithmState": 2, "rssi": -71, "egvInfoBitmask": 0x1810}
    yield 7800, 447, {
        "currentTransmitterTime": 814_740 + age, "sessionStartTime": _NEVER, "sessionStopTime": 0, "sessionDuration": 10,
        "sessionStopReason": 15, "stopSessionCode": 0,
    }  # fmt: skip
    yield 7900, 394, {"cgmTimestamp": 248 + age, "sessionSignature": (pump.session_signature * 7 + 11) % _NEVER}


def _alarms(pump: PumpIdentity) -> Iterator[Row]:
    # The first parameter of a resume alarm is the millisecond counter in public records: opaque, and linkable.
    yield 8000, 5, {"alarmId": 18, "faultLocatorData": 8311, "param1": pump.rtc + 8_000_000, "param2": 0}
    yield 8060, 28, {"alarmId": 18}
    yield 8100, 5, {"alarmId": 2, "faultLocatorData": 8241, "param1": 103, "param2": 9.475}
    yield 8160, 28, {"alarmId": 2}
    yield 8200, 6, {"malfId": 3, "faultLocatorData": 8199, "param1": 16, "param2": 0}
    yield 8300, 4, {"alertId": 2, "faultLocatorData": 8378, "param1": 0, "param2": 0}
    yield 8360, 26, {"alertId": 2, "faultLocatorData": 0}
    yield 8400, 369, {"sensorType": 3, "dalertId": 25, "faultLocatorData": 10_355, "param1": 43_170, "param2": 452}
    yield 8410, 371, {"sensorType": 3, "dalertId": 25, "ackSource": 1}
    yield 8460, 370, {"sensorType": 3, "dalertId": 25}


def _modes() -> Iterator[Row]:
    able = {"calculationAvailable": 1, "cgmAvailable": 1, "closedLoopPreferred": 1, "sufficientClosedLoopParams": 1}
    yield 9000, 230, {"currentPcm": 1, "previousPcm": 0, "sufficientClosedLoopParams": 1}
    yield 9300, 230, {"currentPcm": 3, "previousPcm": 1, **able}
    yield 9310, 229, {"currentUserMode": 2, "previousUserMode": 0, "requestedAction": 3, "exerciseTime": 15, "exerciseChoice": 1}
    yield 10_210, 229, {
        "currentUserMode": 0, "previousUserMode": 2, "exerciseTime": 15, "exerciseChoice": 1, "exerciseStoppedByTimer": 1,
    }  # fmt: skip
    yield 10_300, 16, {"bg": 118, "bgEntryType": 0, "iob": 0.5, "isf": 0, "targetBg": 110, "selectedIob": 1, "cgmCalibration": 1}


def _tell_names(log: Log, pump: PumpIdentity, names: tuple[str, ...]) -> None:
    """Records without a layout: profile names in halves (69, 57), transmitters, pairing codes, and codes nobody knows."""
    for index, name in enumerate(names):
        at = 300 + index * 4
        # 8 + 8 characters, after the profile's number; where they lie follows from the two public pairs of 69 and 57.
        log.add_text(69, at, name[:8], offset=8)
        log.add_text(57, at, name[8:], offset=8)
        log.add_payload(68, at + 1, bytes((0, index, 0, 3, 0, 0, 3, 232)))
    log.add_payload(71, 309, bytes((0, len(names), 0, 1)))
    log.add_payload(235, 310, bytes((1, 127, 0, 0, 5, 70, 1, 134)))
    log.add_text(216, 4590, pump.transmitter_id)
    log.add_text(156, 4591, pump.transmitter_id)
    log.add_text(220, 4592, pump.transmitter_id, offset=8)
    log.add_text(217, 4595, pump.sensor_code)
    log.add_text(390, 5990, pump.sensor_code)
    log.add_text(395, 7890, pump.pairing_code)
    for code, at in ((23, 650), (558, 9400), (562, 9410), (566, 9420)):
        log.add_payload(code, at, bytes((0, 0, 0, 100, 0, 0, 0, 100)))
    # Unknown to everybody, and not harmless: the serial number as a number, and as text.
    log.add_payload(1023, 9500, int(pump.serial_number).to_bytes(4, "big"))
    log.add_text(2047, 9510, pump.serial_number)
    log.add_payload(4000, 9520, bytes(range(16)))


def service_boluses() -> Boluses:
    """One of each kind: plain, extended, stopped by hand, overridden, automatic."""
    rows = np.array(
        # at, carbs, bg, ratio, isf, food, correction, now, later, minutes, delivered, override, source
        [
            (1500, 30, 121, 10_000, 40, 3000, 0, 3000, 0, 0, 3000, 0, 1),
            (3200, 50, 184, 10_000, 40, 5000, 1850, 4110, 2740, 30, 4110, 0, 8),
            (6300, 20, 0, 10_000, 40, 2000, 0, 2000, 0, 0, 750, 0, 1),
            (8900, 25, 160, 10_000, 40, 2500, 1250, 3000, 0, 0, 3000, 1, 8),
            (9900, 0, 0, 0, 40, 0, 640, 640, 0, 0, 640, 0, 7),
        ],
        dtype=np.int64,
    )
    names = (
        "at", "carbs", "bg", "ratio", "isf", "food", "correction", "now", "later", "minutes", "delivered_now", "override", "source",
    )  # fmt: skip
    return Boluses(**dict(zip(names, rows.T, strict=True)))
