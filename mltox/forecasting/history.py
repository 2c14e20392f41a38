"""A metric's past on a full grid of hours: what every method sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting.scales import Floats, Scale
from mltox.posts.records import HOUR, Micros

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
"""The quantiles of a forecast: the ends of the 95 % and 80 % bands around the median."""
NORMAL_LEVELS = (-1.959964, -1.281552, 0.0, 1.281552, 1.959964)
DAY_HOURS, WEEK_HOURS = 24, 168
PROFILE_HOURS = 4 * WEEK_HOURS


@dataclass(frozen=True)
class History:
    """Consecutive hours that end at the origin.

    `values` (n,) in the metric's unit, NaN where nothing is known; `posts` (n,) that each averages
    over; `z` (n,) the values on `scale`; `reliability` (n,) in (0, 1], an hour's weight: few posts
    say little. `grain` is the step in which values come, 0 where there is none;
    `is_count` says that the values are posts and have no upper bound.
    """

    start: Micros
    values: Floats
    posts: Floats
    scale: Scale
    z: Floats
    reliability: Floats
    grain: float = 0.0
    is_count: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def before(self, length: int) -> History:
        """The first `length` hours."""
        return History(
            self.start,
            self.values[:length],
            self.posts[:length],
            self.scale,
            self.z[:length],
            self.reliability[:length],
            self.grain,
            self.is_count,
        )

    def last(self, length: int) -> History:
        skipped = max(len(self) - length, 0)
        return History(
            self.start + skipped * HOUR,
            self.values[skipped:],
            self.posts[skipped:],
            self.scale,
            self.z[skipped:],
            self.reliability[skipped:],
            self.grain,
            self.is_count,
        )

    def phases(self, period: int, ahead: int = 0) -> NDArray[np.int64]:
        """Which hour of the period each hour is, and the `ahead` ones that follow: (n + ahead,)."""
        return (self.start // HOUR + np.arange(len(self) + ahead)) % period

    def posts_ahead(self, horizon: int) -> Floats:
        """The posts expected of the coming hours: the median at the hour of the day, of late.

        Hours without a post have no mean and no share, and do not count.
        """
        recent = self.last(PROFILE_HOURS)
        some = np.where(recent.posts > 0, recent.posts, np.nan)
        profile = medians_by_phase(some, otherwise=1.0)
        return np.asarray(profile[(len(recent) + np.arange(horizon)) % DAY_HOURS])

    @cached_property
    def filled(self) -> Floats:
        """`z` (n,) with what is not known as the median of its hour of the day."""
        unknown = np.isnan(self.z)
        if not unknown.any():
            return self.z
        profile = medians_by_phase(self.z, otherwise=0.0)
        return np.where(unknown, profile[np.arange(len(self)) % DAY_HOURS], self.z)


def medians_by_phase(values: Floats, otherwise: float) -> Floats:
    """Array (24,): the median of every 24th of `values` from each of the first 24 on, NaN left out.

    Where a phase has none, the median of all; `otherwise` where there is nothing at all.

    >>> medians_by_phase(np.arange(72.0), 0.0)[:2]
    array([24., 25.])
    """
    seen = values[~np.isnan(values)]
    whole = float(np.median(seen)) if len(seen) else otherwise
    padding = np.full(-len(values) % DAY_HOURS, np.nan)
    days = np.concatenate([values, padding]).reshape(-1, DAY_HOURS)
    nothing = np.isnan(days).all(axis=0)
    return np.asarray(np.nanmedian(np.where(nothing, whole, days), axis=0))
