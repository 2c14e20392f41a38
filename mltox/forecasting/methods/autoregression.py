"""Linear autoregression over hours, days and weeks, with a level for each hour of the day.

In kind the "Cali" step of Doornik, Castle, Hendry (2020), Card forecasts for M4, International
Journal of Forecasting 36, which was best on the hourly series of that competition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS, History
from mltox.forecasting.methods.base import ForecastError
from mltox.forecasting.scales import Floats

# fmt: off
LAGS = (1, 2, 3, 4, 5, 6, 12, 23, 24, 25, 26, 47, 48, 49, 72, 96, 120, 144, 167, 168, 169, 192, 193)
# fmt: on
LONGEST_LAG = 0.45
"""Of the history's length: the rest is what coefficients are learnt from."""
LAG_PENALTY, SEASON_PENALTY = 0.05, 1.0
RECENCY_HALF_LIFE = 28 * DAY_HOURS
SLACK = 0.5
"""Standard deviations by which a path may leave the range that was seen."""


@dataclass(frozen=True)
class Autoregression:
    """Ridge regression of an hour on hours before it, then iterated.

    `difference`: the hours back that are subtracted first (0: none), against a level that moves.
    `weekdays`: whether days of the week have levels of their own.
    """

    name: str = "autoregression"
    difference: int = 0
    weekdays: bool = False

    def path(self, history: History, horizon: int) -> Floats:
        back = self.difference
        if len(history) < back + 2:
            raise ForecastError(f"{self.name}: too short a history")
        z = history.filled
        seen = ~np.isnan(history.z)
        weight = np.where(seen, history.reliability, 0.0)
        changes = z[back:] - z[: len(z) - back] if back else z
        if back:
            weight = np.minimum(weight[back:], weight[:-back])
        lags = np.array([lag for lag in LAGS if lag <= len(changes) * LONGEST_LAG])
        if len(lags) < 2 or not weight.any():
            raise ForecastError(f"{self.name}: too short a history")
        centre = 0.0 if back else float(np.average(changes, weights=weight + 1e-12))
        spread = float(changes.std()) + 1e-9
        x = (changes - centre) / spread
        then = np.arange(int(lags[-1]), len(x))
        levels = self._levels(history, horizon)
        design = np.hstack([x[then[:, None] - lags], levels[back + then]])
        recency = 0.5 ** ((len(x) - 1 - then) / RECENCY_HALF_LIFE)
        penalty = np.full(design.shape[1], SEASON_PENALTY)
        penalty[: len(lags)] = LAG_PENALTY
        weighted = design.T * (weight[then] * recency)
        found = np.linalg.solve(weighted @ design + np.diag(penalty), weighted @ x[then])
        ahead = levels[len(history) :] @ found[len(lags) :]
        path = _iterate(x, lags, found[: len(lags)], ahead)
        return _added_up(z, centre + spread * path, back)

    def _levels(self, history: History, horizon: int) -> Floats:
        """Array (n + horizon, 24 or 31) with a one for the hour of the day, and for the weekday."""
        levels = np.eye(DAY_HOURS)[history.phases(DAY_HOURS, horizon)]
        if not self.weekdays:
            return levels
        days = history.phases(WEEK_HOURS, horizon) // DAY_HOURS
        return np.hstack([levels, np.eye(WEEK_HOURS // DAY_HOURS)[days]])


def _iterate(x: Floats, lags: np.ndarray, weights: Floats, levels: Floats) -> Floats:
    low, high = float(x.min()) - SLACK, float(x.max()) + SLACK
    whole = np.concatenate([x, np.zeros(len(levels))])
    for step, level in enumerate(levels.tolist(), start=len(x)):
        whole[step] = min(max(float(weights @ whole[step - lags]) + level, low), high)
    return whole[len(x) :]


def _added_up(z: Floats, changes: Floats, back: int) -> Floats:
    """Differences made a path again, within the range of what was seen and half a deviation."""
    if not back:
        return changes
    whole = np.concatenate([z, np.zeros(len(changes))])
    for step, change in enumerate(changes.tolist(), start=len(z)):
        whole[step] = whole[step - back] + change
    slack = SLACK * float(z.std())
    return np.clip(whole[len(z) :], z.min() - slack, z.max() + slack)
