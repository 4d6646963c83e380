"""The invented therapy: what holds for every pump history, whoever it belongs to."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from tconnectsync.eventparser.generic import Events

from simulator.account import account
from simulator.therapy.log import Log
from simulator.therapy.timeline import Timeline, inside
from tandem.bff import events_from_records
from tandem.clock import seconds_of
from tandem.events import EVENTS, IDENTITY_CODES
from tandem.records import Records
from tfx.jsonbody import write

NOW = datetime(2026, 11, 21, 5, 13, 44, tzinfo=UTC)
LENGTHS = (0.25, 1, 3, 9)


@cache
def history(days: float = 3, therapy: int = 1, density: float | None = None) -> Records:
    return account(now=NOW, days=days, therapy=therapy, density=density).current.records


def wall_order(records: Records) -> np.ndarray:
    """Header times with the hour of the clock change taken out again."""
    change = int(np.flatnonzero(records.code == 13)[1])
    return records.seconds.astype(np.int64) + np.where(np.arange(len(records)) >= change, 3600, 0)


# --- every history


@pytest.mark.parametrize("days", LENGTHS)
def test_every_known_event_occurs_and_some_nobody_knows(days: float) -> None:
    codes = set(history(days).code.tolist())
    assert set(EVENTS) <= codes
    assert {1023, 2047, 4000} | set(IDENTITY_CODES) <= codes


@pytest.mark.parametrize("days", LENGTHS)
@pytest.mark.parametrize("therapy", [1, 2, 3])
def test_sequence_numbers_rise_with_gaps_and_header_times_never_fall_but_at_the_clock_change(days: float, therapy: int) -> None:
    records = history(days, therapy)
    steps = np.diff(records.sequence.astype(np.int64))
    assert steps.min() == 1
    assert steps.max() > 1
    assert np.diff(wall_order(records)).min() >= 0
    assert (np.diff(records.seconds.astype(np.int64)) < 0).sum() == 1


@pytest.mark.parametrize("days", LENGTHS)
def test_the_history_is_as_long_as_asked_for_and_ends_within_the_last_half_hour(days: float) -> None:
    seconds = wall_order(history(days))
    now = seconds_of(datetime(2026, 11, 20, 22, 13))  # noqa: DTZ001  # eight hours behind UTC, the hour put back
    assert now - 1800 - 600 <= seconds[-1] <= now - 11 * 60
    assert abs(seconds[-1] - seconds[0] - days * 86_400) < 1200


def test_a_clock_change_says_what_the_headers_show() -> None:
    records = history()
    at = int(np.flatnonzero(records.code == 13)[1])
    told = records.columns(13)
    assert told["timeAfter"][1] == records.seconds[at] % 86_400 * 1000
    assert (int(told["timeAfter"][1]) - int(told["timePrior"][1])) % 86_400_000 == 82_800_000
    dates = records.columns(14)
    assert dates["dateAfter"][0] == records.seconds[records.positions(14)[0]] // 86_400


# --- sensors


def test_glucose_is_plausible() -> None:
    read = history(9).columns(399)
    shown = read["currentGlucoseDisplayValue"][read["glucoseValueStatus"] == 0]
    assert 40 <= shown.min() < 100
    assert 180 < shown.max() <= 400
    assert 100 < shown.mean() < 190
    assert np.abs(np.diff(shown.astype(int))).max() < 60


def test_every_five_minutes_has_its_reading_back_fill_included() -> None:
    read = history(9).columns(399)
    stamps = np.sort(read["egvTimeStamp"].astype(np.int64))
    stamps = stamps[stamps > 0]
    gaps = np.diff(stamps)
    # At the clock change an hour of stamps comes twice, between the others.
    assert len(stamps) == (9 * 24 - 3) * 12
    assert set(gaps[gaps > 0].tolist()) <= {300, 128, 172, *range(1, 300)}


def test_back_fill_is_written_late_and_out_of_order() -> None:
    records = history(9)
    read, headers = records.columns(399), records.select(399).seconds.astype(np.int64)
    filled = read["cgmDataType"] == 2
    stamps = read["egvTimeStamp"].astype(np.int64)
    assert filled.sum() >= 7
    assert (headers[filled] - stamps[filled]).min() > 240
    live = (read["cgmDataType"] == 1) & (stamps > 0)
    assert set((headers[live] - stamps[live]).tolist()) == {3}
    steps = np.sign(np.diff(stamps[filled]))
    assert {-1, 1} <= set(steps.tolist())


@pytest.mark.parametrize(
    ("code", "kind"),
    [(256, "G6"), (372, "Libre 2"), (399, "G7"), (480, "Libre 3")],
)
def test_each_sensor_family_reads(code: int, kind: str) -> None:
    assert np.count_nonzero(history().columns(code)["currentGlucoseDisplayValue"]) >= 3, kind


# --- insulin


@pytest.mark.parametrize("therapy", range(1, 6))
def test_bolus_chains_are_whole_and_add_up(therapy: int) -> None:
    records = history(9, therapy)
    ids = records.columns(64)["bolusId"]
    assert len(set(ids.tolist())) == len(ids) > 20
    for code in (65, 66, 55, 20):
        assert sorted(records.columns(code)["bolusId"].tolist()) == sorted(ids.tolist()), code
    total = records.columns(66)
    deliveries, done = records.columns(280), records.columns(20)
    both = deliveries["requestedNow"].astype(int) + deliveries["requestedLater"]
    requested = dict(zip(deliveries["bolusId"].tolist(), both.tolist(), strict=True))
    assert [requested[int(i)] for i in total["bolusId"]] == np.rint(total["totalBolusSize"] * 1000).astype(int).tolist()
    over = deliveries["bolusDeliveryStatus"] == 0
    final = dict(zip(deliveries["bolusId"][over].tolist(), deliveries["deliveredTotal"][over].tolist(), strict=True))
    assert set(final) == set(ids.tolist())
    columns = (done[name].tolist() for name in ("bolusId", "completionStatus", "insulinRequested", "insulinDelivered"))
    for i, status, asked, given in zip(*columns, strict=True):
        assert (given == asked) == (status == 3)
        later = requested[i] - round(asked * 1000)
        assert final[i] == round(given * 1000) + later


def test_extended_boluses_link_their_later_part() -> None:
    records = history(9)
    begun, over = records.columns(59), records.columns(21)
    assert np.array_equal(begun["bolusId"], over["bolusId"])
    assert np.array_equal(begun["bolexSize"], over["insulinDelivered"])
    options = dict(zip(records.columns(65)["bolusId"].tolist(), records.columns(65)["options"].tolist(), strict=True))
    assert {options[i] for i in begun["bolusId"].tolist()} <= {1, 5}


def test_a_chain_is_written_in_its_order() -> None:
    records = history(9)
    place = {code: records.sequence[records.positions(code)] for code in (64, 65, 66, 55, 20)}
    first = np.array([place[code][0] for code in (64, 65, 66, 55, 20)], np.int64)
    assert (np.diff(first) > 0).all()


def test_daily_basal_totals_are_the_rates_added_up() -> None:
    records = history(9)
    rates, told = records.columns(279), records.columns(81)
    at, days = records.select(279).seconds.astype(np.int64), records.select(81).seconds.astype(np.int64)
    change = records.seconds[records.positions(13)[1]]
    checked = 0
    for moment, total in zip(days.tolist(), told["dailyTotalBasal"].tolist(), strict=True):
        midnight = moment // 86_400 * 86_400
        if midnight < at[20] or midnight < change < midnight + 86_400 + 3600 or midnight <= change <= moment:
            continue
        same_day = (at >= midnight) & (at < moment - 100)
        assert total == pytest.approx(rates["commandedRate"][same_day].sum() / 12_000, abs=0.01)
        checked += 1
    assert checked > 200


def test_insulin_stops_between_suspension_and_resumption() -> None:
    records = history(9)
    halts, resumes = records.select(11).seconds[1:], records.select(12).seconds[1:]
    at, rates = records.select(279).seconds, records.columns(279)
    assert len(halts) == len(resumes) >= 2
    for begin, end in zip(halts.tolist(), resumes.tolist(), strict=True):
        within = (at > begin + 10) & (at < end)
        assert set(rates["commandedRate"][within].tolist()) == {0}
        assert set(rates["commandedRateSource"][within].tolist()) == {0}


# --- size, and somebody else's parser


@pytest.mark.parametrize("therapy", range(1, 9))
def test_a_day_fits_a_committed_cassette(therapy: int) -> None:
    pump = account(now=NOW, days=1, therapy=therapy, identity=therapy).current
    body = write([*events_from_records(pump.records, device_assignment_id=pump.assignment_id)])
    assert 150_000 < len(body) < 230_000


def test_density_thins_delivery_records_and_nothing_else() -> None:
    dense, thin = history(2, 1, 1.0), history(2, 1, 0.25)
    for code in EVENTS:
        fewer = (thin.code == code).sum() < (dense.code == code).sum()
        assert fewer == (code in {279, 3, 81}) or code in {55, 20, 16, 64, 65, 66, 280}, code
    assert 700 < len(dense) / 2 < 1100


def test_tconnectsync_decodes_every_record() -> None:
    records = history(1)
    parsed = list(Events(records.to_bytes()))
    assert [event.seqNum for event in parsed] == records.sequence.tolist()
    named = [event for event in parsed if event.eventId in EVENTS]
    assert len(named) == int(np.isin(records.code, list(EVENTS)).sum())
    assert all(type(event).__name__ != "RawEvent" for event in named)


def test_tconnectsync_decodes_every_event_of_the_json() -> None:
    records = history(1)
    events = list(Events(events_from_records(records, device_assignment_id="x")))
    assert [event.eventId for event in events] == records.code.tolist()


# --- the pieces

MIDNIGHT = Timeline(start=20 * 3600, change_at=30 * 3600, change_by=-3600)


@pytest.mark.parametrize(
    ("of_day", "begin", "end", "expected", "why"),
    [
        (0, 0, 10 * 3600, [4 * 3600], "the first midnight"),
        (72_000, 0, 86_400, [0], "the very start counts"),
        (0, 4 * 3600 + 1, 30 * 3600, [28 * 3600], "the next one, before the change"),
        (0, 0, 60 * 3600, [14_400, 100_800, 190_800], "after the change it comes an hour later"),
        (5400, 29 * 3600, 32 * 3600, [106_200, 109_800], "half past one comes twice"),
    ],
)
def test_moments_of_a_time_of_day(of_day: int, begin: int, end: int, expected: list[int], why: str) -> None:
    assert MIDNIGHT.moments(of_day, begin, end).tolist() == expected, why


@pytest.mark.parametrize(
    ("moment", "expected", "why"),
    [
        (9, False, "before"),
        (10, True, "at the start"),
        (19, True, "last second"),
        (20, False, "end is outside"),
        (35, True, "second stretch"),
    ],
)
def test_inside(moment: int, expected: bool, why: str) -> None:
    found = inside(np.array([moment]), np.array([10, 30]), np.array([20, 40]))
    assert bool(found[0]) is expected, why


def test_text_is_stored_with_each_word_reversed() -> None:
    log = Log()
    log.add_text(69, 5, "Jonathan")
    records = log.records(MIDNIGHT, sequence_base=7, rng=np.random.default_rng(1))
    assert records.payload[0].tobytes() == b"anoJnaht" + bytes(8)


def test_days_of_the_past_keep_the_same_shape() -> None:
    early = account(now=NOW - timedelta(weeks=700), days=1).current.records
    assert np.array_equal(early.code, history(1).code)
