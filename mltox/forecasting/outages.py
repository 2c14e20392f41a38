"""Hours in which nothing was collected, told from hours in which nobody wrote.

Both have no rows. A topic that posts thirty times a day does not fall silent for three: the
collection did. A topic of one post a day may well, and a topic that sleeps at weekends does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS
from mltox.forecasting.scales import Floats
from mltox.posts.records import HOUR, Micros

Gap = tuple[Micros, Micros]
"""From the first to after the last hour of an outage."""

LEAST_EXPECTED = 30.0
"""Posts that should have come in a silence before it is called an outage."""
LEAST_COLLECTION_HOURS = 6
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


def collection_gaps(posts: Floats, end: Micros) -> tuple[Gap, ...]:
    """Outages of a whole collection: `posts` (n,) of all its topics, of the hours before `end`.

    Six hours are enough: topics do not fall silent together.
    """
    start = end - len(posts) * HOUR
    return tuple(
        (start + first * HOUR, start + last * HOUR)
        for first, last in _runs(unknown_hours(posts, LEAST_COLLECTION_HOURS))
    )
