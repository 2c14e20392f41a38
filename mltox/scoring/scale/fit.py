"""Fits a monotone map from pairs of a model's probability and another service's score.

Two ways of linking scales are joined, each where it serves:

- below, the conditional mean, by isotonic regression (pool adjacent violators: Ayer et al. 1955):
  the nearest score on average;
- above, equal ranks (equipercentile linking: Kolen & Brennan, Test Equating, 2014): a mean shrinks
  to the middle, so that a threshold of 0.7 would flag half as many texts as before. By ranks it
  flags as many.

A few pairs on the diagonal are added, so that a map from few pairs stays near the probability.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEAN_BELOW, RANKS_ABOVE = 0.3, 0.5
"""Scores between which the one gives way to the other."""
PRIOR = np.linspace(0, 1, 21)
"""Where the added pairs lie; each weighs as much as one of the user's."""
MAX_KNOTS = 16
TOLERANCE = 0.004
"""A knot is added only where the map would otherwise be off by this."""
_GRID = 401


def fit_knots(probabilities: Sequence[float], scores: Sequence[float]) -> list[tuple[float, float]]:
    """Knots (probability, score) of the map, at most `MAX_KNOTS`, from 0 to 1.

    The arguments are one pair a text, at least one, all in [0, 1].
    """
    x = np.concatenate([np.asarray(probabilities, float), PRIOR])
    y = np.concatenate([np.asarray(scores, float), PRIOR])
    grid = np.unique(
        np.concatenate([np.quantile(x, np.linspace(0, 1, _GRID)), np.linspace(0, 1, _GRID)]).round(
            6
        )
    )
    mean, ranks = _conditional_mean(x, y, grid), _equal_ranks(x, y, grid)
    share = np.clip((ranks - MEAN_BELOW) / (RANKS_ABOVE - MEAN_BELOW), 0, 1)
    curve = np.maximum.accumulate((1 - share) * mean + share * ranks).clip(0, 1)
    chosen = _few(grid, curve)
    return [(float(grid[at]), round(float(curve[at]), 6)) for at in chosen]


def isotonic(y: Floats, weights: Floats) -> Floats:
    """The non-decreasing sequence nearest to `y` by weighted squares (pool adjacent violators).

    >>> isotonic(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist()
    [1.0, 2.5, 2.5]
    """
    levels: list[tuple[float, float, int]] = []
    for value, weight in zip(y.tolist(), weights.tolist(), strict=True):
        count = 1
        while levels and levels[-1][0] >= value:
            above, heavy, many = levels.pop()
            value = (above * heavy + value * weight) / (heavy + weight)
            weight, count = weight + heavy, count + many
        levels.append((value, weight, count))
    return np.repeat([level[0] for level in levels], [level[2] for level in levels])


def _conditional_mean(x: Floats, y: Floats, grid: Floats) -> Floats:
    distinct, which, counts = np.unique(x, return_inverse=True, return_counts=True)
    means = np.bincount(which, weights=y) / counts
    return np.interp(grid, distinct, isotonic(means, counts.astype(float)))


def _equal_ranks(x: Floats, y: Floats, grid: Floats) -> Floats:
    ranks = 1 - np.geomspace(1, 0.5 / len(x), _GRID)
    by_rank_x, by_rank_y = (np.quantile(values, ranks, method="hazen") for values in (x, y))
    return np.interp(grid, by_rank_x, by_rank_y)


def _few(grid: Floats, curve: Floats) -> list[int]:
    """The points between which straight lines follow the curve (Douglas & Peucker 1973)."""
    kept = [0, len(grid) - 1]
    while len(kept) < MAX_KNOTS:
        off = np.abs(np.interp(grid, grid[kept], curve[kept]) - curve)
        worst = int(off.argmax())
        if off[worst] < TOLERANCE:
            break
        kept = sorted([*kept, worst])
    return kept
