"""Synthetic basal insulin: the rate in force, changed where the structure has a change, and its sum. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sanitizer.values.amounts import BASAL, CARTRIDGE, MOST_BASAL, TEMPORARY
from sanitizer.values.chains import Log
from sanitizer.values.doses import Doses
from sanitizer.values.glucose import Curve
from sanitizer.values.numbers import DAY, Whole, around, between

DELIVERED, CHANGED, FILLED = 279, 3, 33
NONE: Final = 65_535
"""Stored where there is no rate."""

_HOUR: Final = 3600
_TOGETHER: Final = 2
"""Seconds between a rate change and the delivery record of the same decision."""

_SUSPENDED, _PROFILE, _TEMPORARY, _ALGORITHM, _BOTH = range(5)
_STOPS: Final = 0b101_0000
_TEMPORARY_START: Final = 0b100
_AHEAD: Final = 30 * 60
_UNREST: Final = 60
"""Milliunits/h."""
_SHARE: Final = ((70, 0), (90, 50), (112, 100), (150, 100), (180, 140), (250, 220))
"""Percent of the profile by the glucose half an hour from now, as Control-IQ is published to do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basal:
    """The rate from each moment of `at` (sorted) on, in milliunits/h; the profile's before the first."""

    at: Whole
    rates: Whole
    filled: Whole

    def rate(self, moments: Whole) -> Whole:
        """The rate in force."""
        return np.concatenate(([BASAL], self.rates))[np.searchsorted(self.at, moments, side="right")]

    def _sum(self, moments: Whole) -> Whole:
        """Milliunits/h times seconds since the first moment; none before."""
        if not len(self.at):
            return np.zeros(moments.shape, np.int64)
        before = np.concatenate(([0], np.cumsum(np.diff(self.at) * self.rates[:-1])))
        step = np.searchsorted(self.at, moments, side="right") - 1
        known = np.maximum(step, 0)
        return np.where(step < 0, 0, before[known] + (moments - self.at[known]) * self.rates[known])

    def today(self, moments: Whole) -> Whole:
        """Milliunits since midnight, of what is on record."""
        return (self._sum(moments) - self._sum(moments - moments % DAY)) // _HOUR

    def left(self, moments: Whole, doses: Doses) -> Whole:
        """Units in the cartridge, to the next five: a full one where it was filled or the log begins, less what was given since."""
        begin = self.at[:1] if len(self.at) else moments[:1]
        fills = np.sort(np.concatenate((begin, self.filled)))
        since = fills[np.maximum(np.searchsorted(fills, moments, side="right") - 1, 0)]
        given = (self._sum(moments) - self._sum(since)) // _HOUR + doses.sum_until(moments) - doses.sum_until(since)
        left: Whole = np.clip((CARTRIDGE * 1000 - given) // 5000 * 5, 10, CARTRIDGE)
        return left


def basal(log: Log, curve: Curve) -> Basal:
    """The rates of one pump: the rate changes (3) and the delivery records (279) on one line of time."""
    nothing = np.empty(0, np.int64)
    told, changed = log.get(DELIVERED), log.get(CHANGED)
    at = [rows.seconds for rows in (told, changed) if rows]
    rates = [told_rates(log, curve)["commandedRate"]] if told else []
    if changed:
        rates.append(changed_rates(log, curve))
    moments, values = (np.concatenate(at), np.concatenate(rates)) if at else (nothing, nothing)
    order = np.argsort(moments, kind="stable")
    return Basal(at=moments[order], rates=values[order], filled=log[FILLED].seconds if FILLED in log else nothing)


def told_rates(log: Log, curve: Curve) -> dict[str, Whole]:
    """The four rates of every delivery record; the closed loop's holds from one rate change to the next."""
    rows = log[DELIVERED]
    source, held = rows.facts["commandedRateSource"], rows.seconds
    if CHANGED in log:
        changes = log[CHANGED].seconds
        last = np.searchsorted(changes, held + _TOGETHER, side="right") - 1
        held = np.where(last >= 0, changes[np.maximum(last, 0)], changes[0])
    closed = _closed_loop(held, curve)
    by_source = (np.zeros_like(source), np.full_like(source, BASAL), np.full_like(source, TEMPORARY), closed, closed)
    return {
        "commandedRate": np.choose(np.clip(source, 0, len(by_source) - 1), by_source),
        "profileBasalRate": np.full_like(source, BASAL),
        "algorithmRate": np.where(np.isin(source, (_ALGORITHM, _BOTH)), closed, NONE),
        "tempRate": np.where(np.isin(source, (_TEMPORARY, _BOTH)), TEMPORARY, NONE),
    }


def changed_rates(log: Log, curve: Curve) -> Whole:
    """The new rate of every rate change: that of its delivery record where it has one, else what its reason says."""
    rows = log[CHANGED]
    why, at = rows.facts["changeType"], rows.seconds
    rates = np.where(why & _STOPS != 0, 0, np.where(why & _TEMPORARY_START != 0, TEMPORARY, BASAL))
    if DELIVERED not in log:
        return rates
    told = log[DELIVERED].seconds
    match = np.clip(np.searchsorted(told, at - _TOGETHER), 0, len(told) - 1)
    # Nothing but structure decides: the record of the same decision stands within two seconds.
    with_record = np.abs(told[match] - at) <= _TOGETHER
    return np.where(with_record & (why & _STOPS == 0), told_rates(log, curve)["commandedRate"][match], rates)


def _closed_loop(moments: Whole, curve: Curve) -> Whole:
    share = between(curve.at(moments + _AHEAD), _SHARE)
    wanted = BASAL * share // 100 + np.where(share > 0, around(moments // 60, _UNREST, 7), 0)  # no two decisions are quite alike
    closed: Whole = np.clip(wanted, 0, MOST_BASAL)
    return closed
