"""One metric of one topic, judged hour by hour against its own season."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mltox.detection.families import Counts, Family, Hour, Proportions
from mltox.detection.scatter import Tail, adapt
from mltox.detection.season import Drift, Part, SeasonalState
from mltox.posts.records import Micros

WARM_UP_HOURS = 72
WINDOWS = (1, 4, 12)
"""Hours pooled for a judgement: one for a spike, more for a surge too small to show in an hour."""
LEAN, LEAN_WITHIN = 1.0, 1.5
"""Sigmas by which the hour itself must lean the way of its window: more within an incident, which
else would outlive the surge."""
REGIME_HOURS = 24
"""So many anomalous hours (normal ones count back) are a new normal, and no incident any more."""
BAND_STEPS = 40


@dataclass(frozen=True)
class DetectorSettings:
    """What a metric is, and when it is worth a person's attention.

    `threshold`, `warning`, `critical`: scores, in sigmas of the metric's own scatter.
    `least_change`: a smaller distance from the expected is never an anomaly (units of the metric).
    `least_posts`, `least_pooled`: fewer posts in the hour, or in the pooled hours, are no evidence.
    """

    family: Family
    drift: Drift
    least_change: float
    least_posts: float = 0.0
    least_pooled: float = 0.0
    threshold: float = 3.75
    warning: float = 4.75
    critical: float = 6.5


POSTS = DetectorSettings(
    family=Counts(),
    drift=Drift(Part(4.0, 1e-3), Part(0.3, 5e-4), Part(0.05, 1e-4), Part(0.05, 2e-3)),
    least_change=5.0,
)
TOXIC_SHARE = DetectorSettings(
    family=Proportions(discrete=True),
    drift=Drift(Part(4.0, 2e-4), Part(0.05, 2e-4), Part(0.01, 5e-5), Part(0.01, 2e-4)),
    least_change=0.02,
    least_posts=4.0,
    least_pooled=10.0,
)
# Few posts with high scores give a mean a longer tail than a share has: hence its own threshold.
MEAN_TOXICITY = DetectorSettings(
    family=Proportions(discrete=False),
    drift=Drift(Part(4.0, 2e-4), Part(0.05, 2e-4), Part(0.01, 5e-5), Part(0.01, 2e-4)),
    least_change=0.01,
    least_posts=4.0,
    least_pooled=10.0,
    threshold=4.0,
)


class Verdict(NamedTuple):
    """A judged hour. `score` is in sigmas, signed; `window` the hours pooled to reach it.

    `lower` and `upper` bound the values that would not have been anomalous in this hour.
    """

    observed: float
    expected: float
    lower: float
    upper: float
    score: float
    window: int
    anomalous: bool

    @property
    def direction(self) -> str:
        return "up" if self.score > 0 else "down"


class SeasonalDetector:
    """Judges an hour before it learns from it; learns little from what it calls anomalous.

    Warm-up: nothing is judged in the first 72 observed hours. The hour of the day is known after
    some days, the hour of the week grows out of it in the weeks that follow.

    >>> detector = SeasonalDetector(POSTS)
    >>> for hour in range(24 * 7):
    ...     _ = detector.observe(hour * 3_600_000_000, 50.0, 50.0)
    >>> detector.observe(24 * 7 * 3_600_000_000, 200.0, 200.0).anomalous
    True
    """

    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings
        self._season = SeasonalState(settings.drift)
        self._dispersion = settings.family.start
        self._tails = {
            (window, sign): Tail(start=1.5, rate=0.1) for window in WINDOWS for sign in (1, -1)
        }
        self._recent: deque[Hour] = deque(maxlen=max(*WINDOWS, REGIME_HOURS))
        self._seen = 0
        self._anomalous_hours = 0
        self._in_incident = False

    @property
    def warm(self) -> bool:
        return self._seen >= WARM_UP_HOURS

    def skip(self, hours: int = 1) -> None:
        """Hours without an observation: time passes, and certainty with it."""
        self._season.pass_time(hours)

    def expected(self, hour: Micros) -> float:
        return self.settings.family.mean(self._season.eta(hour))

    def observe(self, start: Micros, value: float, posts: float) -> Verdict | None:
        """Judges, then learns. None while warming up. `posts` > 0 where the value is a mean."""
        if self._seen == 0:
            self._season.level = self.settings.family.eta(value + 0.5 if posts == value else value)
        self._season.pass_time()
        hour = Hour(value, posts, self.expected(start), self._season.slot_variance(start))
        common = self._season.common_variance(start)
        surprises = self._surprises(hour, common)
        verdict = self._verdict(hour, common, surprises) if self.warm else None
        self._learn(start, hour, surprises, verdict)
        return verdict

    def _surprises(self, hour: Hour, common: float) -> dict[int, float]:
        """Sigmas for each window, before the tails are allowed for."""
        recent = [*self._recent, hour]
        family = self.settings.family
        return {
            window: family.surprise(recent[-window:], self._dispersion, common)
            for window in WINDOWS
            if window <= len(recent)
        }

    def _score(self, hour: Hour, surprises: dict[int, float]) -> tuple[float, int]:
        """The strongest allowed sigma, signed, with its window.

        A pooled window speaks only while the hour itself leans the same way: a surge that is over
        is over.
        """
        recent = [*self._recent, hour]
        now = surprises[1]
        lean = LEAN_WITHIN if self._in_incident else LEAN
        best = (now / self._scale(1, now), 1)
        if self._pooled_posts(recent[-1:]) < self.settings.least_pooled:
            best = (0.0, 1)
        for window, sigmas in surprises.items():
            if window == 1 or sigmas * now <= 0 or abs(now) < lean:
                continue
            if self._pooled_posts(recent[-window:]) < self.settings.least_pooled:
                continue
            score = sigmas / self._scale(window, sigmas)
            if abs(score) > abs(best[0]):
                best = (score, window)
        return best

    def _pooled_posts(self, hours: list[Hour]) -> float:
        return sum(hour.posts for hour in hours)

    def _scale(self, window: int, sigmas: float) -> float:
        return self._tails[window, 1 if sigmas > 0 else -1].scale

    def _is_anomalous(self, hour: Hour, score: float) -> bool:
        settings = self.settings
        return (
            abs(score) >= settings.threshold
            and abs(hour.value - hour.mean) >= settings.least_change
            and (hour.posts >= settings.least_posts)
        )

    def _verdict(self, hour: Hour, common: float, surprises: dict[int, float]) -> Verdict:
        score, window = self._score(hour, surprises)
        anomalous = self._is_anomalous(hour, score)
        lower, upper = self._band(hour, common) if anomalous else (math.nan, math.nan)
        return Verdict(hour.value, hour.mean, lower, upper, score, window, anomalous)

    def _band(self, hour: Hour, common: float) -> tuple[float, float]:
        """The outermost values that this hour could have had without being anomalous."""

        def normal(value: float) -> bool:
            there = hour._replace(value=value)
            score, _ = self._score(there, self._surprises(there, common))
            return not self._is_anomalous(there, score)

        highest = self.settings.family.highest(hour)
        return (
            _edge(normal, inside=hour.mean, outside=0.0),
            _edge(normal, inside=hour.mean, outside=highest),
        )

    def _learn(
        self,
        start: Micros,
        hour: Hour,
        surprises: dict[int, float],
        verdict: Verdict | None,
    ) -> None:
        family, anomalous = self.settings.family, verdict is not None and verdict.anomalous
        variance = self._season.variance(start)
        reach = 1.0 if anomalous else 3.0
        credible = family.clip(hour, self._dispersion, variance, reach)
        noise = family.variance(hour.mean, hour.posts, self._dispersion)
        self._season.learn(start, family.step(credible, self._dispersion, variance), noise)
        for window, sigmas in surprises.items():
            for sign in (1, -1):
                self._tails[window, sign].learn(sign * sigmas)
        self._adapt_dispersion(hour, noise, variance)
        self._remember(hour, anomalous)
        self._seen += 1
        self._follow_regime(anomalous)

    def _adapt_dispersion(self, hour: Hour, noise: float, variance: float) -> None:
        family = self.settings.family
        slope = family.variance(hour.mean, hour.posts, self._dispersion._replace(between=0.0))
        sigmas = family.residual(hour) / math.sqrt(noise + variance)
        rate = max(0.02, 1.0 / (self._seen + 10))
        self._dispersion = adapt(self._dispersion, family.bounds, sigmas, 1.0 - slope / noise, rate)

    def _remember(self, hour: Hour, anomalous: bool) -> None:
        """Pooling begins anew after an incident, or its hours would alarm once more."""
        if self._in_incident and not anomalous:
            self._recent.clear()
        self._recent.append(hour)
        self._in_incident = anomalous

    def _follow_regime(self, anomalous: bool) -> None:
        self._anomalous_hours = max(0, self._anomalous_hours + (1 if anomalous else -1))
        if self._anomalous_hours >= REGIME_HOURS:
            family = self.settings.family
            whole = family.pooled(self._recent)
            seen = whole.value + (0.5 if whole.value == 0 else 0.0)
            self._season.restart_level(family.eta(seen) - family.eta(whole.mean))
            self._anomalous_hours = 0
            self._recent.clear()


def _edge(normal: Callable[[float], bool], inside: float, outside: float) -> float:
    """Bisection: the last value, going from `inside` to `outside`, that is normal."""
    if normal(outside):
        return outside
    for _ in range(BAND_STEPS):
        middle = (inside + outside) / 2
        if normal(middle):
            inside = middle
        else:
            outside = middle
    return inside
