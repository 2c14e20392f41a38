"""The last day of hours beside what was expected of them, pooled over windows of 1 to 24 hours.

Each hour has two expectations. The reference is slow: it has not heard of the last day, so that a
shift that lasts is not taken for normal while it is still being judged. The nowcast follows what
the hours before were like, so that an hour stands out of a busy day. Windows over the reference
find what lasts, windows over the nowcast what comes suddenly: together a generalised likelihood
ratio over when it began.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from mltox.detection.families import Family
from mltox.detection.nowcast import inflation

LONGEST_WINDOW = 24
SLOW = (1, 2, 4, 8, 12, 24)
SUDDEN = (1, 3)
WINDOWS = SLOW + SUDDEN
WIDTH_WINDOW = 2
"""Of `WINDOWS`: that of four hours, by which the width of a series is learnt."""
LEAST_FILLED = 0.75
"""The part of a window that must have passed since the first hour of the record."""
_NEXT_SLOW = (*SLOW, 1 << 60)
_NEXT_SUDDEN = (*SUDDEN, 1 << 60)
_SLOWS = len(SLOW)
_INFLATION = tuple(inflation(hours) for hours in SLOW)


class Reading(NamedTuple):
    """An hour of the record. `hour` counts hours; `near` and what follows is of the nowcast."""

    hour: int
    value: float
    weight: float
    mean: float
    square: float
    slack: float
    near: float
    near_slack: float


class Record:
    """The hours of the last day that have an observation, oldest first."""

    def __init__(self) -> None:
        self.hours: deque[Reading] = deque(maxlen=LONGEST_WINDOW)

    def add(self, reading: Reading) -> None:
        self.hours.append(reading)

    def clear(self) -> None:
        self.hours.clear()

    def since(self, index: int) -> list[Reading]:
        """The hours from `index` on."""
        return [hour for hour in self.hours if hour.hour >= index]

    def surprises(
        self,
        now: Reading,
        family: Family,
        sampling: float,
        lone: float,
        bursty: float,
        common: float,
    ) -> list[float]:
        """Sigmas of `WINDOWS` that end with `now`, 0 where the record does not reach so far.

        `lone` and `bursty`: dispersion between hours that resemble their neighbours or do not;
        `common`: the variance (link scale) of the reference's level.
        """
        value = weight = mean = square = slack = near = near_slack = 0.0
        found = [0.0] * len(WINDOWS)
        hours, surprise, last = self.hours, family.surprise, now.hour
        first, left = last, len(hours)
        hour = now
        slow = sudden = 0
        while True:
            _, v, w, m, q, s, n, t = hour
            value += v
            weight += w
            mean += m
            square += q
            slack += s
            near += n
            near_slack += t
            left -= 1
            if left >= 0:
                hour = hours[left]
                age = last - hour[0]
            else:  # a window that the record fills in part counts where most of it has passed
                age = int((last - first + 1) / LEAST_FILLED)
            while _NEXT_SLOW[slow] <= age:
                spread = lone + bursty * _INFLATION[slow]
                found[slow] = surprise(value, weight, mean, square, slack, sampling, spread, common)
                slow += 1
            while _NEXT_SUDDEN[sudden] <= age:
                found[_SLOWS + sudden] = surprise(
                    value, weight, near, 0.0, near_slack, sampling, 0.0, 0.0
                )
                sudden += 1
            if left < 0 or slow == _SLOWS:
                return found
            first = hour[0]
