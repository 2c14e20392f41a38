"""Bands of a path, out of the errors that it made.

Split conformal prediction without its guarantee: hours of one origin depend on each other. Vovk,
Gammerman, Shafer (2005), Algorithmic learning in a random world.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mltox.forecasting.history import DAY_HOURS, LEVELS, NORMAL_LEVELS
from mltox.forecasting.scales import Floats

POOLING = 200.0
"""Weight, in hours, of all leads' mean error within the mean error of a day of leads."""
LEAST_ERRORS = 20


class Bands(NamedTuple):
    """Distances of the LEVELS from the path: `past` (K, h, 5) by origin, `coming` (h, 5).

    Those of an origin are out of the other origins' errors.
    """

    past: Floats
    coming: Floats


# Student's t over the normal at the LEVELS, by degrees of freedom: 1 + a / df + b / df^2.
def _inflation(blocks: float) -> Floats:
    """Factors (5,) on the LEVELS: so few independent errors say less of the tails than many."""
    df = max(blocks, 2.0)
    normal = np.array(NORMAL_LEVELS)
    return np.asarray(1.0 + (normal**2 + 1.0) / (4.0 * df))


def around(errors: Floats, blocks: float) -> Bands:
    """`errors` (K, h), observed less path, NaN where nothing was observed.

    The middle moves too: by the median of the errors. `blocks` is how many horizons without
    overlap the origins span.
    """
    widths = _widths(errors)
    scaled = errors / widths
    count = len(errors)
    past = [
        _levels(np.delete(scaled, left_out, axis=0) if count > 1 else scaled)
        for left_out in range(count)
    ]
    shape = np.stack(past)
    more = _inflation(blocks)
    return Bands(
        shape[:, None] * widths[None, :, None] * more,
        _levels(scaled)[None] * widths[:, None] * more,
    )


def _levels(errors: Floats) -> Floats:
    seen = errors[~np.isnan(errors)]
    return np.quantile(seen, LEVELS) if len(seen) >= LEAST_ERRORS else np.zeros(len(LEVELS))


def _widths(errors: Floats) -> Floats:
    """Array (h,): the mean error at a lead over that at all leads, a day's leads alike."""
    size = np.abs(errors)
    seen = ~np.isnan(size)
    whole = float(size[seen].mean()) if seen.any() else 0.0
    result = np.ones(errors.shape[1])
    if whole <= 0:
        return result
    days = np.arange(errors.shape[1]) // DAY_HOURS
    for day in range(int(days[-1]) + 1):
        near = np.abs(days - day) <= 1
        count = int(seen[:, near].sum())
        own = float(size[:, near][seen[:, near]].mean()) if count else whole
        result[days == day] = (count * own / whole + POOLING) / (count + POOLING)
    return result
