"""Invented amounts hang together: chains, totals, ranges and flags, over three days of the stand-in; and they are the same everywhere."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest

from sanitizer.scrub import scrub
from sanitizer.values.amounts import BASAL, CARB_RATIO, MOST_BASAL, TARGET
from sanitizer.values.doses import Doses
from sanitizer.values.glucose import HIGHEST, LOWEST, Curve
from sanitizer.values.numbers import around, between, drift, noise, rhythm
from simulator.account import account
from tandem.records import Records
from tfx.capture import Capture
from tfx.exchange import Exchange, Headers, Request, Response

NOW = datetime(2026, 11, 18, 20, 30, tzinfo=UTC)
Columns = dict[str, npt.NDArray[np.generic]]
FACADE = "https://source.tandemdiabetes.com/api/reports/reportsfacade/pumpevents"
NOTHING = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def events() -> Records:
    """Three days of a closed loop, as records with synthetic amounts; two readings are flagged high and one low."""
    records = account(identity=1, therapy=4, now=NOW, days=3).current.records
    status = records.columns(399)["glucoseValueStatus"].copy()
    status[[200, 201, 500]] = (1, 1, 2)
    request = Request(method="GET", url=f"{FACADE}/7d9f0c42-5b1e-4e63-9a57-2f8c1e6ab904/378904")
    answer = records.with_columns(399, {"glucoseValueStatus": status}).to_body()
    response = Response(status=200, headers=Headers([("Content-Type", "application/json")]), body=answer)
    capture = Capture(exchanges=(Exchange(request=request, response=response),), era="2025", region="us", clock=NOW)
    return Records.from_body(scrub(capture, name="x", values="synthetic").cassette.exchanges[0].response.body)


def columns(events: Records, code: int) -> dict[str, npt.NDArray[np.float64]]:
    """The fields of one code as numbers, with the seconds among them."""
    chosen = events.select(code)
    fields = {name: column.astype(np.float64) for name, column in chosen.columns(code).items()}
    return {"seconds": chosen.seconds.astype(np.float64), **fields}


def by_bolus(events: Records, code: int) -> dict[int, dict[str, float]]:
    found = columns(events, code)
    return {
        int(found["bolusId"][row]): {name: float(column[row]) for name, column in found.items()} for row in range(len(found["bolusId"]))
    }


def test_a_bolus_is_one_story(events: Records) -> None:
    asked, sizes, done = by_bolus(events, 64), by_bolus(events, 66), by_bolus(events, 20)
    started, later, later_done = by_bolus(events, 55), by_bolus(events, 59), by_bolus(events, 21)
    last = by_bolus(events, 280)  # the last message of each
    assert len(asked) > 15
    assert later.keys() == later_done.keys() != set()
    for bolus, size in sizes.items():
        request, end = asked[bolus], done[bolus]
        assert size["foodBolusSize"] == pytest.approx(request["carbAmount"] * 1000 / CARB_RATIO, abs=1e-5)
        assert (size["correctionBolusSize"] > 0) == (request["correctionBolusIncluded"] > 0 or request["bolusType"] == 2)
        now, rest = end["insulinRequested"], later_done.get(bolus, {}).get("insulinRequested", 0.0)
        assert size["totalBolusSize"] == pytest.approx(now + rest, abs=1e-5)
        assert started[bolus]["bolusSize"] == now
        assert (rest > 0) == (bolus in later)
        if not int(last[bolus]["bolusType"]) & 4:  # nobody overrode it
            assert size["totalBolusSize"] == pytest.approx(size["foodBolusSize"] + size["correctionBolusSize"], abs=1e-5)
        assert later.get(bolus, {}).get("bolexSize", 0.0) == rest
        assert (end["insulinDelivered"] == now) if end["completionStatus"] == 3 else (end["insulinDelivered"] < now)
        given = end["insulinDelivered"] + later_done.get(bolus, {}).get("insulinDelivered", 0.0)
        assert last[bolus]["deliveredTotal"] == pytest.approx(given * 1000, abs=0.1)
        assert (last[bolus]["requestedNow"], last[bolus]["requestedLater"]) == pytest.approx((now * 1000, rest * 1000), abs=0.1)
        assert (request["carbAmount"] > 0) == (int(last[bolus]["bolusType"]) & 16 > 0)
    entered, meals = columns(events, 48), [one for one in asked.values() if one["carbAmount"]]
    assert sorted(entered["carbs"]) == sorted(one["carbAmount"] for one in meals)


def test_what_is_delivered_only_rises_within_a_bolus(events: Records) -> None:
    found = columns(events, 280)
    for bolus in np.unique(found["bolusId"]):
        given = found["deliveredTotal"][found["bolusId"] == bolus]
        assert (np.diff(given) >= 0).all()
        assert given[0] == 0


def test_insulin_on_board_is_what_was_given_and_fades(events: Records) -> None:
    doses = columns(events, 20)
    for code in (16, 20, 55, 64, 81):
        found = columns(events, code)
        for at, iob in zip(found["seconds"], found["iob"], strict=True):
            recent = (doses["seconds"] <= at) & (doses["seconds"] > at - 8 * 3600)  # later parts may come three hours after
            assert -1e-6 <= iob <= doses["insulinDelivered"][recent].sum() * 2 + 1e-6
    later = columns(events, 55)
    assert doses["iob"][:1] >= later["iob"][:1] + doses["insulinDelivered"][:1] * 0.9, "its own dose is on board when it is in"


def test_readings_are_smooth_in_range_and_agree_with_their_flags(events: Records) -> None:
    found = columns(events, 399)
    order = np.argsort(found["egvTimeStamp"], kind="stable")
    taken, shown, status = (found[name][order] for name in ("egvTimeStamp", "currentGlucoseDisplayValue", "glucoseValueStatus"))
    assert shown[status == 1].tolist() == [HIGHEST] * 2
    assert set(shown[status == 2]) == {LOWEST}
    assert not shown[status > 2].any(), "nothing is shown where nothing is to be shown"
    plain = shown[status == 0]
    assert plain.min() > LOWEST
    assert plain.max() < HIGHEST
    shows = status <= 2
    step = np.abs(np.diff(shown[shows])) / np.maximum(np.diff(taken[shows]), 300)
    assert step.max() * 60 <= 4, "mg/dL a minute"
    assert np.abs(found["rate"]).max() <= 40


def test_a_finger_stick_is_near_the_reading_beside_it(events: Records) -> None:
    sticks, found = columns(events, 16), columns(events, 399)
    near = 0
    for at, bg in zip(sticks["seconds"], sticks["bg"], strict=True):
        which = np.abs(found["egvTimeStamp"] - at).argmin()
        if abs(found["egvTimeStamp"][which] - at) < 300 and found["glucoseValueStatus"][which] == 0:
            near += 1
            assert abs(found["currentGlucoseDisplayValue"][which] - bg) <= 20
    assert near > 5


def test_basal_rates_follow_their_source_and_the_days_add_up(events: Records) -> None:
    found, told = columns(events, 279), columns(events, 81)
    source, rate = found["commandedRateSource"], found["commandedRate"]
    assert set(rate[source == 0]) == {0}
    assert set(rate[source == 1]) <= {BASAL}
    assert (rate[source == 3] == found["algorithmRate"][source == 3]).all()
    assert rate.max() <= MOST_BASAL
    assert len(set(rate[source == 3])) > 30, "a closed loop decides"
    changes = columns(events, 3)
    stops = changes["changeType"].astype(int) & 16 > 0
    assert stops.any()
    assert not changes["commandedBasalRate"][stops].any()
    at = np.concatenate((found["seconds"], changes["seconds"]))
    rates = np.concatenate((rate / 1000, changes["commandedBasalRate"]))
    order = np.argsort(at, kind="stable")
    at, rates = at[order], rates[order]
    for moment, total, last in zip(told["seconds"], told["dailyTotalBasal"], told["lastBasalRate"], strict=True):
        midnight = moment - moment % 86_400
        begins = np.clip(at, midnight, moment)
        spans = np.diff(np.append(begins, moment))
        assert total == pytest.approx((spans * rates).sum() / 3600, abs=0.002)
        before = np.flatnonzero(at <= moment)
        if len(before):
            assert last == pytest.approx(rates[before[-1]], abs=1e-5)


def test_no_dose_is_more_than_a_cassette_may_say() -> None:
    at = np.arange(300, dtype=np.int64)
    doses = Doses(at=at, units=np.full(300, 25_000))
    assert doses.on_board(np.array([-1, 0, 300, 300 + 5 * 3600])).tolist() == [0, 25_000, 250_000, 0]
    assert doses.sum_until(np.array([-1, 1, 400])).tolist() == [0, 50_000, 7_500_000]


def test_a_cartridge_is_never_fuller_than_full(events: Records) -> None:
    left = np.concatenate((columns(events, 11)["insulinAmount"], columns(events, 12)["insulinAmount"]))
    assert left.min() >= 10
    assert left.max() <= 200
    assert len(set(left)) > 1


def test_a_correction_without_need_is_small_and_never_negative(events: Records) -> None:
    asked, sizes = by_bolus(events, 64), by_bolus(events, 66)
    for bolus, size in sizes.items():
        assert size["correctionBolusSize"] >= 0
        if asked[bolus]["bg"] > TARGET + 10 and asked[bolus]["correctionBolusIncluded"]:
            assert size["correctionBolusSize"] == pytest.approx((asked[bolus]["bg"] - TARGET) / 45, abs=0.011)


def test_the_numbers_are_the_same_on_every_machine() -> None:
    # Worked out once, by whole numbers only: if these change, every synthetic cassette must be made again (and the policy's version rise).
    at = np.array([0, 1, 516_844_800, 518_054_405, 4_294_967_295], np.int64)
    curve = Curve(high=np.array([518_054_000]), low=NOTHING)
    assert noise(at, 1).tolist() == [59650, 6455, 41275, 28161, 64857]
    assert curve.at(at).tolist() == [179, 179, 144, 380, 122]


def test_noise_stays_where_it_should() -> None:
    at = np.arange(0, 40 * 86_400, 37, dtype=np.int64)
    assert np.abs(around(at, 5, 2)).max() == 5
    assert 3_000 < np.abs(drift(at, 3600, 4_000, 1)).max() <= 4_000
    assert np.abs(np.diff(drift(at, 3600, 4_000, 1))).max() <= 37 * 8_000 // 3600 + 1
    assert (rhythm(at, 1_500).min(), rhythm(at, 1_500).max()) == (-1_500, 1_500)
    assert rhythm(np.array([16 * 3600 + 1800]), 1_500).tolist() == [1_500]
    assert between(np.array([0, 70, 80, 90, 500]), ((70, 0), (90, 50), (112, 100))).tolist() == [0, 0, 25, 50, 100]
