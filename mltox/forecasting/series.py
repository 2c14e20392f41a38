"""A metric's rows as a history: a full grid of hours, with what is unknown said to be so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting.history import DAY_HOURS, WEEK_HOURS, History
from mltox.forecasting.outages import Gap, unknown_hours
from mltox.forecasting.scales import Floats, LogCounts, Scale, SmoothedLogit
from mltox.posts.records import HOUR, Micros

COUNT_METRIC = "posts"
LONGEST_HISTORY = 13 * WEEK_HOURS
LEAST_DAYS = 7
"""Days that must lie between the first known hour and the origin."""
LEAST_KNOWN = 3 * DAY_HOURS
"""Known hours within them: less than that no backtest can judge."""
ENDED_HOURS = 3 * DAY_HOURS
FULL_TRUST_POSTS = 20.0


def history_of(
    metric: str,
    hours: NDArray[np.int64],
    values: Floats,
    weights: Floats | None,
    run_at: Micros,
    gaps: tuple[Gap, ...] = (),
) -> History | None:
    """The last 13 weeks before `run_at`; None where no hour of them is known.

    `hours` (n,) are starts of hours in microseconds in any order, `values` (n,) the metric there
    and `weights` (n,) the posts behind each value. Hours that are missing had no posts; in an
    outage of the topic, and in `gaps` of the whole collection, nothing is known.
    """
    known = (hours < run_at) & np.isfinite(values)
    kept = known & (hours >= run_at - LONGEST_HISTORY * HOUR)
    if not kept.any():
        return None
    start = int(hours[kept].min())
    length = (run_at - start) // HOUR
    index = (hours[kept] - start) // HOUR
    counts = metric == COUNT_METRIC
    grid = np.full(length, 0.0 if counts else np.nan)
    grid[index] = values[kept]
    posts = np.zeros(length)
    posts[index] = values[kept] if counts or weights is None else weights[kept]
    if weights is None and not counts:
        posts[index] = 1.0
    scale: Scale = LogCounts()
    reliability = np.ones(length)
    if counts:
        unknown = unknown_hours(grid)
        for first, end in gaps:
            unknown[max((first - start) // HOUR, 0) : max((end - start) // HOUR, 0)] = True
        grid = np.where(unknown, np.nan, grid)
        if np.isnan(grid).all():
            return None
        first_known = int(np.flatnonzero(~np.isnan(grid))[0])
        start, grid, posts = start + first_known * HOUR, grid[first_known:], posts[first_known:]
        reliability = reliability[first_known:]
    else:
        seen = ~np.isnan(grid)
        total = float(posts[seen].sum())
        scale = SmoothedLogit(float((grid * posts)[seen].sum()) / total if total > 0 else 0.5)
        if weights is not None:
            reliability = np.clip(posts / FULL_TRUST_POSTS, 0.05, 1.0)
    grain = 1.0 if counts and bool((grid == np.round(grid))[~np.isnan(grid)].all()) else 0.0
    z = scale.forward(grid, posts)
    return History(start, grid, posts, scale, z, reliability, grain, counts)


def why_not(history: History | None) -> str | None:
    """Why there can be no forecast yet, or no more, in a line for a person; None if there can.

    >>> why_not(None)
    'no forecast yet: no hour with a value'
    """
    if history is None:
        return "no forecast yet: no hour with a value"
    known = np.flatnonzero(~np.isnan(history.values))
    days = (len(history) - int(known[0])) / DAY_HOURS
    if days < LEAST_DAYS:
        return f"no forecast yet: {days:.1f} days of history, and it takes {LEAST_DAYS}"
    if len(known) < LEAST_KNOWN:
        return f"no forecast yet: {len(known)} hours with a value, and it takes {LEAST_KNOWN}"
    silent = len(history) - 1 - int(known[-1])
    if history.is_count and silent >= ENDED_HOURS:
        return f"no forecast: no posts for {silent // DAY_HOURS} days, the topic has ended"
    return None
