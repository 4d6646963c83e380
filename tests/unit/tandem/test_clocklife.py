"""A clock's life: time goes on over any setting, and a person at home, away and back has the true instant at every moment."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from tandem.clock import UNIX_OF_PUMP_EPOCH
from tandem.clocklife import ClockChange
from tandem.instants import ASSUMED, instants
from tandem.zones import offset_at, transitions

NEW_YORK = ZoneInfo("America/New_York")
START = int(datetime(2016, 1, 10, 12, tzinfo=UTC).timestamp())
TEN_YEARS = 3650 * 86_400
DAY = 86_400
HOUR = 3600


class Pump:
    """A pump that writes at true moments and shows what it was last set to."""

    def __init__(self, offset: int, settings: list[tuple[int, int]], moments: npt.NDArray[np.int64], drift: float = 0) -> None:
        """`settings`: true moment and the offset set then, in order. `drift`: seconds a second the clock is slow by."""
        self.true = np.sort(np.concatenate([moments, np.array([moment for moment, _ in settings], np.int64)]))
        self.true = self.true[np.append(np.True_, np.diff(self.true) > 0)]
        at = np.array([START, *(moment for moment, _ in settings)], np.int64)
        offsets = np.array([offset, *(one for _, one in settings)], np.int64)
        place = np.searchsorted(at, self.true, side="right").clip(1) - 1
        self.walls = self.true + offsets[place] - np.rint(drift * (self.true - at[place])).astype(np.int64)
        self.sequence = np.arange(100, 100 + len(self.true))
        self.changes = []
        for number, (moment, offset_set) in enumerate(settings, 1):
            which = int(np.searchsorted(self.true, moment))
            slow = round(drift * (moment - int(at[number - 1])))
            shift = offset_set - int(offsets[number - 1]) + slow
            self.changes.append(
                ClockChange(sequence=int(self.sequence[which]), shift=shift, seconds=moment + offset_set - UNIX_OF_PUMP_EPOCH)
            )

    def told(self, zone: ZoneInfo = NEW_YORK) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
        """Instants (Unix seconds) and marks. The clock heeds no transition: its log goes on over each of them."""
        unset = [one.moment for one in transitions(zone, 2015, 2028)]
        changes = [change for change in self.changes if change.shift]
        found = instants(self.walls - UNIX_OF_PUMP_EPOCH, zone, sequence=self.sequence, changes=changes, unset=unset)
        return found.utc.astype(np.int64) / 1000, found.status


@given(
    st.lists(st.tuples(st.integers(1, TEN_YEARS), st.integers(-30 * HOUR, 30 * HOUR)), max_size=12, unique_by=lambda one: one[0]),
    st.integers(0, 1 << 30),
)
def test_instants_rise_with_the_sequence_over_any_settings(settings: list[tuple[int, int]], seed: int) -> None:
    near = np.array([0, *(moment for moment, _ in settings)])[:, None] + np.array([-300, -1, 1, 2, 300, 3600, 7200])
    drawn = np.random.default_rng(seed).integers(1, TEN_YEARS, 50)
    moments = START + np.concatenate([near.ravel().clip(1), drawn])
    pump = Pump(-5 * HOUR, sorted((START + moment, offset) for moment, offset in settings), moments)
    told, _ = pump.told()
    assert (np.diff(told) > 0).all()


def home(moment: int) -> int:
    return offset_at(NEW_YORK, moment)


@given(st.lists(st.integers(-2, 60), min_size=20, max_size=20), st.lists(st.tuples(st.integers(100, 3500), st.integers(3, 20)), max_size=4))
def test_a_person_late_at_every_change_and_now_and_then_in_tokyo(delays: list[int], trips: list[tuple[int, int]]) -> None:
    """Days late (or early), and trips by their first day and length, over ten years: the true instant at every moment."""
    settings = []
    for one, delay in zip(transitions(NEW_YORK, 2016, 2025), delays, strict=True):
        settings.append((one.moment + delay * DAY + 7 * HOUR, one.after))
    for first, length in trips:
        leaves, returns = START + first * DAY, START + (first + length) * DAY
        settings = [(moment, offset) for moment, offset in settings if not leaves - DAY <= moment <= returns + 9 * DAY]
        settings += [(leaves, 9 * HOUR), (returns, home(returns + 8 * DAY))]
    pump = Pump(-5 * HOUR, sorted(settings), START + np.arange(DAY, TEN_YEARS, 6 * HOUR + 1))
    told, status = pump.told()
    assert (told == pump.true).all()
    assert trips or not (status == ASSUMED).any()


@given(st.floats(-2e-5, 2e-5), st.lists(st.integers(30, 400), min_size=3, max_size=20))
def test_a_clock_that_drifts_and_is_put_right_now_and_then(drift: float, days: list[int]) -> None:
    """Wrong by minutes when it is set: told right within seconds, from the first setting to the last."""
    kolkata = ZoneInfo("Asia/Kolkata")
    settings = [(START + day * DAY, 19_800) for day in np.cumsum(days).tolist()]
    last = settings[-1][0]
    pump = Pump(19_800, settings, np.arange(START + DAY, last, 6 * HOUR + 1), drift)
    told, _ = pump.told(kolkata)
    within = pump.true >= settings[0][0]
    assert np.abs(told - pump.true)[within].max() <= 2  # whole seconds are shown


def test_a_new_pump_is_not_taken_to_have_been_right_in_the_factory() -> None:
    noon = START + 100 * DAY
    pump = Pump(-2000 * DAY, [(noon, home(noon)), (noon + 40 * DAY, home(noon) - HOUR)], START + np.arange(DAY, 200 * DAY, HOUR))
    told, status = pump.told()
    assert (told == pump.true).all()
    assert ((status == ASSUMED) == ((pump.true < noon) | (pump.true >= noon + 40 * DAY))).all()


def test_a_wrong_clock_put_right_is_known_by_the_changes_after_it() -> None:
    """An hour fast until July: in November it is set as the zone is, so it was right from July on."""
    july, november = START + 180 * DAY, START + 310 * DAY
    pump = Pump(-3 * HOUR, [(july, -4 * HOUR), (november, -5 * HOUR)], START + np.arange(DAY, 400 * DAY, HOUR))
    told, status = pump.told()
    assert (told == pump.true).all()
    assert ((status == ASSUMED) == (pump.true < july)).all()


def test_what_shows_the_new_time_before_the_first_setting_is_on_the_new_clock() -> None:
    first = ClockChange(sequence=7, shift=2000 * DAY, seconds=START + 60 - 5 * HOUR - UNIX_OF_PUMP_EPOCH)
    walls = [START - 5 * HOUR - UNIX_OF_PUMP_EPOCH, START - 2000 * DAY - 5 * HOUR - UNIX_OF_PUMP_EPOCH, first.seconds]
    found = instants(walls, NEW_YORK, sequence=[1, 2, 7], changes=[first])
    assert (found.utc.astype(np.int64) // 1000 - START).tolist() == [0, 0, 60]
