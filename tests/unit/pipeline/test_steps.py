"""The laws of storing: what comes twice, in parts or in another order makes the same tables, and nothing is lost."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sampling import sampled
from sqlalchemy import Engine

from pipeline.inspection.check import check
from pipeline.models import TABLES
from pipeline.receive.decode import received
from pipeline.receive.framing import A_HANDFUL
from pipeline.receive.pumps import Pump
from pipeline.running import steps
from pipeline.running.steps import Limits, Stored, run
from pipeline.store.devices import last_day, zone_named
from pipeline.store.engine import driver
from tandem.client import TandemSource
from tandem.clock import seconds_of, walls
from tandem.eras import ERAS
from tandem.events import EVENTS
from tandem.records import Records
from tandem.windows import Window, windows
from tfx.errors import CassetteError, UsageError

Keep = Callable[..., Stored]
Rows = Callable[..., list[tuple[object, ...]]]
Content = Callable[[], dict[str, list[tuple[object, ...]]]]

PUMP = Pump(key="00000000-0000-4000-8000-000000000001", serial_number="90000001")
OTHER = Pump(key="00000000-0000-4000-8000-000000000002", serial_number="90000002")
BERLIN = ZoneInfo("Europe/Berlin")


Tables = dict[str, list[tuple[object, ...]]]
Told = Callable[[str], list[tuple[object, ...]]]


@pytest.mark.parametrize(
    ("before", "era"), sampled(("2025", "2026-10"), rest=(("2025", "2025"), ("2026-10", "2025"), ("2026-07", "2026-10")))
)
def test_stored_again_in_any_era_nothing_is_added(
    before: str, era: str, history: Records, keep: Keep, content: Content, whole: Tables
) -> None:
    first, again = keep(history, before), keep(history, era)
    assert first.rows["raw_events"] == len(history)
    assert (again.received, again.rows) == (len(history), {})
    assert content() == whole
    assert all(whole.values())


def test_windows_may_overlap_and_come_in_any_order(history: Records, keep: Keep, content: Content, whole: Tables) -> None:
    for part in (slice(400, None), slice(150, 420), slice(200, 260), slice(0, 200)):
        keep(history.take(part))
    assert content() == whole


def test_nothing_is_lost(history: Records, told: Told) -> None:
    raw = b"".join(bytes(row[0]) for row in told("SELECT payload FROM raw_events ORDER BY sequence_number"))  # type: ignore[call-overload]  # BLOB
    order = np.argsort(history.sequence, kind="stable")
    assert raw == history.take(order).payload.tobytes()
    assert told("SELECT count(*) FROM events") == [(len(history),)]
    named = told("SELECT count(*) FROM events WHERE name <> 'unknown'")[0][0]
    unknown = told("SELECT count(*) FROM quarantine WHERE reason = 'unknown code'")[0][0]
    assert isinstance(named, int)
    assert isinstance(unknown, int)
    assert named + unknown == len(history)
    assert unknown == int((~np.isin(history.code, list(EVENTS))).sum()) > 0


def test_events_have_the_names_of_their_codes(told: Told) -> None:
    names = {row[0]: row[1] for row in told("SELECT DISTINCT code, name FROM events")}
    assert {code: name for code, name in names.items() if name != "unknown"} == {code: EVENTS[code].name for code in EVENTS}


def test_an_unknown_code_is_kept_and_told(keep: Keep, rows: Rows) -> None:
    keep(Records.build(code=4000, seconds=500_000_000, sequence=9).with_payload(np.arange(16, dtype=np.uint8)))
    assert rows("SELECT name, code FROM events") == [("unknown", 4000)]
    assert rows("SELECT payload FROM raw_events") == [(bytes(range(16)),)]
    assert rows("SELECT reason, sequence_number, raw FROM quarantine") == [("unknown code", 9, None)]


@pytest.mark.parametrize("seconds", [0, 0xFFFFFFFF, seconds_of(datetime(2100, 1, 1))])  # noqa: DTZ001  # the pump's clock has no zone
def test_an_impossible_time_is_kept_and_told(seconds: int, keep: Keep, rows: Rows) -> None:
    keep(Records.build(code=279, seconds=seconds, sequence=9, columns={"commandedRate": 800}))
    assert rows("SELECT pump_time, instant, clock FROM events") == [(None, None, None)]
    assert rows("SELECT reason, detail FROM quarantine") == [("impossible time", "pump seconds: not a time any pump can have")]
    assert rows("SELECT count(*) FROM basal_deliveries") == [(0,)]
    assert rows("SELECT pump_seconds FROM raw_events") == [(seconds,)]


NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
LATEST = seconds_of(datetime(2024, 7, 3, 2))  # noqa: DTZ001  # noon in UTC is 02:00 in the zone furthest ahead, and a day


def test_a_time_of_the_future_is_kept_and_told_and_leads_no_run(keep: Keep, rows: Rows, warehouse: Engine) -> None:
    told = [LATEST - 86_400 * 9, LATEST, LATEST + 1, LATEST + 86_400 * 9, 2_800_000_000]
    keep(Records.build(code=279, seconds=told, sequence=range(5), columns={"commandedRate": 800}), limits=Limits.at(NOW))
    keep(Records.build(code=229, seconds=told[1:], sequence=range(5, 9)), "2026-10", limits=Limits.at(NOW))
    assert rows("SELECT sequence_number FROM events WHERE pump_time IS NOT NULL ORDER BY 1") == [(0,), (1,), (5,)]
    assert rows("SELECT sequence_number FROM basal_deliveries") == [(0,), (1,)]
    reasons = rows("SELECT sequence_number, reason, raw FROM quarantine ORDER BY 1")
    assert reasons == [(number, "impossible time", None) for number in (2, 3, 4, 6, 7, 8)]
    assert rows("SELECT max(pump_seconds) FROM raw_events") == [(2_800_000_000,)]
    assert last_day(warehouse, PUMP, NOW) == date(2024, 7, 3)
    with warehouse.connect() as connection:
        assert check(connection).findings == ()


def test_a_future_time_that_is_stored_already_leads_no_run(keep: Keep, warehouse: Engine) -> None:
    keep(Records.build(code=279, seconds=[LATEST - 86_400 * 9, LATEST + 86_400 * 9], sequence=[1, 2]))
    assert last_day(warehouse, PUMP, NOW) == date(2024, 6, 24)


@pytest.mark.parametrize("changed", [A_HANDFUL, A_HANDFUL + 1])
def test_more_than_a_handful_of_changed_records_are_another_pumps(changed: int, keep: Keep, content: Content) -> None:
    ours = Records.build(code=279, seconds=500_000_000, sequence=range(20), columns={"commandedRate": 800})
    theirs = Records.build(code=279, seconds=500_000_000, sequence=range(20 - changed, 30), columns={"commandedRate": 900})
    keep(ours)
    before = content()
    if changed > A_HANDFUL:
        with pytest.raises(UsageError, match="6 events say something else"):
            keep(theirs, limits=Limits.at(NOW))
        assert content() == before
    kept = keep(theirs, limits=Limits.at(NOW, keep_changed=changed > A_HANDFUL))
    assert (kept.rows["quarantine"], kept.rows["raw_events"]) == (changed, 10)


def test_an_impossible_value_makes_no_row_and_is_told(keep: Keep, rows: Rows) -> None:
    rates = Records.build(code=279, seconds=500_000_000, sequence=[1, 2], columns={"commandedRate": [800, 65535]})
    keep(rates)
    assert rows("SELECT sequence_number FROM basal_deliveries") == [(1,)]
    assert rows("SELECT sequence_number, code, reason, detail, raw FROM quarantine") == [
        (2, 279, "impossible value", "commandedRate: outside 0 to 50000", None)
    ]
    assert rows("SELECT count(*) FROM events") == [(2,)]


def test_a_changed_record_is_kept_beside_the_first(keep: Keep, rows: Rows) -> None:
    first = Records.build(code=279, seconds=500_000_000, sequence=1, columns={"commandedRate": 800})
    other = Records.build(code=399, seconds=500_000_000, sequence=1, columns={"egvTimeStamp": 500_000_000})
    keep(first)
    stored = keep(other)
    assert stored.rows == {"quarantine": 1}
    assert rows("SELECT code FROM events") == [(279,)]
    assert rows("SELECT count(*) FROM cgm_readings") == [(0,)]
    assert rows("SELECT reason, code, sequence_number, raw FROM quarantine") == [("changed record", 399, 1, other.to_bytes())]
    assert keep(other).rows == {}


def test_a_record_that_comes_twice_in_one_answer_is_one_row(keep: Keep, rows: Rows) -> None:
    once = Records.build(code=279, seconds=500_000_000, sequence=1, columns={"commandedRate": 800})
    twin = Records.build(code=279, seconds=500_000_000, sequence=1, columns={"commandedRate": 900})
    keep(Records.join([once, once, twin]))
    assert rows("SELECT commanded_milliunits_per_hour FROM basal_deliveries") == [(800,)]
    assert rows("SELECT reason, raw FROM quarantine") == [("changed record", twin.to_bytes())]


def test_the_other_era_may_tell_less_of_a_record(keep: Keep, rows: Rows) -> None:
    record = Records.build(code=279, seconds=500_000_000, sequence=1, columns={"commandedRate": 800})
    keep(record.with_header(source=1), "2025")
    keep(record, "2026-10")
    assert rows("SELECT source FROM raw_events") == [(1,)]
    assert rows("SELECT count(*) FROM quarantine") == [(0,)]


def test_groups_and_devices_are_told_apart(keep: Keep, rows: Rows) -> None:
    record = Records.build(code=279, seconds=500_000_000, sequence=1, columns={"commandedRate": 800})
    keep(record, "2026-10", group=0)
    keep(record, "2026-10", group=1)
    keep(record, "2025", pump=OTHER)
    assert rows("SELECT device_id, sequence_group FROM basal_deliveries ORDER BY ALL") == [(1, 0), (1, 1), (2, 0)]
    assert rows("SELECT id, serial_number, zone FROM devices ORDER BY id") == [
        (1, "90000001", "America/Los_Angeles"), (2, "90000002", "America/Los_Angeles"),
    ]  # fmt: skip


def test_what_the_account_says_of_a_pump_is_brought_up_to_date(keep: Keep, rows: Rows) -> None:
    nothing = Records.join(())
    keep(nothing, pump=Pump(key="a", serial_number="1", model_name="Mobi", software_version="7.8"))
    keep(nothing, pump=Pump(key="a", serial_number="1", software_version="7.9"))
    assert rows("SELECT id, model_name, software_version FROM devices") == [(1, "Mobi", "7.9")]


def test_another_zone_for_the_same_pump_is_refused(keep: Keep, content: Content) -> None:
    record = Records.build(code=279, seconds=500_000_000, sequence=1, columns={"commandedRate": 800})
    keep(record)
    before = content()
    with pytest.raises(UsageError, match="under the zone America/Los_Angeles; continue with --zone America/Los_Angeles"):
        keep(record, zone=BERLIN)
    assert content() == before


def test_rejects_are_kept_once(keep: Keep, rows: Rows) -> None:
    for _ in range(2):
        keep(received(ERAS["2025"], b'"AAAA"'))
    assert rows("SELECT reason, detail, raw, sequence_number FROM quarantine") == [("truncated record", "3 of 26 bytes", bytes(3), None)]


@pytest.mark.parametrize("step", ["insert", "quarantine", "learned_clock", "raw_rows"])
def test_a_window_that_fails_half_way_leaves_nothing(
    step: str, keep: Keep, rows: Rows, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = Records.join(Records.build(code=code, seconds=500_000_000, sequence=code) for code in (13, 279, 4000))

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(steps, step, fail)
        with pytest.raises(KeyboardInterrupt):
            keep(news)
    with warehouse.connect() as connection:
        tables = ("stale_ranges", "unsettled_ranges", "clock_facts", *TABLES)
        left = [table for table in tables if driver(connection).execute(f"FROM {table}").fetchall()]
    assert left == []
    assert keep(news).rows["raw_events"] == len(news)


def test_the_last_stored_day_is_the_pumps_own(keep: Keep, warehouse: Engine) -> None:
    assert last_day(warehouse, OTHER, datetime(2024, 7, 1, tzinfo=UTC)) is None
    keep(Records.build(code=279, seconds=[86_400 * 10 - 1, 86_400 * 9], sequence=[1, 2]), pump=OTHER)
    assert last_day(warehouse, OTHER, datetime(2024, 7, 1, tzinfo=UTC)) == date(2008, 1, 10)


def test_a_run_asks_window_by_window_and_adds_up(history: Records, warehouse: Engine) -> None:
    source = Source(history)
    seen: list[tuple[str, int]] = []
    total = run(
        warehouse, cast("TandemSource", source), OTHER, windows(date(2026, 11, 17), date(2026, 11, 18), days=1), zone=BERLIN,
        progress=lambda window, stored: seen.append((str(window), stored.received)),
    )  # fmt: skip
    assert [day for day, _ in seen] == ["2026-11-17 to 2026-11-17", "2026-11-18 to 2026-11-18"]
    assert total.received == sum(count for _, count in seen) == total.rows["raw_events"]


@pytest.mark.proofs
def test_windows_that_share_a_transaction_make_the_same_tables(
    history: Records, warehouse: Engine, emptied: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer repeats the end of the one before; alone, two together, all together, tables worked out piece by piece."""
    monkeypatch.setattr("pipeline.derive.update.WHOLE", 600)
    monkeypatch.setattr("pipeline.derive.settle.PIECE", 100)
    parts = [history.take(slice(max(0, start - 20), start + 250)) for start in range(0, len(history), 250)]
    days = windows(date(2026, 11, 1), date(2026, 11, len(parts)), days=1)
    found, seen = [], list[int]()
    for at_once in (0, 300, 10**9):
        total = run(
            warehouse, cast("TandemSource", Answers([part.to_body() for part in parts])), OTHER, days, zone=BERLIN, at_once=at_once,
            progress=lambda _, stored: seen.append(stored.received),
        )  # fmt: skip
        assert total.received == sum(map(len, parts))
        found.append(emptied())
    assert found[0] == found[1] == found[2]
    assert len(seen) == 3 * len(parts)
    assert sum(seen) == 3 * sum(map(len, parts))


def test_what_was_answered_before_a_failure_is_stored(history: Records, warehouse: Engine, rows: Rows) -> None:
    answers = [history.take(slice(100)).to_body()]
    days = windows(date(2026, 11, 1), date(2026, 11, 2), days=1)
    with pytest.raises(CassetteError):
        run(warehouse, cast("TandemSource", Answers(answers)), OTHER, days, zone=BERLIN, at_once=999)
    assert rows("SELECT count(*) FROM raw_events") == [(100,)]


class Answers:
    """A client of era 2025 with these answers and no more."""

    era = ERAS["2025"]

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self.bodies = iter(bodies)

    def pump_events(self, _device: str, _window: Window) -> bytes:
        for body in self.bodies:
            return body
        raise CassetteError("the cassette has no more")


class Source:
    """A client of era 2025 that answers from records."""

    era = ERAS["2025"]

    def __init__(self, records: Records) -> None:
        self.records = records

    def pump_events(self, _device: str, window: Window) -> bytes:
        days = walls(self.records.seconds).astype("datetime64[D]").astype(object)
        return self.records.take(np.array([window.since <= day <= window.until for day in days])).to_body()


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "UTC "])
def test_an_unknown_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match="there is no time zone called"):
        zone_named(name)
