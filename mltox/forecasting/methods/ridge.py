"""A cheap and strong rival: hour-of-week regression with shrinkage, and a fading residual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS, History
from mltox.forecasting.scales import Floats

DAY_PENALTY, WEEKDAY_PENALTY, WEEK_PENALTY = 2.0, 60.0, 20.0
RIDGE_HALF_LIFE = 28 * 24
SMOOTHING_HALF_LIVES = (4.0, 72.0)
LEADS = (1, 2, 3, 6, 12, 24, 48, 96, 168)
OUTLIER = 3.0
PERIODS = (DAY_HOURS, WEEK_HOURS)
SHRINKAGE = 0.02

DAYS = WEEK_HOURS // DAY_HOURS
DESIGN = np.hstack(
    [
        np.ones((WEEK_HOURS, 1)),
        np.tile(np.eye(DAY_HOURS), (DAYS, 1)),
        np.repeat(np.eye(DAYS), DAY_HOURS, axis=0),
        np.eye(WEEK_HOURS),
    ]
)
"""Hours of the week by a level, the hour of the day, the day and the hour of the week."""
RIDGE_PENALTY = np.repeat(
    [1e-9, DAY_PENALTY, WEEKDAY_PENALTY, WEEK_PENALTY], [1, DAY_HOURS, DAYS, WEEK_HOURS]
)


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
    """Weighted ridge regression on a level, the hour of the day, the day and the hour of the week.

    Recent hours weigh more (half-life four weeks); outliers are drawn in to three sigmas and the
    fit repeated.
    """
    hours = history.phases(WEEK_HOURS)
    seen = ~np.isnan(history.z)
    age = np.arange(len(history))[::-1]
    weights = np.where(seen, history.reliability * 0.5 ** (age / RIDGE_HALF_LIFE), 0.0)
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
    gram = DESIGN.T @ (weight[:, None] * DESIGN) + np.diag(RIDGE_PENALTY)
    return np.asarray(DESIGN @ np.linalg.solve(gram, DESIGN.T @ total))


def smoothed(residuals: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean up to and with each hour, starting from 0."""
    keep = 0.5 ** (1.0 / half_life)
    result = np.empty(len(residuals))
    level = 0.0
    for i, residual in enumerate(residuals.tolist()):
        level = keep * level + (1.0 - keep) * residual
        result[i] = level
    return result


@dataclass(frozen=True)
class SeasonalRidge:
    """Profile of the week, plus what the recent residuals say of each lead time.

    For some leads h the residual h hours on is regressed on residuals known now: smoothed over
    hours, over days, and those of the last day and week at the same phase; in between coefficients
    are interpolated.
    """

    name: str = "seasonal_ridge"

    def path(self, history: History, horizon: int) -> Floats:
        fitted = fit_profile(history)
        hours = history.phases(WEEK_HOURS, horizon)
        residuals = history.z - fitted.profile[hours[: len(history)]]
        known = _Known(residuals, OUTLIER * fitted.sigma)
        leads = [lead for lead in LEADS if lead <= min(horizon, len(history) // 3)] or [1]
        fits = np.array([_direct(known, residuals, lead) for lead in leads])
        coefficients = _between(np.arange(1, horizon + 1), leads, fits)
        shift = (coefficients * known.at_the_end(horizon)).sum(axis=1)
        return np.asarray(fitted.profile[hours[len(history) :]] + shift)


class _Known:
    """What is known of the residuals at each hour, outliers drawn in and gaps at their mean, 0."""

    def __init__(self, residuals: Floats, reach: float) -> None:
        self._drawn = np.nan_to_num(np.clip(residuals, -reach, reach))
        self._smooth = [smoothed(self._drawn, life) for life in SMOOTHING_HALF_LIVES]

    def at(self, lead: int) -> Floats:
        """Array (n, 4): for each hour t, what it knows of the hour t + lead."""
        return np.column_stack(
            [*self._smooth, *(self._same_phase(lead, period) for period in PERIODS)]
        )

    def at_the_end(self, horizon: int) -> Floats:
        """Array (horizon, 4): what the last hour knows of each hour that follows."""
        smooth = np.tile([each[-1] for each in self._smooth], (horizon, 1))
        leads = np.arange(1, horizon + 1)
        ages = np.stack([-leads % period for period in PERIODS], axis=1)
        past = np.concatenate([np.zeros(max(PERIODS)), self._drawn])
        return np.hstack([smooth, past[len(past) - 1 - ages]])

    def _same_phase(self, lead: int, period: int) -> Floats:
        """The residual of t + lead - k * period for the least k that is past; else 0."""
        back = -lead % period
        return np.concatenate([np.zeros(back), self._drawn])[: len(self._drawn)]


def _direct(known: _Known, residuals: Floats, lead: int) -> Floats:
    """Coefficients (4,) of a regression of the residual `lead` hours on (a direct forecast)."""
    then, now = residuals[lead:], known.at(lead)[:-lead]
    seen = ~np.isnan(then)
    x, y = now[seen], then[seen]
    if len(y) < 2:
        return np.zeros(now.shape[1])
    gram = x.T @ x
    gram += np.diag(SHRINKAGE * np.diag(gram) + 1e-9)
    return np.asarray(np.clip(np.linalg.solve(gram, x.T @ y), 0.0, 1.0))


def _between(ahead: np.ndarray, leads: list[int], columns: Floats) -> Floats:
    """Each column, known at the leads, interpolated to every hour ahead."""
    return np.column_stack([np.interp(ahead, leads, column) for column in columns.T])
