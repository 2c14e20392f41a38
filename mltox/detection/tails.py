"""From a statistic to a rate: how often a normal series goes so far.

Peaks over a threshold (Davison, Smith 1990), as Siffer et al. (2017) use them on streams (SPOT),
with three differences. Peaks are declustered first, since a rate of incidents is meant and not of
hours. They are squared, since the squared tail of a maximum of normal sigmas is exponential, so
that the shape has little left to learn. And a prior of some peaks, learnt on many series, judges
the first days, when a series has no tail yet.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

MONTH_HOURS = 720
FROM = 2.0
"""Sigmas from which an hour belongs to a peak."""
APART = 12
"""Hours below that, after which a peak is over."""
CAP = 0.1 / MONTH_HOURS
"""What is rarer teaches as if it were that rare: real incidents are no part of the normal tail."""
TAIL_MEMORY_HOURS = 2880.0
"""What is known weighs as much as four months at most."""
SHAPES = (0.02, 0.35)
_NORMAL = NormalDist()


class TailPrior(NamedTuple):
    """Peaks an hour, and the mean of their squares beyond that of the threshold."""

    rate: float
    excess: float
    shape: float = 0.05
    peaks: float = 10.0


class Tail:
    """Peaks of one side of a statistic, and the generalised Pareto tail through their squares.

    >>> tail = Tail(TailPrior(1 / 42, 3.5))
    >>> tail.level(1 / 720) < tail.level(0.1 / 720)
    True
    >>> abs(tail.rate(tail.level(1 / 720)) * 720 - 1) < 1e-9
    True
    """

    def __init__(self, prior: TailPrior) -> None:
        self.hours = prior.peaks / prior.rate
        self.peaks = prior.peaks
        self.total = prior.peaks * prior.excess
        second = (1.0 - prior.shape) / (1.0 - 2.0 * prior.shape)
        self.squares = prior.peaks * 2.0 * prior.excess**2 * second
        self.highest = 0.0
        self.quiet = 0

    def _shape(self) -> float:
        """By moments, within what is believed."""
        mean = self.total / self.peaks
        variance = self.squares / self.peaks - mean * mean
        low, high = SHAPES
        return min(max(0.5 * (1.0 - mean * mean / variance), low), high) if variance > 0 else low

    def _excess(self, rate: float) -> float:
        often = self.peaks / self.hours
        if rate >= often:
            return 0.0
        shape = self._shape()
        scale = self.total / self.peaks * (1.0 - shape)
        return scale / shape * float((often / rate) ** shape - 1.0)

    def level(self, rate: float) -> float:
        """The sigmas that a normal series passes `rate` times an hour."""
        return math.sqrt(FROM * FROM + self._excess(rate))

    def rate(self, sigmas: float) -> float:
        """Times an hour that a normal series goes so far or farther, once it is beyond `FROM`."""
        often = self.peaks / self.hours
        beyond = sigmas * sigmas - FROM * FROM
        if sigmas <= FROM:
            return often
        shape = self._shape()
        scale = self.total / self.peaks * (1.0 - shape)
        return often * float((1.0 + shape * beyond / scale) ** (-1.0 / shape))

    def learn(self, sigmas: float) -> None:
        """An hour of the statistic, anomalous or not."""
        self.hours += 1.0
        if sigmas > FROM:
            self.quiet = 0
            if sigmas > self.highest:
                self.highest = sigmas
        elif self.highest:
            self.quiet += 1
            if self.quiet >= APART:
                self._end_peak()

    def _end_peak(self) -> None:
        excess = min(self.highest**2 - FROM**2, self._excess(CAP))
        self.peaks += 1.0
        self.total += excess
        self.squares += excess * excess
        self.highest = 0.0
        kept = min(1.0, TAIL_MEMORY_HOURS / self.hours)
        self.hours *= kept
        self.peaks *= kept
        self.total *= kept
        self.squares *= kept


def sigmas_of(rate: float) -> float:
    """An hourly rate as the sigmas of a normal deviate that is exceeded as often.

    >>> round(sigmas_of(1 / 720), 2)
    2.99
    """
    return -_NORMAL.inv_cdf(min(max(rate, 1e-300), 0.5))
