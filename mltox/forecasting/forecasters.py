"""What a forecaster is, and the simplest one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mltox.forecasting.scales import Floats
from mltox.posts.records import HOUR, Micros

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
"""The quantiles of a forecast: the ends of the 95 % and 80 % bands around the median."""
NORMAL_LEVELS = (-1.959964, -1.281552, 0.0, 1.281552, 1.959964)
DAY_HOURS, WEEK_HOURS = 24, 168


@dataclass(frozen=True)
class History:
    """Consecutive hours on the scale of the forecast. `z` is NaN where nothing was observed.

    `reliability` in (0, 1] is an hour's weight: few posts say little.
    """

    start: Micros
    z: Floats
    reliability: Floats

    def __len__(self) -> int:
        return len(self.z)

    def before(self, length: int) -> History:
        return History(self.start, self.z[:length], self.reliability[:length])

    def last(self, length: int) -> History:
        skipped = max(len(self) - length, 0)
        return History(self.start + skipped * HOUR, self.z[skipped:], self.reliability[skipped:])

    def hours_of_week(self, length: int) -> np.ndarray:
        return (self.start // HOUR + np.arange(length)) % WEEK_HOURS


class ForecastError(Exception):
    """A method could not forecast this history; others may."""


class Forecaster(Protocol):
    """A method by name. Deterministic."""

    @property
    def name(self) -> str: ...

    def quantiles(self, history: History, horizon: int) -> Floats:
        """Array (horizon, 5) of the LEVELS, ascending, for the hours after the history.

        The history holds an observed hour at least. Raises ForecastError.
        """


def last_season(z: Floats, horizon: int, period: int) -> Floats:
    """The last value seen at each phase of the period, repeated; NaN where a phase has none."""
    filled = np.full(period, np.nan)
    for age in range(1, min(len(z), 4 * period) + 1):
        phase = (len(z) - age) % period
        if np.isnan(filled[phase]):
            filled[phase] = z[-age]
    return np.asarray(filled[(len(z) + np.arange(horizon)) % period])


@dataclass(frozen=True)
class SeasonalNaive:
    """Next week as last week (next day as the last, in less than two weeks of history).

    Bands are the quantiles of the differences between successive seasons.
    """

    name: str = "seasonal_naive"

    def quantiles(self, history: History, horizon: int) -> Floats:
        period = WEEK_HOURS if len(history) >= 2 * WEEK_HOURS else DAY_HOURS
        middle = last_season(history.z, horizon, period)
        middle = np.where(np.isnan(middle), np.nanmedian(history.z), middle)
        changes = history.z[period:] - history.z[:-period]
        changes = changes[~np.isnan(changes)]
        spread = np.quantile(changes, LEVELS) if len(changes) else np.zeros(len(LEVELS))
        spread[2] = 0.0
        return np.sort(middle[:, None] + spread[None, :], axis=1)


@dataclass(frozen=True)
class ShortHistory:
    """The median of what there is, with the quantiles of what there is: for a first day or two."""

    name: str = "short_history_quantiles"

    def quantiles(self, history: History, horizon: int) -> Floats:
        seen = history.z[~np.isnan(history.z)]
        return np.tile(np.quantile(seen, LEVELS), (horizon, 1))


def median_of(forecasts: Sequence[Floats]) -> Floats:
    """Quantile by quantile the median of several forecasts (Vincentised ensemble)."""
    return np.asarray(np.median(np.stack(forecasts), axis=0))
