"""How good a forecast was. All on the metric's own scale; hours without an observation are left
out, and a figure without any hour to speak of is NaN."""

from __future__ import annotations

import numpy as np

from mltox.forecasting.history import DAY_HOURS, LEVELS
from mltox.forecasting.scales import Floats

ROUNDING = 1e-9
LEAST_SCALE = 1e-6
"""A series that moves by less than the last decimal that is stored does not move."""


def mase(observed: Floats, forecast: Floats, history: Floats) -> float:
    """Mean absolute error over that of the daily naive forecast in the history.

    Hyndman, Koehler (2006); the period of 24 hours is that of the M4 competition.
    """
    steps = np.abs(history[DAY_HOURS:] - history[:-DAY_HOURS])
    scale = _mean(steps)
    return _mean(np.abs(observed - forecast)) / scale if scale >= LEAST_SCALE else float("nan")


def smape(observed: Floats, forecast: Floats) -> float:
    """Symmetric mean absolute percentage error in [0, 200] (M4's); 0 / 0 counts as 0."""
    total = np.abs(observed) + np.abs(forecast)
    error = np.abs(observed - forecast)
    return 200.0 * _mean(np.where(total > 0, error / np.where(total > 0, total, 1.0), error))


def pinball(observed: Floats, quantiles: Floats) -> float:
    """Mean quantile loss over the five levels, in the metric's unit.

    Gneiting, Raftery (2007): proper for quantiles.
    """
    return _mean(pinball_by_hour(observed, quantiles))


def pinball_by_hour(observed: Floats, quantiles: Floats) -> Floats:
    """Quantile loss averaged over the five levels: (..., h) out of (..., h) and (..., h, 5)."""
    levels = np.array(LEVELS)
    above = observed[..., None] - quantiles
    return np.asarray(np.maximum(levels * above, (levels - 1.0) * above).mean(axis=-1))


def coverage(observed: Floats, lower: Floats, upper: Floats) -> float:
    """Share of the observed hours that lie within the band, ends included (to rounding)."""
    slack = ROUNDING * np.maximum(np.abs(observed), 1.0)
    inside = ((observed >= lower - slack) & (observed <= upper + slack)).astype(float)
    return _mean(np.where(np.isnan(observed), np.nan, inside))


def _mean(values: Floats) -> float:
    seen = values[~np.isnan(values)]
    return float(seen.mean()) if len(seen) else float("nan")
