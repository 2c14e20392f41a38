"""What kind of number a metric is: how it scatters, how surprising a value is, what it teaches.

A family works on its link scale `eta` (log for counts, logit for proportions), where the seasonal
state is additive. Hours are pooled as sums, so that a small surge that lasts is seen as well as a
great one that does not.

References
----------
West, Harrison, Migon (1985), Dynamic generalized linear models and Bayesian forecasting, JASA 80.
Pierce, Schafer (1986), Residuals in generalized linear models, JASA 81: signed roots of the
deviance, with a continuity correction, are close to normal far into the tails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

ETA_COUNTS = (-7.0, 20.0)
ETA_PROPORTIONS = (-9.0, 9.0)


class Dispersion(NamedTuple):
    """Scatter around the mean: `sampling` from few posts, `between` from hour to hour.

    Counts: variance = mean + between * mean^2 (negative binomial; sampling is 1).
    Proportions of n posts: variance = m (1 - m) (sampling / n + between) (beta-binomial shape).
    """

    sampling: float
    between: float


class Sums(NamedTuple):
    """Hours pooled. `weight`: hours of counts, posts of proportions.

    `value` and `mean` are what was seen and what was expected, in posts; `square` is the sum of the
    squared weights by which what moves a whole hour counts; `slack` the same, each times the
    variance (link scale) of what is not known of that very hour.
    """

    value: float
    weight: float
    mean: float
    square: float
    slack: float


class Family(Protocol):
    """The arithmetic of one kind of metric. Variances are on the link scale, but `Dispersion`."""

    start: ClassVar[Dispersion]

    @property
    def bounds(self) -> tuple[Dispersion, Dispersion]:
        """Least and greatest dispersion that is believed; a flat line gets the least."""

    def accepts(self, value: float, posts: float) -> bool:
        """Whether it is a value of this kind at all."""

    def hour(self, value: float, posts: float, mean: float, slack: float) -> Sums:
        """A single hour."""

    def eta(self, mean: float) -> float: ...

    def mean(self, eta: float) -> float: ...

    def residual(self, value: float, mean: float) -> float:
        """Distance from the mean on the link scale, to first order."""

    def link(self, mean: float) -> float:
        """What turns a variance `between` hours into one on the link scale."""

    def sampling(self, mean: float, posts: float, sampling: float) -> float:
        """Variance that an hour has for its posts are few."""

    def surprise(
        self,
        value: float,
        weight: float,
        mean: float,
        square: float,
        slack: float,
        sampling: float,
        between: float,
        common: float,
    ) -> float:
        """Signed sigmas by which pooled hours (the fields of `Sums`) leave what was expected.

        `between` is the dispersion of hours, `common` a variance that they share.
        """

    def step(
        self, value: float, posts: float, mean: float, dispersion: Dispersion, variance: float
    ) -> float:
        """By how much a state of the given variance moves after this hour (conjugate mean)."""

    def clip(self, value: float, mean: float, reach: float) -> float:
        """The value, drawn to within `reach` of the mean (link scale, to first order)."""

    def highest(self, value: float, mean: float) -> float:
        """A value beyond all that a band can need."""


@dataclass(frozen=True)
class CountFamily:
    """Overdispersed counts (negative binomial), log link.

    >>> CountFamily().surprise(*CountFamily().hour(30, 30, 10.0, 0.0), 1.0, 0.01, 0.0) > 4
    True
    """

    start: ClassVar[Dispersion] = Dispersion(1.0, 0.08)
    bounds: ClassVar[tuple[Dispersion, Dispersion]] = (Dispersion(1.0, 0.002), Dispersion(1.0, 4.0))

    def accepts(self, value: float, posts: float) -> bool:
        return 0.0 <= value < math.inf

    def hour(self, value: float, posts: float, mean: float, slack: float) -> Sums:
        square = mean * mean
        return Sums(value, 1.0, mean, square, square * slack)

    def eta(self, mean: float) -> float:
        return min(max(math.log(max(mean, 1e-9)), ETA_COUNTS[0]), ETA_COUNTS[1])

    def mean(self, eta: float) -> float:
        return math.exp(min(max(eta, ETA_COUNTS[0]), ETA_COUNTS[1]))

    def residual(self, value: float, mean: float) -> float:
        return (value - mean) / mean

    def link(self, mean: float) -> float:
        return 1.0

    def sampling(self, mean: float, posts: float, sampling: float) -> float:
        return 1.0 / mean

    def surprise(
        self,
        value: float,
        weight: float,
        mean: float,
        square: float,
        slack: float,
        sampling: float,
        between: float,
        common: float,
    ) -> float:
        k = 1.0 / max((between * square + slack) / (mean * mean) + common, 1e-9)
        away = value - mean
        if -0.5 <= away <= 0.5:
            return 0.0
        y = value - 0.5 if away > 0 else value + 0.5
        deviance = 2.0 * (y * math.log(y / mean) - (y + k) * math.log((y + k) / (mean + k)))
        if deviance <= 0.0:
            return 0.0
        return math.sqrt(deviance) if away > 0 else -math.sqrt(deviance)

    def step(
        self, value: float, posts: float, mean: float, dispersion: Dispersion, variance: float
    ) -> float:
        weight = 1.0 / (1.0 + dispersion.between * mean)
        prior = 1.0 / variance
        return math.log((prior + weight * value) / (prior + weight * mean))

    def clip(self, value: float, mean: float, reach: float) -> float:
        return min(max(value, mean * max(1.0 - reach, 0.0)), mean * (1.0 + reach))

    def highest(self, value: float, mean: float) -> float:
        return max(10.0 * mean, 2.0 * value, 100.0)


_SHARE_BOUNDS = (Dispersion(1.0, 0.0002), Dispersion(5.0, 0.5))
_MEAN_BOUNDS = (Dispersion(0.05, 0.0002), Dispersion(5.0, 0.5))


@dataclass(frozen=True)
class Proportions:
    """Values in [0, 1] that average over posts, logit link.

    `discrete` is true for a share (a whole number of posts), false for a mean of scores. Posts that
    repeat each other make `sampling` greater than 1: it is the design effect of the sample.

    >>> Proportions().surprise(*Proportions().hour(2 / 3, 3, 0.1, 0.0), 1.0, 0.001, 0.0) < 3
    True
    """

    discrete: bool = True
    start: ClassVar[Dispersion] = Dispersion(1.0, 0.004)

    @property
    def bounds(self) -> tuple[Dispersion, Dispersion]:
        return _SHARE_BOUNDS if self.discrete else _MEAN_BOUNDS

    def accepts(self, value: float, posts: float) -> bool:
        return 0.0 <= value <= 1.0 and 0.0 < posts < math.inf

    def hour(self, value: float, posts: float, mean: float, slack: float) -> Sums:
        square = posts * posts
        return Sums(value * posts, posts, mean * posts, square, square * slack)

    def eta(self, mean: float) -> float:
        inside = min(max(mean, 1e-9), 1.0 - 1e-9)
        return min(max(math.log(inside / (1.0 - inside)), ETA_PROPORTIONS[0]), ETA_PROPORTIONS[1])

    def mean(self, eta: float) -> float:
        return 1.0 / (1.0 + math.exp(-min(max(eta, ETA_PROPORTIONS[0]), ETA_PROPORTIONS[1])))

    def residual(self, value: float, mean: float) -> float:
        return (value - mean) / (mean * (1.0 - mean))

    def link(self, mean: float) -> float:
        return 1.0 / (mean * (1.0 - mean))

    def sampling(self, mean: float, posts: float, sampling: float) -> float:
        return sampling / posts / (mean * (1.0 - mean))

    def surprise(
        self,
        value: float,
        weight: float,
        mean: float,
        square: float,
        slack: float,
        sampling: float,
        between: float,
        common: float,
    ) -> float:
        m, p = mean / weight, value / weight
        bernoulli = m * (1.0 - m)
        per_post = sampling / weight + (between * square + bernoulli * slack) / (weight * weight)
        effective = 1.0 / (per_post + bernoulli * common)
        away = p - m
        if self.discrete:  # the continuity correction: half a post nearer to the mean, not past it
            half = 0.5 / weight
            if -half <= away <= half:
                return 0.0
            p = p - half if away > 0 else p + half
        p = min(max(p, 0.0), 1.0)
        above = p * math.log(p / m) if p > 0 else 0.0
        below = (1.0 - p) * math.log((1.0 - p) / (1.0 - m)) if p < 1 else 0.0
        deviance = 2.0 * effective * (above + below)
        if deviance <= 0.0:
            return 0.0
        return math.sqrt(deviance) if away > 0 else -math.sqrt(deviance)

    def step(
        self, value: float, posts: float, mean: float, dispersion: Dispersion, variance: float
    ) -> float:
        effective = 1.0 / (dispersion.sampling / posts + dispersion.between)
        prior = 1.0 / (mean * (1.0 - mean) * variance)
        return self.eta((prior * mean + effective * value) / (prior + effective)) - self.eta(mean)

    def clip(self, value: float, mean: float, reach: float) -> float:
        width = mean * (1.0 - mean) * reach
        return min(max(value, mean - width, 0.0), mean + width, 1.0)

    def highest(self, value: float, mean: float) -> float:
        return 1.0
