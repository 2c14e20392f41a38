"""Bands that learn from what became of the forecasts that were published.

Adaptive conformal inference: Gibbs, Candès (2021), Adaptive conformal inference under distribution
shift, NeurIPS. After each run whose hours have come, the level at which the next band is drawn
moves against the miss; bands that failed for weeks become wide, whatever the backtest says.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from mltox.forecasting.history import LEVELS
from mltox.forecasting.scales import Floats

STEP = 0.1
"""How far the level moves for each run: Gibbs and Candès' gamma, for runs and not for hours."""
LEAST_MISS, GREATEST_MISS = 0.2, 2.0
"""Bounds of the level, over the nominal one: a band is at most four fifths smaller in its miss."""
BANDS = ((1, 3, 0.2), (0, 4, 0.05))
FAILED = 0.15
"""Coverage short of the nominal 80 % by this much, over the runs kept, marks a topic."""


class PastCoverage(NamedTuple):
    """What became of a published run: of its hours that have come, the shares inside its bands."""

    hours: int
    inside_80: float
    inside_95: float


def miss_level(misses: Sequence[float], nominal: float) -> float:
    """The miss to draw the next band for, oldest run's miss first.

    >>> miss_level([], 0.2)
    0.2
    >>> miss_level([0.5], 0.2) < 0.2
    True
    """
    level = nominal
    for miss in misses:
        level += STEP * (nominal - miss)
        level = min(max(level, LEAST_MISS * nominal), GREATEST_MISS * nominal)
    return level


def factors(outcomes: Sequence[PastCoverage]) -> Floats:
    """Array (5,) on each level's distance from the median, oldest run first; ones without runs."""
    result = np.ones(len(LEVELS))
    for low, high, nominal in BANDS:
        misses = [1.0 - (each.inside_80 if low == 1 else each.inside_95) for each in outcomes]
        level = miss_level(misses, nominal)
        normal = NormalDist()
        factor = normal.inv_cdf(1.0 - level / 2.0) / normal.inv_cdf(1.0 - nominal / 2.0)
        result[[low, high]] = factor
    return result
