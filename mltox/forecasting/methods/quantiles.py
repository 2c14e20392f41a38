"""The past's own quantiles: hard to beat where a conversation is mostly noise.

Each is a weighted quantile of what was seen, with weights by age, by the hour of the day and by the
posts that hours of the day have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltox.forecasting.history import DAY_HOURS, LEVELS, WEEK_HOURS, History
from mltox.forecasting.scales import Floats

LEAST_EVIDENCE = 10.0
"""Fewer hours than this (their weights added up, the greatest as 1) are no distribution."""
POSTS_EDGES = np.array([1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 45, 70, 100, 200, 1000])
"""Hours with like numbers of posts scatter alike: from each edge to the next."""


def weighted_quantiles(values: Floats, weights: Floats, grain: float = 0.0) -> Floats:
    """The LEVELS of `values` (n,) under each row of `weights` (m, n): (m, 5).

    Between the middles of two neighbours' weights they are interpolated. Values that come in steps
    of `grain` (1 for counts) are spread evenly over their step, so that a band's end moves with the
    chances and not in leaps; below 0, it says how likely 0 is.

    >>> float(weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([[1.0, 1.0, 1.0]]))[0, 2])
    2.0
    """
    if grain > 0:
        steps, member = np.unique(values, return_inverse=True)
        ordered = (steps[:, None] + [-0.5 * grain, 0.5 * grain]).ravel()
        of_step = np.stack([np.bincount(member, row, len(steps)) for row in weights])
        after = np.cumsum(of_step, axis=1)
        middles = np.stack([after - of_step, after], axis=2).reshape(len(weights), -1)
        totals = after[:, -1:]
    else:
        order = np.argsort(values, kind="stable")
        ordered, sorted_weights = values[order], weights[:, order]
        after = np.cumsum(sorted_weights, axis=1)
        middles = after - 0.5 * sorted_weights
        totals = after[:, -1:]
    return np.array([np.interp(LEVELS, row, ordered) for row in middles / totals])


def _fade(hours: int, half_life: float) -> Floats:
    """Weights by age, the last hour's nearly 1."""
    return np.asarray(0.5 ** (np.arange(hours)[::-1] / half_life))


@dataclass(frozen=True)
class FlatQuantiles:
    """The quantiles of the last four weeks, drawn flat: what every forecast must beat."""

    name: str = "flat_quantiles"
    hours: int = 4 * WEEK_HOURS

    def quantiles(self, history: History, horizon: int) -> Floats:
        recent = history.last(self.hours).values
        seen = recent[~np.isnan(recent)]
        if not len(seen):
            seen = history.values[~np.isnan(history.values)]
        return np.tile(np.quantile(seen, LEVELS), (horizon, 1))


@dataclass(frozen=True)
class FadingQuantiles:
    """Flat quantiles in which an hour's weight halves with the half-life (hours)."""

    half_life: float
    name: str = "fading_quantiles"

    def quantiles(self, history: History, horizon: int) -> Floats:
        seen = ~np.isnan(history.values)
        weights = _fade(len(history), self.half_life)[seen]
        return np.tile(
            weighted_quantiles(history.values[seen], weights[None], history.grain), (horizon, 1)
        )


@dataclass(frozen=True)
class HourQuantiles:
    """Quantiles of the hour of the day and its neighbours within `reach` hours, recent ones more.

    `by_posts` also draws the hours of the whole day in, each as often as hours with its number of
    posts come up at that hour of the day: few posts scatter widely, whatever the hour.
    """

    half_life: float
    reach: int
    by_posts: bool = False
    name: str = "hour_quantiles"

    def quantiles(self, history: History, horizon: int) -> Floats:
        seen = ~np.isnan(history.values)
        phases = history.phases(DAY_HOURS, horizon)
        distance = np.abs(np.arange(DAY_HOURS)[:, None] - phases[: len(history)][seen][None])
        near = np.minimum(distance, DAY_HOURS - distance)
        fade = _fade(len(history), self.half_life)[seen]
        weights = np.maximum(1.0 - near / (self.reach + 1.0), 0.0) * fade
        if self.by_posts:
            weights = _matched(weights, fade, history.posts[seen])
        short = weights.sum(axis=1) < LEAST_EVIDENCE * weights.max(initial=1e-12)
        weights[short] = fade
        return weighted_quantiles(history.values[seen], weights, history.grain)[
            phases[len(history) :]
        ]


def _matched(near: Floats, fade: Floats, posts: Floats) -> Floats:
    """Weights (24, n) by hour of the day, of all hours by their posts and of near hours as well."""
    kind = np.maximum(np.searchsorted(POSTS_EDGES, posts, side="right") - 1, 0)
    member = np.eye(len(POSTS_EDGES))[kind]
    there = near @ member
    there /= np.maximum(there.sum(axis=1, keepdims=True), 1e-12)
    whole = fade @ member
    whole /= max(whole.sum(), 1e-12)
    odds = there / np.maximum(whole, 1e-12)[None]
    # Half of an hour's weight is for its posts alone; near hours count three times.
    peak = np.maximum(near.max(axis=1, keepdims=True), 1e-12)
    return np.asarray(odds[:, kind] * (fade + 2.0 * near / peak))
