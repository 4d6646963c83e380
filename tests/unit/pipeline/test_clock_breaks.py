"""A clock that lost its time: what is known on one side of the break says nothing about the other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from pipeline.inspection.check import check
from pipeline.receive.pumps import Pump
from pipeline.running.steps import Stored
from tandem.clock import seconds_of
from tandem.records import Records

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]
Row = tuple[int, str] | tuple[int, str, str]

PUMP = Pump(key="00000000-0000-4000-8000-000000000001", serial_number="91000000")
BERLIN = ZoneInfo("Europe/Berlin")
EVENTS = (
    "SELECT strftime(instant AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M'), clock FROM events WHERE device_id = DEVICE ORDER BY sequence_number"
)

# A sequence number and what the clock shows; of a setting, what it showed before, too.
OCTOBER = (200, "2020-10-25T09:00", "2020-10-25T10:00")
MARCH = (400, "2021-03-28T11:00", "2021-03-28T10:00")
DAYS = ((1000, "2021-06-01T08:00"), (1500, "2021-06-10T08:00"))
RESET = ((2000, "2008-01-01T00:01"), (2500, "2008-01-01T00:10"))
SET = ((3000, "2021-06-12T00:20", "2008-01-01T00:20"), (3001, "2021-06-12T12:20", "2021-06-12T00:20"), (3500, "2021-06-12T12:30"))
LATER = ((4000, "2021-10-31T09:00", "2021-10-31T10:00"), (5000, "2021-11-05T08:00"))
NEXT = ((6000, "2022-03-27T11:00", "2022-03-27T10:00"), (7000, "2022-04-05T08:00"))

IN_OCTOBER, IN_MARCH = ("2020-10-25 08:00", "exact"), ("2021-03-28 09:00", "exact")
IN_DAYS = (("2021-06-01 06:00", "exact"), ("2021-06-10 06:00", "exact"))
IN_RESET = (("2021-06-12 10:01", "assumed"), ("2021-06-12 10:10", "assumed"))
IN_SET = (("2021-06-12 10:20", "assumed"), ("2021-06-12 10:20", "exact"), ("2021-06-12 10:30", "exact"))
IN_LATER = (("2021-10-31 08:00", "exact"), ("2021-11-05 07:00", "exact"))
IN_NEXT = (("2022-03-27 09:00", "exact"), ("2022-04-05 06:00", "exact"))
LOST = (("2007-12-31 23:01", "assumed"), ("2007-12-31 23:10", "assumed"))
MENDED = "2 events, 2008-01-01 00:01:00 to 2008-01-01 00:10:00 on its clock, are counted back from the setting at event 3000"


def record(row: Row) -> Records:
    sequence, shown, *before = row
    now = datetime.fromisoformat(shown)  # the pump's clock has no zone
    fields: dict[str, int] = {}
    code = 279
    if before:
        then = datetime.fromisoformat(before[0])
        code, one, other = (14, then, now) if then.date() != now.date() else (13, then, now)
        days = [(moment - datetime(2008, 1, 1)).days for moment in (one, other)]  # noqa: DTZ001  # wall time
        milliseconds = [(moment.hour * 60 + moment.minute) * 60_000 for moment in (one, other)]
        name, values = ("date", days) if code == 14 else ("time", milliseconds)
        fields = {f"{name}Prior": values[0], f"{name}After": values[1]}
    return Records.build(code=code, seconds=seconds_of(now), sequence=sequence, columns=fields)


# What a pump told: the instants that come of it, and what the check says.
CASES: Final[Mapping[str, tuple[tuple[Row, ...], tuple[tuple[str, str], ...], str | None]]] = {
    "no setting before": ((*DAYS, *RESET, *SET), (*IN_DAYS, *IN_RESET, *IN_SET), MENDED),
    "more settings before than after": (
        (OCTOBER, MARCH, *DAYS, *RESET, *SET, *LATER),
        (IN_OCTOBER, IN_MARCH, *IN_DAYS, *IN_RESET, *IN_SET, *IN_LATER),
        MENDED,
    ),
    "more settings after than before": (
        (MARCH, *DAYS, *RESET, *SET, *LATER, *NEXT),
        (IN_MARCH, *IN_DAYS, *IN_RESET, *IN_SET, *IN_LATER, *IN_NEXT),
        MENDED,
    ),
    "set at once: the setting itself shows the break": ((*DAYS, *SET, *LATER), (*IN_DAYS, *IN_SET, *IN_LATER), None),
    "the setting is lost: unknown until the next": (
        (*DAYS, *RESET, SET[-1], *LATER),
        (*IN_DAYS, *LOST, ("2021-06-12 10:30", "assumed"), *IN_LATER),
        "before event 2000, and no setting says so: 2 events, 2008-01-01 00:01:00 to 2008-01-01 00:10:00 on its clock, are marked assumed",
    ),
    "never set again": ((*DAYS, *RESET), (*IN_DAYS, *LOST), "may be wrong by years"),
    "set to an hour of 2008": (
        (*DAYS, *RESET, (2600, "2008-01-01T12:20", "2008-01-01T00:20"), (2700, "2008-01-02T09:00")),
        (*IN_DAYS, *LOST, ("2007-12-31 23:20", "assumed"), ("2008-01-01 20:00", "assumed")),
        "4 events, 2008-01-01 00:01:00 to 2008-01-02 09:00:00 on its clock, are marked assumed",
    ),
    "the time set first, the date a day later": (
        (*DAYS, RESET[0], (2600, "2008-01-01T12:20", "2008-01-01T00:20"), (3000, "2021-06-12T09:00", "2008-01-02T09:00"), SET[-1]),
        (*IN_DAYS, ("2021-06-11 10:01", "assumed"), ("2021-06-11 10:20", "assumed"), ("2021-06-12 07:00", "exact"), IN_SET[-1]),
        "2 events, 2008-01-01 00:01:00 to 2008-01-01 12:20:00 on its clock, are counted back from the setting at event 3000",
    ),
    "healthy": ((MARCH, *DAYS, SET[-1]), (IN_MARCH, *IN_DAYS, IN_SET[-1]), None),
    "healthy: a new pump": ((*RESET, *SET, *LATER), (*IN_RESET, *IN_SET, *IN_LATER), None),
    "healthy: years not fetched": (
        ((200, "2015-10-25T09:00"), (2_000_000, "2021-06-12T12:30")),
        (("2015-10-25 08:00", "exact"), IN_SET[-1]),
        None,
    ),
}


@pytest.mark.proofs
def test_no_offset_is_carried_across_a_break(keep: Keep, rows: Rows, warehouse: Engine) -> None:
    pumps = {name: replace(PUMP, serial_number=str(91_000_000 + place)) for place, name in enumerate(CASES, 1)}
    for name, (told, expected, _) in CASES.items():
        records = [record(row) for row in told]
        keep(Records.join(records), zone=BERLIN, pump=pumps[name])
        device = f"(SELECT id FROM devices WHERE serial_number = '{pumps[name].serial_number}')"
        assert rows(EVENTS.replace("DEVICE", device)) == [*expected], name
    with warehouse.connect() as connection:
        found = check(connection)
    for number, (name, (_, expected, finding)) in enumerate(CASES.items(), 1):
        unknown, mended = ([str(one) for one in some if f"device {number}:" in str(one)] for some in (found.findings, found.breaks))
        assert [finding in one for one in [*unknown, *mended][:1]] == [True] if finding else [*unknown, *mended] == [], name
        assert bool(unknown) == any(when < "2008-01-03" for when, _ in expected), name
        assert not any("time goes back" in one for one in unknown), name
