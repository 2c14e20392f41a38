"""`p_anomaly`: the chance that the detector will flag an hour, too high or too low.

Where the detector would draw its line in the hours to come is not known today, for it goes on
learning. So the line is put where the history says: at a distance from the profile of the week
that as many hours of the history passed as were flagged in it. The forecast's chance of
passing the line is then scaled by what the backtest claimed in this way and what was flagged.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mltox.forecasting.backtest import Backtest
from mltox.forecasting.history import NORMAL_LEVELS, WEEK_HOURS, History
from mltox.forecasting.methods.ridge import fit_profile
from mltox.forecasting.scales import Floats

PRIOR_FLAGS = 2.0
"""Flags' worth of belief that the claims of an unscaled forecast are twice what comes."""
PRIOR_RATIO = 0.5
UNSEEN = 0.5
"""Flags counted beside those that were, so that a first one has a chance."""


class DetectionLine(NamedTuple):
    """Distances above and below the profile (168,) of the week, all on the history's scale."""

    profile: Floats
    above: float
    below: float


def line_of(history: History, flagged: NDArray[np.int64]) -> DetectionLine:
    """`flagged` (n,): 1, -1 or 0 for each hour of the history."""
    profile = fit_profile(history).profile
    distance = history.z - profile[history.phases(WEEK_HOURS)]
    seen = distance[~np.isnan(distance)]
    return DetectionLine(
        profile,
        _passed_by(seen, int((flagged > 0).sum())),
        _passed_by(-seen, int((flagged < 0).sum())),
    )


def chances(
    history: History,
    backtest: Backtest,
    past: Floats,
    coming: Floats,
    flagged: NDArray[np.int64],
) -> Floats:
    """Array (horizon,) of probabilities, of the pooled quantiles `past` and `coming`."""
    line = line_of(history, flagged)
    near = past.shape[1]
    claimed, came = 0.0, 0.0
    for end, quantiles in zip(backtest.origins, past, strict=True):
        claims = _passing(history.before(end), quantiles, line)
        seen = ~np.isnan(history.values[end : end + near])
        claimed += float(claims[seen].sum())
        came += float(np.abs(flagged[end : end + near]).sum())
    ratio = (came + PRIOR_FLAGS * PRIOR_RATIO) / (claimed + PRIOR_FLAGS)
    return np.clip(min(ratio, 1.0) * _passing(history, coming, line), 0.0, 1.0)


def _passed_by(distance: Floats, count: int) -> float:
    """What `count` of the distances exceed (and half a one more, beyond the greatest)."""
    ordered = np.sort(distance)[::-1]
    if count == 0 or len(ordered) < 2:
        spread = float(np.std(distance)) if len(distance) else 0.0
        top = float(ordered[0]) if len(ordered) else 0.0
        return max(top, 0.0) + max(UNSEEN * spread, 1e-6)
    last = min(count, len(ordered) - 1)
    return max(float(ordered[last - 1] + ordered[last]) / 2.0, 1e-6)


def _passing(before: History, quantiles: Floats, line: DetectionLine) -> Floats:
    """The chance (h,) that each hour after `before` passes the line on either side."""
    horizon = len(quantiles)
    z = before.scale.forward(quantiles, before.posts_ahead(horizon)[:, None])
    middle = line.profile[before.phases(WEEK_HOURS, horizon)[len(before) :]]
    above = 1.0 - _below(z, middle + line.above)
    return above + _below(z, middle - line.below)


def _below(quantiles: Floats, threshold: Floats) -> Floats:
    """The probability below the threshold: normal between the quantiles, and beyond the outer ones
    as the outer half of the band goes on."""
    result = np.empty(len(threshold))
    for i, (row, value) in enumerate(zip(quantiles, threshold.tolist(), strict=True)):
        if value > row[4]:
            slope = (NORMAL_LEVELS[4] - NORMAL_LEVELS[2]) / max(row[4] - row[2], 1e-6)
            normal = NORMAL_LEVELS[4] + (value - row[4]) * slope
        elif value < row[0]:
            slope = (NORMAL_LEVELS[2] - NORMAL_LEVELS[0]) / max(row[2] - row[0], 1e-6)
            normal = NORMAL_LEVELS[0] - (row[0] - value) * slope
        else:
            normal = float(np.interp(value, row, NORMAL_LEVELS))
        result[i] = 0.5 * math.erfc(-normal / math.sqrt(2.0))
    return result
