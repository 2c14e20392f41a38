"""Paths that repeat what was: the forecasts that any other has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS, History
from mltox.forecasting.scales import Floats


def last_season(z: Floats, horizon: int, period: int) -> Floats:
    """The last value seen at each phase of the period, repeated; NaN where a phase has none."""
    ages = np.arange(1, min(len(z), 4 * period) + 1)
    seen = ages[~np.isnan(z[-ages])] if len(ages) else ages
    filled = np.full(period, np.nan)
    for age in seen[::-1]:  # the youngest last, so that it stays
        filled[(len(z) - age) % period] = z[-age]
    return np.asarray(filled[(len(z) + np.arange(horizon)) % period])


def _known(path: Floats, z: Floats) -> Floats:
    return np.where(np.isnan(path), np.nanmedian(z), path)


@dataclass(frozen=True)
class DailyNaive:
    """Every day like the last."""

    name: str = "daily_naive"

    def path(self, history: History, horizon: int) -> Floats:
        return _known(last_season(history.z, horizon, DAY_HOURS), history.z)


@dataclass(frozen=True)
class SeasonalNaive:
    """Next week as last week (next day as the last, in less than two weeks of history)."""

    name: str = "seasonal_naive"

    def path(self, history: History, horizon: int) -> Floats:
        period = WEEK_HOURS if len(history) >= 2 * WEEK_HOURS else DAY_HOURS
        return _known(last_season(history.z, horizon, period), history.z)


@dataclass(frozen=True)
class AdjustedWeek:
    """Last week, half way to the level of the last day."""

    name: str = "adjusted_week"

    def path(self, history: History, horizon: int) -> Floats:
        week = SeasonalNaive().path(history, horizon)
        now, then = history.z[-DAY_HOURS:], history.z[-WEEK_HOURS - DAY_HOURS : -WEEK_HOURS]
        if np.isnan(now).all() or np.isnan(then).all():
            return week
        return np.asarray(week + 0.5 * (np.nanmean(now) - np.nanmean(then)))


@dataclass(frozen=True)
class WeekMedian:
    """The median of the last four weeks at each hour of the week."""

    name: str = "week_median"
    weeks: int = 4

    def path(self, history: History, horizon: int) -> Floats:
        recent = history.z[-self.weeks * WEEK_HOURS :]
        padding = np.full(-len(recent) % WEEK_HOURS, np.nan)
        weeks = np.concatenate([padding, recent]).reshape(-1, WEEK_HOURS)
        empty = np.isnan(weeks).all(axis=0)
        profile = np.nanmedian(np.where(empty, np.nanmedian(history.z), weeks), axis=0)
        return np.asarray(np.resize(profile, horizon))
