"""A metric's coming week: methods backtested, pooled by what they lost, its bands set right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting import adaptive, backtest, calibration, chance, gate, pool
from mltox.forecasting.accuracy import coverage, mase, pinball, smape
from mltox.forecasting.adaptive import PastCoverage
from mltox.forecasting.flags import flags
from mltox.forecasting.history import WEEK_HOURS, History
from mltox.forecasting.methods import CHEAP
from mltox.forecasting.methods.base import Path
from mltox.forecasting.methods.prophet import ProphetForecaster
from mltox.forecasting.outages import Gap
from mltox.forecasting.scales import Floats
from mltox.forecasting.series import history_of, why_not
from mltox.posts.records import HOUR, Forecast, ForecastAccuracy, Micros

POOL = "pool"
PROPHET = ProphetForecaster()
REFERENCES = ("flat_quantiles", "seasonal_naive")
"""What a pool must not lose to: where it does, the better of them is published instead."""
BEYOND = 1.5
"""How far a band may go, over the greatest value that the series has shown."""
DECIMALS = 6


def forecast_series(
    topic: str,
    metric: str,
    hours: NDArray[np.int64],
    values: Floats,
    weights: Floats | None,
    run_at: Micros,
    horizon: int = WEEK_HOURS,
    *,
    gaps: tuple[Gap, ...] = (),
    outcomes: Sequence[PastCoverage] = (),
    prophet: Path | None = PROPHET,
) -> tuple[list[Forecast], list[ForecastAccuracy]]:
    """Forecasts `horizon` hours from `run_at` on, with 80 % and 95 % bands.

    `hours` (n,) are starts of hours in microseconds, before `run_at`, in any order; `values` (n,)
    the metric there; `weights` (n,) the posts behind each value (None: all alike). Hours that are
    missing count as no posts, and as unknown for a mean or a share (NaN says the same); an outage
    is unknown to all metrics, and `gaps` are outages of the whole collection. `outcomes` are past
    runs of this series, oldest first, with what became of them. `prophet` None leaves Prophet out.

    Methods (`methods.CHEAP`, and Prophet where it may win: `gate`) forecast from rolling origins
    within the history. Their quantiles are pooled, quantile by quantile, with weights by their
    losses there; where the pool lost more than flat quantiles or the seasonal naive forecast, the
    better of these is published. No rows where `series.why_not` gives a reason.

    `p_anomaly` of an hour is the chance that the detector will flag it (`chance`).
    """
    history = history_of(metric, hours, values, weights, run_at, gaps)
    if history is None or why_not(history) is not None:
        return [], []
    near = backtest.reach(len(history), horizon)
    ends = backtest.usable(history, backtest.origins(len(history), near), near)
    if not ends:
        return [], []
    test = backtest.run(CHEAP, history, ends, horizon)
    losses = pool.relative_losses(test)
    shares = _shares(test, losses)
    past = _pooled_past(test, shares)
    said = test.coming
    if prophet is not None and gate.may_win(test, past, history):
        said, losses = gate.with_prophet(prophet, test, losses, history, horizon)
        if prophet.name in losses:
            shares = _shares(test, losses)
    coming = pool.pooled(said, shares)
    if history.grain:
        by = calibration.stretches(test.observed, past)
        past, coming = calibration.stretch(past, by), calibration.stretch(coming, by)
    coming = calibration.stretch(coming, adaptive.factors(outcomes))
    past, coming = _within(past, history), _within(coming, history)
    chances = chance.chances(history, test, past, coming, flags(metric, history))
    name = next(iter(shares)) if len(shares) == 1 else POOL
    rows = _rows(topic, metric, run_at, name, np.round(coming, DECIMALS), chances)
    tested = {**test.past, name: past}
    accuracies = [
        _accuracy(topic, metric, run_at, method, history, test, _within(quantiles, history))
        for method, quantiles in tested.items()
    ]
    return rows, [row._replace(chosen=row.method == name) for row in accuracies]


def _shares(test: backtest.Backtest, losses: Mapping[str, float]) -> dict[str, float]:
    """The weights of the pool; all of it for a reference that the pool would lose to."""
    shares = {
        name: share for name, share in pool.weights(losses, len(test.origins)).items() if share > 0
    }
    rivals = {name: test.past[name] for name in REFERENCES}
    rivals[POOL] = _pooled_past(test, shares)
    lost = pool.relative_losses(backtest.Backtest(test.origins, test.observed, rivals, {}))
    best = min(lost, key=lambda name: (lost[name], name != POOL))
    return shares if best == POOL else {best: 1.0}


def _pooled_past(test: backtest.Backtest, shares: Mapping[str, float]) -> Floats:
    """Array (K, h, 5), without Prophet, which did not forecast at every origin.

    Where the pool is Prophet alone, what it was measured by: the best of the others.
    """
    kept = {name: share for name, share in shares.items() if name in test.past}
    if not kept:
        losses = pool.relative_losses(test)
        kept = {min(losses, key=lambda name: losses[name]): 1.0}
    total = sum(kept.values())
    return pool.pooled(test.past, {name: share / total for name, share in kept.items()})


def _within(quantiles: Floats, history: History) -> Floats:
    """Bands within the domain and what the series has shown; medians of counts are counts."""
    most = float(np.nanmax(history.values))
    if history.is_count:
        bounded = np.clip(quantiles, 0.0, BEYOND * most + 1.0)
        if history.grain:
            bounded[..., calibration.MIDDLE] = np.round(bounded[..., calibration.MIDDLE])
            bounded[..., :2] = np.minimum(bounded[..., :2], bounded[..., 2:3])
            bounded[..., 3:] = np.maximum(bounded[..., 3:], bounded[..., 2:3])
        return bounded
    return np.clip(quantiles, 0.0, min(BEYOND * most, 1.0))


def _accuracy(
    topic: str,
    metric: str,
    run_at: Micros,
    method: str,
    history: History,
    test: backtest.Backtest,
    quantiles: Floats,
) -> ForecastAccuracy:
    figures = [
        (
            mase(observed, said[:, 2], history.values[:end]),
            smape(observed, said[:, 2]),
            pinball(observed, said),
            coverage(observed, said[:, 1], said[:, 3]),
            coverage(observed, said[:, 0], said[:, 4]),
        )
        for end, observed, said in zip(test.origins, test.observed, quantiles, strict=True)
    ]
    means = [_mean_of(column) for column in zip(*figures, strict=True)]
    scaled, percent, loss, inside_80, inside_95 = means
    return ForecastAccuracy(
        topic=topic,
        metric=metric,
        run_at=run_at,
        method=method,
        horizon_hours=test.horizon,
        mase=scaled,
        smape=percent,
        pinball=loss,
        coverage_80=inside_80,
        coverage_95=inside_95,
        chosen=False,
    )


def _mean_of(figures: Sequence[float]) -> float | None:
    """Mean of the figures that exist."""
    known = [figure for figure in figures if not math.isnan(figure)]
    return round(sum(known) / len(known), DECIMALS) if known else None


def _rows(
    topic: str, metric: str, run_at: Micros, method: str, quantiles: Floats, chances: Floats
) -> list[Forecast]:
    return [
        Forecast(
            topic=topic,
            metric=metric,
            run_at=run_at,
            hour=run_at + step * HOUR,
            expected=middle,
            lower_80=lower_80,
            upper_80=upper_80,
            lower_95=lower_95,
            upper_95=upper_95,
            method=method,
            p_anomaly=round(float(chances[step]), DECIMALS),
        )
        for step, (lower_95, lower_80, middle, upper_80, upper_95) in enumerate(quantiles.tolist())
    ]
