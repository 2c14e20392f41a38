"""The methods' quantiles pooled: those that erred least in the backtest say most.

Quantile by quantile a weighted median (Vincentisation): Lichtendahl, Grushka-Cockayne, Winkler
(2013), Is it better to average probabilities or quantiles?, Management Science 59. A median, since
one method that went astray must not draw the others with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mltox.forecasting.accuracy import pinball_by_hour
from mltox.forecasting.backtest import Backtest
from mltox.forecasting.scales import Floats

SHARPNESS = 1.6
"""Power of the loss for each origin: few origins say little about who is better."""
WORST = 1.3
"""Loss, over the least, beyond which a method has no say."""


def relative_losses(backtest: Backtest) -> dict[str, float]:
    """Pinball loss by method: the mean over origins of its part in the mean of all methods there.

    Origins count alike, whatever went on in them: one week of a burst must not choose alone.
    """
    losses = np.stack(
        [_by_origin(backtest.observed, quantiles) for quantiles in backtest.past.values()]
    )
    usable = ~np.isnan(losses).any(axis=0)
    losses = losses[:, usable]
    if not losses.size:
        return dict.fromkeys(backtest.past, 1.0)
    shared = losses.mean(axis=0, keepdims=True)
    relative = np.where(shared > 0, losses / np.where(shared > 0, shared, 1.0), 1.0)
    return dict(zip(backtest.past, relative.mean(axis=1).tolist(), strict=True))


def weights(losses: Mapping[str, float], origins: int) -> dict[str, float]:
    """Weights that add up to 1, by relative loss.

    >>> weights({"a": 1.0, "b": 2.0}, 10)
    {'a': 1.0, 'b': 0.0}
    """
    least = max(min(losses.values()), 1e-12)
    raw = {
        name: (max(loss, least) / least) ** (-SHARPNESS * origins) if loss <= WORST * least else 0.0
        for name, loss in losses.items()
    }
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def pooled(forecasts: Mapping[str, Floats], shares: Mapping[str, float]) -> Floats:
    """The weighted median, quantile by quantile; every array has the same shape (..., 5)."""
    names = [name for name, share in shares.items() if share > 0]
    return weighted_median([forecasts[name] for name in names], [shares[name] for name in names])


def weighted_median(arrays: Sequence[Floats], shares: Sequence[float]) -> Floats:
    """Between the middles of two neighbours' weights it is interpolated.

    >>> weighted_median([np.array([1.0]), np.array([5.0])], [0.5, 0.5])
    array([3.])
    """
    stacked = np.stack(arrays)
    order = np.argsort(stacked, axis=0, kind="stable")
    ordered = np.take_along_axis(stacked, order, axis=0)
    weight = np.asarray(shares)[order]
    middles = np.cumsum(weight, axis=0) - 0.5 * weight
    above = np.clip((middles < 0.5).sum(axis=0), 0, len(arrays) - 1)[None]
    below = np.maximum(above - 1, 0)
    left, right = (np.take_along_axis(middles, at, axis=0) for at in (below, above))
    low, high = (np.take_along_axis(ordered, at, axis=0) for at in (below, above))
    gap = np.where(right > left, right - left, 1.0)
    part = np.clip((0.5 - left) / gap, 0.0, 1.0)
    return np.sort((low + part * (high - low))[0], axis=-1)


def _by_origin(observed: Floats, quantiles: Floats) -> Floats:
    """Mean loss of each origin; NaN where none of its hours was observed."""
    loss = pinball_by_hour(observed, quantiles)
    seen = ~np.isnan(loss)
    count = seen.sum(axis=1)
    total = np.where(seen, loss, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
