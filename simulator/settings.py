"""The pump settings of an invented person, and the two shapes in which the service returns them.

Numbers come from the therapy alone; profile names, ids and dates are handed in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.identity import PumpIdentity
from tfx.jsonbody import Json

LEGACY_SEGMENTS: Final = 16
"""The 2025 service always returned sixteen segments a profile, unused ones all zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One stretch of a profile.

    Start in minutes of the day, basal in milliunits/h, carb ratio in thousandths of g/unit, correction factor (isf) in mg/dL per unit,
    target in mg/dL.
    """

    start: int
    basal_rate: int
    carb_ratio: int
    isf: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings: weight in pounds, total daily insulin in units, insulin duration in minutes, the largest bolus in milliunits."""

    segments: tuple[Segment, ...]
    weight: int
    total_daily_insulin: int
    insulin_duration: int
    max_bolus: int
    basal_limit: int
    high_alert: int
    low_alert: int
    closed_loop: bool

    def at(self, seconds_of_day: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.int64]]:
        """The segment values in force at these times of day, a column each: basal_rate, carb_ratio, isf, target."""
        starts = np.array([segment.start * 60 for segment in self.segments])
        which = np.searchsorted(starts, seconds_of_day, side="right") - 1
        return {
            name: np.array([getattr(segment, name) for segment in self.segments], np.int64)[which]
            for name in ("basal_rate", "carb_ratio", "isf", "target")
        }


def draw(rng: np.random.Generator, *, closed_loop: bool = True) -> Settings:
    """Plausible settings of an adult."""
    basal = int(rng.integers(14, 26)) * 50
    ratio = int(rng.integers(5, 12)) * 1000
    isf = int(rng.integers(25, 55))
    day = ((0, 0.85, 1.1), (330, 1.2, 0.85), (690, 1.0, 1.0), (1080, 1.1, 0.95), (1320, 0.9, 1.05))
    return Settings(
        segments=tuple(
            Segment(
                start=start, basal_rate=round(basal * more), carb_ratio=round(ratio * less / 100) * 100, isf=round(isf * less), target=110
            )
            for start, more, less in day
        ),
        weight=int(rng.integers(110, 220)),
        total_daily_insulin=int(rng.integers(35, 60)),
        insulin_duration=300,
        max_bolus=25_000,
        basal_limit=3_000,
        high_alert=int(rng.integers(9, 12)) * 20,
        low_alert=int(rng.integers(7, 9)) * 10,
        closed_loop=closed_loop,
    )


def bff_settings(settings: Settings, names: tuple[str, ...], pump: PumpIdentity, uploaded: datetime) -> dict[str, Json]:
    """The `settings` member of a pump in `bff/pumper`; `uploaded` is the UTC instant of the upload, written without a zone."""
    profiles: list[Json] = [
        {
            "idp": index,
            "name": name,
            "carbEntry": "UnitsAsCarbs",
            "insulinDuration": settings.insulin_duration,
            "maxBolus": settings.max_bolus,
            "timeDependentSegmentNumber": len(settings.segments),
            "timeDependentSegments": [_bff_segment(segment, index) for segment in settings.segments],
        }
        for index, name in enumerate(names)
    ]
    return {
        "id": pump.settings_id,
        "deviceAssignmentId": pump.assignment_id,
        "uploadId": pump.upload_id,
        "uploadedTimeStamp": uploaded.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "settingsHash": pump.settings_hash,
        "details": {
            "profiles": {"numberOfProfiles": len(names), "activeSegment": 0, "activeIdp": 0, "profile": profiles},
            "cgmSettings": {
                "highGlucoseAlertMgPerDl": settings.high_alert,
                "highGlucoseAlertEnabled": 1,
                "highGlucoseAlertDuration": 60,
                "lowGlucoseAlertMgPerDl": settings.low_alert,
                "lowGlucoseAlertEnabled": 1,
                "lowGlucoseAlertDuration": 30,
                "riseRateAlertLevel": 3,
                "riseRateAlertEnabled": 0,
                "fallRateAlertLevel": 2,
                "fallRateAlertEnabled": 1,
                "outOfRangeAlertEnabled": 1,
                "outOfRangeAlertDuration": 20,
            },
            "basalLimitSettings": {"basalLimitDefault": 3_000, "basalLimit": settings.basal_limit},
            "controlIqSettings": {"weight": settings.weight, "closedLoop": int(settings.closed_loop)},
        },
    }


def _bff_segment(segment: Segment, index: int) -> Json:
    return {
        "startTime": segment.start,
        "basalRate": segment.basal_rate - 50 * index,
        "carbRatio": segment.carb_ratio,
        "targetBg": segment.target,
        "isf": segment.isf,
        "status": [0, 1, 2, 3],
    }


def legacy_settings(settings: Settings, names: tuple[str, ...], part_number: str) -> dict[str, Json]:
    """The `settings` member of `pumpeventmetadata` in era 2025."""
    return {
        "profiles": {
            "activeIdp": 0,
            "profile": [
                {
                    "name": name,
                    "idp": index,
                    "tDependentSegs": [_legacy_segment(settings, place, index) for place in range(LEGACY_SEGMENTS)],
                    "insulinDuration": settings.insulin_duration,
                    "carbEntry": 1,
                    "maxBolus": settings.max_bolus,
                }
                for index, name in enumerate(names)
            ],
        },
        "basalIQSettings": None if settings.closed_loop else {"hypoMinimization": 1},
        "controlIQSettings": {
            "ClosedLoop": int(settings.closed_loop),
            "Weight": settings.weight,
            "WeightUnit": 1,
            "TotalDailyInsulin": settings.total_daily_insulin,
            "sleepSchedules": [
                {"activeDays": 127, "startTime": 1350, "endTime": 390, "enabled": 1},
                {"activeDays": 0, "startTime": 1380, "endTime": 420, "enabled": 0},
            ],
        },
        "pumpProperties": {"partNum": part_number},
        "pumpSettings": {
            "basalLimit": settings.basal_limit,
            "maxBolus": settings.max_bolus,
            "quickBolus": {"active": 0, "incrementUnits": 500, "incrementCarbs": 2_000, "dataEntryType": 0},
        },
        "alertsAndReminders": _REMINDERS,
        "cgmSettings": {
            "highGlucoseAlert": {"mgPerDl": settings.high_alert, "enabled": 1, "duration": 60, "status": 7},
            "lowGlucoseAlert": {"mgPerDl": settings.low_alert, "enabled": 1, "duration": 30, "status": 7},
            "riseRateAlert": {"level": 3, "enabled": 0, "status": 0},
            "fallRateAlert": {"level": 2, "enabled": 1, "status": 3},
            "outOfRangeAlert": {"sensorTimeoutMinutes": 20, "enabled": 1, "status": 3},
        },
        "localizationSettings": {"glucoseUOM": 0, "languageSelected": 0, "regionSetting": 0},
        "mobileConnectionSettings": None,
        "snoozeSettings": None,
    }


def _legacy_segment(settings: Settings, place: int, index: int) -> Json:
    if place >= len(settings.segments):
        return {"startTime": 0, "basalRate": 0, "isf": 0, "carbRatio": 0, "targetBg": 0}
    segment = settings.segments[place]
    return {
        "startTime": segment.start,
        "basalRate": segment.basal_rate - 50 * index,
        "isf": segment.isf,
        "carbRatio": segment.carb_ratio,
        "targetBg": segment.target,
    }


_REMINDERS: Final[dict[str, Json]] = {
    "lowInsulinThreshold": 20,
    "cannulaPrimeSize": 30,
    "autoOff": {"enabled": 0, "duration": 720},
    "siteChangeReminder": {"enabled": 1, "days": 3, "time": 1140},
    "lowBGReminder": {"enabled": 1, "threshold": 70, "duration": 15},
    "highBGReminder": {"enabled": 0, "threshold": 200, "duration": 120},
    "afterBolusReminder": {"enabled": 0, "duration": 90},
    "missedBolusReminders": [{"enabled": 0, "activeDays": 0, "startTime": 0, "endTime": 0}],
}
