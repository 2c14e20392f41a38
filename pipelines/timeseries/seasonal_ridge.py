"""A cheap and strong rival: hour-of-week regression with shrinkage, and a fading residual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.timeseries.forecasters import DAY_HOURS, LEVELS, WEEK_HOURS, History
from pipelines.timeseries.scales import Floats

DAY_PENALTY, WEEK_PENALTY = 0.5, 3.0
RECENCY_HALF_LIFE = 28 * 24
SMOOTHING_HALF_LIVES = (4.0, 72.0)
LEADS = (1, 2, 3, 6, 12, 24, 48, 96, 168)
OUTLIER = 3.0


def robust_sigma(residuals: Floats) -> float:
    """Scale by the median absolute deviation; by the mean one where more than half are equal."""
    seen = np.abs(residuals[~np.isnan(residuals)])
    if not len(seen):
        return 0.0
    return float(1.4826 * np.median(seen) or 1.2533 * np.mean(seen))


@dataclass(frozen=True)
class WeekProfile:
    """An hour of the week's usual value: `profile` (168,) on the scale, with the sigma about it."""

    profile: Floats
    sigma: float


def fit_profile(history: History) -> WeekProfile:
    """Weighted ridge regression on a level, the hour of the day and the hour of the week.

    Recent hours weigh more (half-life four weeks); outliers are drawn in to three sigmas and the
    fit repeated.
    """
    hours = history.hours_of_week(len(history))
    seen = ~np.isnan(history.z)
    age = np.arange(len(history))[::-1]
    weights = np.where(seen, history.reliability * 0.5 ** (age / RECENCY_HALF_LIFE), 0.0)
    z = np.where(seen, history.z, 0.0)
    profile = _ridge(hours, z, weights)
    sigma = robust_sigma(np.where(seen, z - profile[hours], np.nan))
    reach = OUTLIER * sigma
    drawn = profile[hours] + np.clip(z - profile[hours], -reach, reach)
    profile = _ridge(hours, drawn, weights)
    return WeekProfile(profile, robust_sigma(np.where(seen, z - profile[hours], np.nan)))


def _ridge(hours: np.ndarray, z: Floats, weights: Floats) -> Floats:
    """Solves the normal equations, which a week's 168 sums of weights and values determine."""
    weight = np.bincount(hours, weights, WEEK_HOURS)
    total = np.bincount(hours, weights * z, WEEK_HOURS)
    design = np.hstack(
        [
            np.ones((WEEK_HOURS, 1)),
            np.tile(np.eye(DAY_HOURS), (WEEK_HOURS // DAY_HOURS, 1)),
            np.eye(WEEK_HOURS),
        ]
    )
    penalty = np.concatenate(
        [[1e-9], np.full(DAY_HOURS, DAY_PENALTY), np.full(WEEK_HOURS, WEEK_PENALTY)]
    )
    gram = design.T @ (weight[:, None] * design) + np.diag(penalty)
    return np.asarray(design @ np.linalg.solve(gram, design.T @ total))


def smoothed(residuals: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean up to and with each hour; hours without a value are passed over.

    Starts from 0, the residual's own mean.
    """
    keep = 0.5 ** (1.0 / half_life)
    result = np.empty(len(residuals))
    level = 0.0
    for i, residual in enumerate(residuals):
        level = keep * level + (1.0 - keep) * (level if np.isnan(residual) else residual)
        result[i] = level
    return result


@dataclass(frozen=True)
class SeasonalRidge:
    """Profile of the week, plus what the recent residuals say of each lead time.

    For some leads h the residual h hours on is regressed on two smoothed residuals of now (one of
    hours, one of days); in between coefficients are interpolated. The quantiles of these
    regressions' errors are the bands, so these widen with the lead as far as they did in the past.
    """

    name: str = "seasonal_ridge"

    def quantiles(self, history: History, horizon: int) -> Floats:
        fitted = fit_profile(history)
        hours = history.hours_of_week(len(history) + horizon)
        residuals = history.z - fitted.profile[hours[: len(history)]]
        reach = OUTLIER * fitted.sigma
        states = np.column_stack(
            [smoothed(np.clip(residuals, -reach, reach), life) for life in SMOOTHING_HALF_LIVES]
        )
        leads = [lead for lead in LEADS if lead <= min(horizon, len(history) // 3)] or [1]
        shifts, spreads = zip(*(_direct(states, residuals, lead) for lead in leads), strict=True)
        ahead = np.arange(1, horizon + 1)
        shift = np.interp(ahead, leads, shifts)
        spread = np.column_stack(
            [np.interp(ahead, leads, column) for column in np.array(spreads).T]
        )
        middle = fitted.profile[hours[len(history) :]] + shift
        return np.sort(middle[:, None] + spread, axis=1)


def _direct(states: Floats, residuals: Floats, lead: int) -> tuple[float, Floats]:
    """The shift expected `lead` hours on, and the LEVELS of the errors around it."""
    then, now = residuals[lead:], states[:-lead]
    seen = ~np.isnan(then)
    x, y = now[seen], then[seen]
    if len(y) < 2:
        return 0.0, np.zeros(len(LEVELS))
    gram = x.T @ x + 1e-3 * len(y) * np.diag(x.var(axis=0) + 1e-9) + 1e-9 * np.eye(x.shape[1])
    coefficients = np.clip(np.linalg.solve(gram, x.T @ y), 0.0, 1.0)
    errors = y - x @ coefficients
    spread = np.quantile(errors, LEVELS)
    spread[2] = 0.0
    return float(states[-1] @ coefficients), spread
