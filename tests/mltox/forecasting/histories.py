"""Histories of which the future is known, for the tests beside this file."""

from __future__ import annotations

import numpy as np

from mltox.forecasting.history import History
from mltox.forecasting.scales import Floats, LogCounts
from mltox.posts.records import HOUR

START = 20_000 * 24 * HOUR


class Plain:
    """A scale that changes nothing."""

    def forward(self, values: Floats, posts: Floats) -> Floats:
        return values

    def back(self, z: Floats, posts: Floats) -> Floats:
        return z


def plain(values: Floats, posts: Floats | None = None) -> History:
    posts = np.ones(len(values)) if posts is None else posts
    return History(START, values, posts, Plain(), values, np.ones(len(values)))


def counts(values: Floats) -> History:
    scale = LogCounts()
    z = scale.forward(values, values)
    ones = np.ones(len(values))
    return History(START, values, values, scale, z, ones, grain=1.0, is_count=True)


def waves(hours: int, noise: float, seed: int = 0) -> Floats:
    """A day, a week and noise."""
    t = np.arange(hours)
    rng = np.random.default_rng(seed)
    week = 0.5 * (t // 24 % 7 >= 5)
    return np.asarray(3 + np.sin(2 * np.pi * t / 24) - week + rng.normal(0, noise, hours))
