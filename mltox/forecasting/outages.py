"""Hours in which nothing was collected, told from hours in which nobody wrote.

Both have no rows. A topic that posts thirty times a day does not fall silent for three: the
collection did. A topic of one post a day may well, and a topic that sleeps at weekends does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mltox.detection.gaps import gaps
from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS
from mltox.forecasting.scales import Floats
from mltox.posts.records import HOUR, Micros

Gap = tuple[Micros, Micros]
"""From the first to after the last hour of an outage."""

LEAST_EXPECTED = 30.0
"""Posts that should have come in a silence before it is called an outage."""
HABIT = 0.5
"""Share of the other weeks silent at the same hours from which a silence is a habit."""


def unknown_hours(posts: Floats, least_hours: int = DAY_HOURS) -> NDArray[np.bool_]:
    """Which of consecutive hours (n,) of `posts` belong to an outage.

    A silence of `least_hours` or more is one where the median day that has posts would have
    brought 30 in that time, unless the same hours of the other weeks are mostly silent too.

    >>> busy = np.full(24 * 21, 5.0)
    >>> busy[200:272] = 0.0
    >>> int(unknown_hours(busy).sum())
    72
    """
    result = np.zeros(len(posts), dtype=bool)
    silent = posts == 0
    rate = _usual_rate(posts)
    for start, end in _runs(silent):
        if end - start < least_hours or rate * (end - start) < LEAST_EXPECTED:
            continue
        if not _is_habit(silent, start, end):
            result[start:end] = True
    return result


def _usual_rate(posts: Floats) -> float:
    """Posts an hour on the median day that has any."""
    days = np.add.reduceat(posts, np.arange(0, len(posts), DAY_HOURS)) if len(posts) else posts
    days = days[days > 0]
    return float(np.median(days)) / DAY_HOURS if len(days) else 0.0


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Starts and ends (one past the last) of each run of True."""
    edges = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _is_habit(silent: NDArray[np.bool_], start: int, end: int) -> bool:
    """A silence of a week or more has no other hours of its kind to be a habit of."""
    if end - start >= WEEK_HOURS:
        return False
    hours = np.arange(len(silent))
    others = (hours < start) | (hours >= end)
    shares = []
    for hour in range(start, end):
        same = others & (hours % WEEK_HOURS == hour % WEEK_HOURS)
        if same.any():
            shares.append(float(silent[same].mean()))
    return bool(shares) and float(np.median(shares)) >= HABIT


def collection_gaps(hours: Sequence[tuple[Micros, int]]) -> tuple[Gap, ...]:
    """Outages of a whole collection, from the posts of all its topics by hour.

    Those that `mltox.detection.gaps` finds, but for nights and weekends on which a whole collection
    is mostly silent: a forecast must know of these.
    """
    if not hours:
        return ()
    start = min(hour for hour, _ in hours)
    silent = np.ones((max(hour for hour, _ in hours) - start) // HOUR + 1, dtype=bool)
    silent[[(hour - start) // HOUR for hour, posts in hours if posts > 0]] = False
    return tuple(
        (gap.start, gap.end)
        for gap in gaps(hours)
        if not _is_habit(silent, (gap.start - start) // HOUR, (gap.end - start) // HOUR)
    )
