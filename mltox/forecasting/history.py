"""A metric's past on a full grid of hours: what every method sees."""

from __future__ import annotations

from dataclasses import dataclass

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
        phases = recent.phases(DAY_HOURS, horizon)
        past, some = phases[: len(recent)], recent.posts > 0
        usual = float(np.median(recent.posts[some])) if some.any() else 1.0
        profile = np.full(DAY_HOURS, usual)
        for phase in range(DAY_HOURS):
            mine = some & (past == phase)
            if mine.any():
                profile[phase] = np.median(recent.posts[mine])
        return np.asarray(profile[phases[len(recent) :]])
