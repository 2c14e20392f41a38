"""Rolling origins: each method forecasts hours that are known by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from mltox.forecasting.bands import around
from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS, History
from mltox.forecasting.methods.base import Distribution, ForecastError, Method
from mltox.forecasting.scales import Floats

LEAST_TRAINING_HOURS = 2 * DAY_HOURS
LEAST_AFTER = DAY_HOURS // 2
MOST_ORIGINS = 10


@dataclass(frozen=True)
class Backtest:
    """What methods said at K origins of the hours after them, and what came.

    `observed` is (K, h); `past` holds an array (K, h, 5) for each method, in the metric's unit,
    and `coming` (horizon, 5) what the method says now. No band knows the errors of its own origin.
    """

    origins: tuple[int, ...]
    observed: Floats
    past: Mapping[str, Floats]
    coming: Mapping[str, Floats]

    @property
    def horizon(self) -> int:
        return self.observed.shape[1]


def origins(length: int, horizon: int, most: int = MOST_ORIGINS) -> tuple[int, ...]:
    """Ends of histories, oldest first, half a horizon (a day at least) apart.

    The last is `horizon` hours from the end; the first leaves three weeks before it, or half the
    history where that is less.

    >>> origins(1344, 168, 4)
    (924, 1008, 1092, 1176)
    """
    apart = max(DAY_HOURS, horizon // 2)
    least = max(LEAST_TRAINING_HOURS, min(3 * WEEK_HOURS, length // 2))
    ends = (length - horizon - step * apart for step in range(most))
    return tuple(sorted(end for end in ends if end >= least))


def usable(history: History, ends: Sequence[int], horizon: int) -> tuple[int, ...]:
    """The origins with two known days before them, and half a day among the hours after."""
    known = np.concatenate([[0], np.cumsum(~np.isnan(history.values))])
    return tuple(
        end
        for end in ends
        if known[end] >= LEAST_TRAINING_HOURS
        and known[min(end + horizon, len(history))] - known[end] >= LEAST_AFTER
    )


def reach(length: int, horizon: int) -> int:
    """How far ahead a backtest can look: whole days, at most a quarter of the history."""
    return min(horizon, max(DAY_HOURS, length // 4 // DAY_HOURS * DAY_HOURS))


def run(methods: Sequence[Method], history: History, ends: Sequence[int], horizon: int) -> Backtest:
    """Every method at each of `ends` (K of them, one at least), and now.

    A method that cannot forecast one of these histories is left out.
    """
    near = reach(len(history), horizon)
    befores = [history.before(end) for end in ends]
    posts = [before.posts_ahead(near) for before in befores]
    posts_now = history.posts_ahead(horizon)
    z = np.stack([history.z[end : end + near] for end in ends])
    past: dict[str, Floats] = {}
    coming: dict[str, Floats] = {}
    for method in methods:
        with suppress(ForecastError):
            if isinstance(method, Distribution):
                now = method.quantiles(history, horizon)
                past[method.name] = np.stack([method.quantiles(each, near) for each in befores])
                coming[method.name] = now
                continue
            middle = method.path(history, horizon)
            paths = np.stack([method.path(each, near) for each in befores])
            bands = around(z - paths, 1.0 + (ends[-1] - ends[0]) / near)
            past[method.name] = np.stack(
                [
                    history.scale.back(path[:, None] + band, ahead[:, None])
                    for path, band, ahead in zip(paths, bands.past, posts, strict=True)
                ]
            )
            band = np.vstack([bands.coming, np.repeat(bands.coming[-1:], horizon - near, axis=0)])
            coming[method.name] = history.scale.back(middle[:, None] + band, posts_now[:, None])
    observed = np.stack([history.values[end : end + near] for end in ends])
    return Backtest(tuple(ends), observed, past, coming)
