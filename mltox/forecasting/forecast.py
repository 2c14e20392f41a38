"""A metric's coming week: methods backtested, the best one chosen, its bands calibrated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting.accuracy import coverage, mase, pinball, smape
from mltox.forecasting.backtest import (
    Backtest,
    calibrated,
    forecast_all,
    mean_of,
    origins,
    run_backtests,
    stretch_factors,
)
from mltox.forecasting.calibration import stretch
from mltox.forecasting.forecasters import (
    DAY_HOURS,
    NORMAL_LEVELS,
    WEEK_HOURS,
    Forecaster,
    History,
    SeasonalNaive,
    ShortHistory,
)
from mltox.forecasting.prophet_forecaster import ProphetForecaster
from mltox.forecasting.scales import Floats, LogCounts, Scale, SmoothedLogit
from mltox.forecasting.seasonal_ridge import SeasonalRidge, fit_profile
from mltox.posts.records import HOUR, Forecast, ForecastAccuracy, Micros

METHODS: tuple[Forecaster, ...] = (ProphetForecaster(), SeasonalRidge(), SeasonalNaive())
LONGEST_HISTORY = 13 * WEEK_HOURS
LEAST_OBSERVED = 2 * DAY_HOURS
"""Observed hours that a backtest needs before its origin; after it, a day's or the horizon's."""
BACKTEST_HOURS, MOST_BACKTESTS = 2 * WEEK_HOURS, 4
FULL_TRUST_POSTS = 20.0
USUAL_SIGMAS = 3.0
LEAST_USUAL_REACH = 0.1
DECIMALS = 6


@dataclass(frozen=True)
class _Series:
    """The metric on a full grid of hours that ends before the origin, raw and on its scale."""

    values: Floats
    posts: Floats
    history: History
    scale: Scale

    def posts_ahead(self, horizon: int) -> Floats:
        """The posts expected of the coming hours: the median at the hour of the week."""
        hours = self.history.hours_of_week(len(self.values) + horizon)
        past = hours[: len(self.values)]
        usual = np.array(
            [
                np.median(self.posts[past == hour]) if (past == hour).any() else np.nan
                for hour in range(WEEK_HOURS)
            ]
        )
        usual = np.where(np.isnan(usual), np.median(self.posts), usual)
        return np.asarray(usual[hours[len(self.values) :]])

    def before(self, length: int) -> _Series:
        return _Series(
            self.values[:length], self.posts[:length], self.history.before(length), self.scale
        )


def forecast_series(
    topic: str,
    metric: str,
    hours: NDArray[np.int64],
    values: Floats,
    weights: Floats | None,
    run_at: Micros,
    horizon: int = WEEK_HOURS,
) -> tuple[list[Forecast], list[ForecastAccuracy]]:
    """Forecasts `horizon` hours from `run_at` on, with 80 % and 95 % bands.

    `hours` (n,) are starts of hours in microseconds, before `run_at`, in any order; `values` (n,)
    the metric there; `weights` (n,) the posts behind each value (None: all alike). Hours that are
    missing count as no posts, and as unknown for a mean or a share (NaN says the same).

    Methods are Prophet, a seasonal ridge regression, the seasonal naive forecast and the median of
    the three. Each forecasts the last weeks from rolling origins; the lowest pinball loss chooses.
    A history too short for a backtest (two observed days and one to test on) is forecast by its
    own quantiles, with a method name that says so; no observed hour gives no rows.

    `p_anomaly` of an hour is the probability, under the calibrated forecast, that the metric
    exceeds its usual range: the profile of the hour of the week in the last 13 weeks plus three
    robust sigmas about that profile (at least 0.1 on the scale of the forecast, a tenth or so, for
    series that hardly move).
    """
    series = _series(metric, hours, values, weights, run_at)
    if series is None:
        return [], []
    backtest_horizon = min(
        horizon, max(DAY_HOURS, len(series.values) // 4 // DAY_HOURS * DAY_HOURS)
    )
    ends = _origins(series.values, backtest_horizon)
    if not ends:
        method = ShortHistory()
        quantiles = method.quantiles(series.history, horizon)
        return _rows(topic, metric, run_at, method.name, series, quantiles), []
    forecasts = forecast_all(METHODS, series.history, horizon)
    backtests = run_backtests(METHODS, series.history, ends, backtest_horizon)
    accuracies = [
        _accuracy(topic, metric, run_at, series, backtests, method, backtest_horizon)
        for method in forecasts
        if all(method in test.forecasts for test in backtests)
    ]
    best = min(accuracies, key=lambda row: math.inf if row.pinball is None else row.pinball)
    by = stretch_factors(backtests, best.method, backtest_horizon)
    by = np.vstack([by, np.repeat(by[-1:], horizon - backtest_horizon, axis=0)])
    quantiles = stretch(forecasts[best.method], by)
    rows = _rows(topic, metric, run_at, best.method, series, quantiles)
    return rows, [row._replace(chosen=row.method == best.method) for row in accuracies]


def _series(
    metric: str,
    hours: NDArray[np.int64],
    values: Floats,
    weights: Floats | None,
    run_at: Micros,
) -> _Series | None:
    known = (hours < run_at) & ~np.isnan(values)
    kept = known & (hours >= run_at - LONGEST_HISTORY * HOUR)
    if not kept.any():
        return None
    counts = metric == "posts"
    start = int(hours[kept].min())
    length = (run_at - start) // HOUR
    index = (hours[kept] - start) // HOUR
    grid = np.full(length, 0.0 if counts else np.nan)
    grid[index] = values[kept]
    posts = np.zeros(length)
    posts[index] = values[kept] if weights is None and counts else 1.0
    if weights is not None:
        posts[index] = weights[kept]
    scale: Scale = LogCounts()
    reliability = np.ones(length)
    if not counts:
        unknown = np.isnan(grid)
        total = float(posts[~unknown].sum())
        centre = float((grid * posts)[~unknown].sum()) / total if total > 0 else 0.5
        scale = SmoothedLogit(centre)
        if weights is not None:
            reliability = np.clip(posts / FULL_TRUST_POSTS, 0.05, 1.0)
    return _Series(grid, posts, History(start, scale.forward(grid, posts), reliability), scale)


def _origins(values: Floats, horizon: int) -> list[int]:
    """Where the backtests begin: with enough observed hours on both sides."""
    seen = np.concatenate([[0], np.cumsum(~np.isnan(values))])
    most = max(1, min(BACKTEST_HOURS // horizon, MOST_BACKTESTS))
    return [
        end
        for end in origins(len(values), horizon, LEAST_OBSERVED, most)
        if seen[end] >= LEAST_OBSERVED
        and seen[end + horizon] - seen[end] >= min(horizon, DAY_HOURS)
    ]


def _accuracy(
    topic: str,
    metric: str,
    run_at: Micros,
    series: _Series,
    backtests: Sequence[Backtest],
    method: str,
    horizon: int,
) -> ForecastAccuracy:
    figures = []
    for test, quantiles in zip(backtests, calibrated(backtests, method, horizon), strict=True):
        before = series.before(test.origin)
        observed = series.values[test.origin : test.origin + horizon]
        natural = series.scale.back(quantiles, before.posts_ahead(horizon)[:, None])
        figures.append(
            (
                mase(observed, natural[:, 2], before.values),
                smape(observed, natural[:, 2]),
                pinball(observed, natural),
                coverage(observed, natural[:, 1], natural[:, 3]),
                coverage(observed, natural[:, 0], natural[:, 4]),
            )
        )
    means = [mean_of(column) for column in zip(*figures, strict=True)]
    scaled, percent, loss, inside_80, inside_95 = (
        None if math.isnan(figure) else round(figure, DECIMALS) for figure in means
    )
    return ForecastAccuracy(
        topic=topic,
        metric=metric,
        run_at=run_at,
        method=method,
        horizon_hours=horizon,
        mase=scaled,
        smape=percent,
        pinball=loss,
        coverage_80=inside_80,
        coverage_95=inside_95,
        chosen=False,
    )


def _rows(
    topic: str, metric: str, run_at: Micros, method: str, series: _Series, quantiles: Floats
) -> list[Forecast]:
    horizon = len(quantiles)
    natural = np.round(series.scale.back(quantiles, series.posts_ahead(horizon)[:, None]), DECIMALS)
    chances = _exceedance(quantiles, _usual_upper(series.history, horizon))
    return [
        Forecast(
            topic=topic,
            metric=metric,
            run_at=run_at,
            hour=run_at + step * HOUR,
            expected=float(natural[step, 2]),
            lower_80=float(natural[step, 1]),
            upper_80=float(natural[step, 3]),
            lower_95=float(natural[step, 0]),
            upper_95=float(natural[step, 4]),
            method=method,
            p_anomaly=round(float(chances[step]), DECIMALS),
        )
        for step in range(horizon)
    ]


def _usual_upper(history: History, horizon: int) -> Floats:
    usual = fit_profile(history)
    hours = history.hours_of_week(len(history) + horizon)[len(history) :]
    return np.asarray(usual.profile[hours] + max(USUAL_SIGMAS * usual.sigma, LEAST_USUAL_REACH))


def _exceedance(quantiles: Floats, thresholds: Floats) -> Floats:
    """Probability above the threshold: normal between the quantiles, and beyond the outer ones as
    the outer half of the band goes on."""
    result = np.empty(len(thresholds))
    for i, (row, threshold) in enumerate(zip(quantiles, thresholds, strict=True)):
        if threshold > row[4]:
            slope = (NORMAL_LEVELS[4] - NORMAL_LEVELS[2]) / max(row[4] - row[2], 1e-9)
            normal = NORMAL_LEVELS[4] + (threshold - row[4]) * slope
        elif threshold < row[0]:
            slope = (NORMAL_LEVELS[2] - NORMAL_LEVELS[0]) / max(row[2] - row[0], 1e-9)
            normal = NORMAL_LEVELS[0] - (row[0] - threshold) * slope
        else:
            normal = float(np.interp(threshold, row, NORMAL_LEVELS))
        result[i] = 0.5 * math.erfc(normal / math.sqrt(2.0))
    return result
