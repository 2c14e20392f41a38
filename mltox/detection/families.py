"""What kind of number a metric is: how it scatters, how surprising a value is, what it teaches.

A family works on its link scale `eta` (log for counts, logit for proportions), where the seasonal
state is additive. An `Expectation` pools one or several hours that end with the one being judged,
so that a small surge that lasts is seen as well as a great one that does not.

References
----------
West, Harrison, Migon (1985), Dynamic generalized linear models and Bayesian forecasting, JASA 80.
Pierce, Schafer (1986), Residuals in generalized linear models, JASA 81: signed roots of the
deviance, with a continuity correction, are close to normal far into the tails.
"""

from __future__ import annotations

import math
from collections.abc import Collection
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


class Hour(NamedTuple):
    """An observed hour beside what was expected of it. `posts` is what the value averages over.

    `slack` is the variance on the link scale of what is not known of this very hour's season; what
    is not known of the level is common to neighbouring hours and given apart.
    """

    value: float
    posts: float
    mean: float
    slack: float = 0.0


class Family(Protocol):
    """The arithmetic of one kind of metric."""

    start: ClassVar[Dispersion]

    @property
    def bounds(self) -> tuple[Dispersion, Dispersion]:
        """Least and greatest dispersion that is believed; a flat line gets the least."""

    def highest(self, hour: Hour) -> float:
        """A value beyond all that a band can need."""

    def residual(self, hour: Hour) -> float:
        """Distance from the mean on the link scale, to first order."""

    def eta(self, mean: float) -> float: ...

    def mean(self, eta: float) -> float: ...

    def variance(self, mean: float, posts: float, dispersion: Dispersion) -> float:
        """Variance of an hour on the link scale, to first order."""

    def pooled(self, hours: Collection[Hour]) -> Hour:
        """Several hours as one."""

    def surprise(
        self, hours: Collection[Hour], dispersion: Dispersion, level_variance: float
    ) -> float:
        """Signed sigmas by which the hours, pooled, leave what was expected of them."""

    def step(self, hour: Hour, dispersion: Dispersion, state_variance: float) -> float:
        """By how much the state's eta moves after this hour (conjugate posterior mean)."""

    def clip(self, hour: Hour, dispersion: Dispersion, state_variance: float, k: float) -> Hour:
        """The hour with its value drawn to within k sigmas of its mean."""


def _signed_root(deviance: float, sign: float) -> float:
    return math.copysign(math.sqrt(max(deviance, 0.0)), sign)


def _toward(value: float, mean: float, half: float) -> float:
    """The continuity correction: `half` nearer to the mean, never past it."""
    return mean if abs(value - mean) <= half else value - math.copysign(half, value - mean)


@dataclass(frozen=True)
class Counts:
    """Overdispersed counts (negative binomial), log link.

    >>> Counts().surprise([Hour(30, 30, 10.0)], Dispersion(1.0, 0.01), 0.0) > 4
    True
    """

    start: ClassVar[Dispersion] = Dispersion(1.0, 0.1)

    @property
    def bounds(self) -> tuple[Dispersion, Dispersion]:
        return Dispersion(1.0, 0.01), Dispersion(1.0, 4.0)

    def highest(self, hour: Hour) -> float:
        return max(10.0 * hour.mean, 2.0 * hour.value, 100.0)

    def residual(self, hour: Hour) -> float:
        return (hour.value - hour.mean) / hour.mean

    def eta(self, mean: float) -> float:
        return min(max(math.log(max(mean, 1e-9)), ETA_COUNTS[0]), ETA_COUNTS[1])

    def mean(self, eta: float) -> float:
        return math.exp(min(max(eta, ETA_COUNTS[0]), ETA_COUNTS[1]))

    def variance(self, mean: float, posts: float, dispersion: Dispersion) -> float:
        return 1.0 / mean + dispersion.between

    def pooled(self, hours: Collection[Hour]) -> Hour:
        value = sum(hour.value for hour in hours)
        return Hour(value, value, sum(hour.mean for hour in hours))

    def surprise(
        self, hours: Collection[Hour], dispersion: Dispersion, level_variance: float
    ) -> float:
        whole = self.pooled(hours)
        own = sum(hour.mean**2 * (dispersion.between + hour.slack) for hour in hours)
        k = 1.0 / (own / whole.mean**2 + level_variance)
        y, mu = _toward(whole.value, whole.mean, 0.5), whole.mean
        gain = y * math.log(y / mu) if y > 0 else 0.0
        return _signed_root(2.0 * (gain - (y + k) * math.log((y + k) / (mu + k))), y - mu)

    def step(self, hour: Hour, dispersion: Dispersion, state_variance: float) -> float:
        weight = 1.0 / (1.0 + dispersion.between * hour.mean)
        prior = 1.0 / state_variance
        return math.log((prior + weight * hour.value) / (prior + weight * hour.mean))

    def clip(self, hour: Hour, dispersion: Dispersion, state_variance: float, k: float) -> Hour:
        sigma = hour.mean * math.sqrt(
            self.variance(hour.mean, hour.posts, dispersion) + state_variance
        )
        low, high = max(hour.mean - k * sigma, 0.0), hour.mean + k * sigma
        return hour._replace(value=min(max(hour.value, low), high))


@dataclass(frozen=True)
class Proportions:
    """Values in [0, 1] that average over posts, logit link.

    `discrete` is true for a share (a whole number of posts), false for a mean of scores. Posts that
    repeat each other make `sampling` greater than 1: it is the design effect of the sample.

    >>> Proportions().surprise([Hour(2 / 3, 3, 0.1)], Dispersion(1.0, 0.001), 0.0) < 3
    True
    """

    discrete: bool = True
    start: ClassVar[Dispersion] = Dispersion(1.0, 0.005)

    @property
    def bounds(self) -> tuple[Dispersion, Dispersion]:
        return Dispersion(1.0 if self.discrete else 0.05, 0.0005), Dispersion(5.0, 0.5)

    def highest(self, hour: Hour) -> float:
        return 1.0

    def residual(self, hour: Hour) -> float:
        return (hour.value - hour.mean) / (hour.mean * (1.0 - hour.mean))

    def eta(self, mean: float) -> float:
        inside = min(max(mean, 1e-9), 1.0 - 1e-9)
        return min(max(math.log(inside / (1.0 - inside)), ETA_PROPORTIONS[0]), ETA_PROPORTIONS[1])

    def mean(self, eta: float) -> float:
        return 1.0 / (1.0 + math.exp(-min(max(eta, ETA_PROPORTIONS[0]), ETA_PROPORTIONS[1])))

    def variance(self, mean: float, posts: float, dispersion: Dispersion) -> float:
        return (dispersion.sampling / posts + dispersion.between) / (mean * (1.0 - mean))

    def pooled(self, hours: Collection[Hour]) -> Hour:
        posts = sum(hour.posts for hour in hours)
        value = sum(hour.value * hour.posts for hour in hours) / posts
        return Hour(value, posts, sum(hour.mean * hour.posts for hour in hours) / posts)

    def surprise(
        self, hours: Collection[Hour], dispersion: Dispersion, level_variance: float
    ) -> float:
        whole = self.pooled(hours)
        m = whole.mean
        bernoulli = m * (1.0 - m)
        own = sum(hour.posts**2 * (dispersion.between + bernoulli * hour.slack) for hour in hours)
        per_post = dispersion.sampling / whole.posts + own / whole.posts**2
        effective = 1.0 / (per_post + bernoulli * level_variance)
        half = 0.5 / whole.posts if self.discrete else 0.0
        p = min(max(_toward(whole.value, m, half), 0.0), 1.0)
        above = p * math.log(p / m) if p > 0 else 0.0
        below = (1.0 - p) * math.log((1.0 - p) / (1.0 - m)) if p < 1 else 0.0
        return _signed_root(2.0 * effective * (above + below), p - m)

    def step(self, hour: Hour, dispersion: Dispersion, state_variance: float) -> float:
        effective = 1.0 / (dispersion.sampling / hour.posts + dispersion.between)
        prior = 1.0 / (hour.mean * (1.0 - hour.mean) * state_variance)
        mean = (prior * hour.mean + effective * hour.value) / (prior + effective)
        return self.eta(mean) - self.eta(hour.mean)

    def clip(self, hour: Hour, dispersion: Dispersion, state_variance: float, k: float) -> Hour:
        m = hour.mean
        spread = self.variance(m, hour.posts, dispersion) + state_variance
        sigma = m * (1.0 - m) * math.sqrt(spread)
        low, high = max(m - k * sigma, 0.0), min(m + k * sigma, 1.0)
        return hour._replace(value=min(max(hour.value, low), high))
