"""Whether the last hours are a new level: since when, and how high.

A surge rises, peaks and ebbs away; a new level stays. The change point is that of the greatest
likelihood; from it on, the beginning, the middle and the end must agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from mltox.detection.windows import Reading

LEAST_LEVEL_HOURS = 8
LEAST_READINGS = 3
AGREE = (0.45, 1.8)
"""Each third's shift over that of the whole."""


def _shift(hours: Sequence[Reading]) -> float:
    return sum(h.value for h in hours) / sum(h.mean for h in hours) - 1.0


def level_since(hours: Sequence[Reading], sign: int) -> int | None:
    """The index of the new level's first hour, or None where it is none (yet).

    `hours`: oldest first, the last is the present one; `sign`: 1 looks for a rise, -1 for a fall.

    >>> def flat(index, value):
    ...     return Reading(index, value, 1.0, 50.0, 0.0, 0.0, 50.0, 0.0)
    >>> level_since([flat(i, 75.0 if i >= 10 else 50.0) for i in range(18)], 1)
    10
    >>> level_since([flat(i, 75.0 if i >= 10 else 50.0) for i in range(17)], 1) is None
    True
    """
    value = mean = 0.0
    best, begin = 0.0, len(hours)
    for start in range(len(hours) - 1, -1, -1):
        value += hours[start].value
        mean += hours[start].mean
        shift = value / mean - 1.0
        likelihood = shift * shift * (len(hours) - start)
        if shift * sign > 0 and likelihood > best:
            best, begin = likelihood, start
    run = hours[begin:]
    if len(run) < LEAST_READINGS or run[-1].hour - run[0].hour + 1 < LEAST_LEVEL_HOURS:
        return None
    third = len(run) // 3
    whole = _shift(run) * sign
    low, high = AGREE
    parts = (run[:third], run[third:-third], run[-third:])
    if all(low * whole <= _shift(part) * sign <= high * whole for part in parts):
        return run[0].hour
    return None
