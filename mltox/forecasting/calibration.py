"""Bands made as wide as the backtest says they must be.

Split conformal prediction with a normalised score: Vovk et al. (2005); Romano, Patterson, Candès
(2019). The score of an hour is how many half-widths of its band the observation lies from the
median; the band is then stretched by the score's quantile. Hours of one origin depend on each
other, so the guarantee is approximate; what was reached is reported as coverage.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mltox.forecasting.forecasters import DAY_HOURS
from mltox.forecasting.scales import Floats

POOLING = 48.0
"""Weight, in hours, of the factor over all lead times within the factor of one day of them."""
LEAST_FACTOR, GREATEST_FACTOR = 0.75, 4.0
LEAST_WIDTH = 1e-6
BANDS = ((1, 3, 0.8), (0, 4, 0.95))


def factors(observed: Sequence[Floats], forecasts: Sequence[Floats], horizon: int) -> Floats:
    """Array (horizon, 2): the stretch of the 80 % and of the 95 % band by lead time.

    `observed` and `forecasts` hold one array for each backtest: (h,) and (h, 5), h <= horizon.
    All ones where there is no backtest.
    """
    result = np.ones((horizon, len(BANDS)))
    days = np.arange(horizon) // DAY_HOURS
    for column, (low, high, level) in enumerate(BANDS):
        scores = [_scores(y, q, low, high) for y, q in zip(observed, forecasts, strict=True)]
        pooled = np.concatenate(scores) if scores else np.empty(0)
        whole = _factor(pooled, level)
        for day in range(int(days[-1]) + 1 if horizon else 0):
            of_day = np.concatenate(
                [s[day * DAY_HOURS : (day + 1) * DAY_HOURS] for s in scores] or [np.empty(0)]
            )
            n = int((~np.isnan(of_day)).sum())
            own = _factor(of_day, level) if n else whole
            result[days == day, column] = (n * own + POOLING * whole) / (n + POOLING)
    return result


def stretch(quantiles: Floats, by: Floats) -> Floats:
    """The forecast with its bands stretched about the median; quantiles stay in order."""
    middle = quantiles[:, 2:3]
    columns = np.column_stack([by[:, 1], by[:, 0], by[:, 0], by[:, 0], by[:, 1]])
    return np.sort(middle + (quantiles - middle) * columns, axis=1)


def _scores(observed: Floats, quantiles: Floats, low: int, high: int) -> Floats:
    middle = quantiles[:, 2]
    up = (observed - middle) / np.maximum(quantiles[:, high] - middle, LEAST_WIDTH)
    down = (middle - observed) / np.maximum(middle - quantiles[:, low], LEAST_WIDTH)
    return np.asarray(np.maximum(up, down))


def _factor(scores: Floats, level: float) -> float:
    seen = scores[~np.isnan(scores)]
    if not len(seen):
        return 1.0
    rank = min(level * (1.0 + 1.0 / len(seen)), 1.0)
    return float(np.clip(np.quantile(seen, rank), LEAST_FACTOR, GREATEST_FACTOR))
