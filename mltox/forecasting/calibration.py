"""The lower ends of bands of counts, moved to where the backtest puts them.

In a quiet topic an hour without posts is likely, a band from 0 holds it whatever its level, and the
band would hold more than it says. So where lower ends touch 0 they are drawn towards the median
(or away from it) until as many hours lie below them as should: busy hours' bands then begin above
0. In kind conformalised quantile regression: Romano, Patterson, Candès (2019). Upper ends are the
pool's own: to scale them by ten correlated origins made forecasts worse (docs/measurements.md).
"""

from __future__ import annotations

import numpy as np

from mltox.forecasting.history import LEVELS
from mltox.forecasting.scales import Floats

MIDDLE = 2
PRIOR_ORIGINS = 1.0
"""Origins' worth of belief in the bands as they are."""
LEAST_STRETCH, GREATEST_STRETCH = 0.6, 1.5
TOUCHING = 0.05
"""Share of the backtest's hours whose band begins at 0 from which lower ends are moved."""


def stretches(observed: Floats, quantiles: Floats) -> Floats:
    """Array (5,): the factor on each level's distance from the median.

    `observed` (K, h), `quantiles` (K, h, 5) of counts, below 0 where 0 is likely. Ones for the
    median and what lies above it, and for all where nothing was observed.
    """
    result = np.ones(len(LEVELS))
    seen = ~np.isnan(observed)
    trust = len(observed) / (len(observed) + PRIOR_ORIGINS)
    for column in range(MIDDLE):
        lower, middle = quantiles[..., column][seen], quantiles[..., MIDDLE][seen]
        width = middle - lower
        if not len(lower) or (lower <= 0).mean() < TOUCHING or width.mean() <= 0:
            continue
        score = (middle - observed[seen]) / np.maximum(width, 1e-6)
        factor = float(np.quantile(score, 1.0 - LEVELS[column]))
        result[column] = np.clip(1.0 + trust * (factor - 1.0), LEAST_STRETCH, GREATEST_STRETCH)
    return result


def stretch(quantiles: Floats, by: Floats) -> Floats:
    """The forecast (..., 5) with its levels moved about the median; they stay in order."""
    middle = quantiles[..., MIDDLE : MIDDLE + 1]
    return np.sort(middle + (quantiles - middle) * by, axis=-1)
