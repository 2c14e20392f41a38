"""The hours of a finished collection, judged when all of them are known.

A collection of an event begins with the event: whoever judges an hour from those before it alone
has nothing to say of the first days. Here the whole span is the measure, the hours after an hour
like those before it. Verdicts carry the detector `retrospective`; what was said at the time stays
beside them.

- The level is piecewise constant: change points by binary segmentation (Scott and Knott 1974) over
  hours that are clipped, so that a spike is none, each piece a day long at least; with two weeks of
  hours the hour of the day is taken out first.
- Posts are judged as logarithms, for surges multiply; shares by the square root of their sampling
  error and of how much ordinary hours differ beyond it.
- The scatter is the median absolute deviation, scaled to a standard deviation (Rousseeuw and Croux,
  1993): half of the hours may be unusual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mltox.posts.records import HOUR, Micros

DETECTOR = "retrospective"
LEAST_OBSERVED_HOURS = 12
"""Observed hours below which there is no measure at all."""
LEAST_PIECE = 24
SEASON_HOURS = 14 * 24
THRESHOLD, WARNING, CRITICAL = 4.0, 5.0, 7.0
THRESHOLD_DOWN = 5.0
LEAST_SCORED_POSTS = 10.0
LEAST_POSTS = 10.0
LEAST_CHANGE = {"toxic_share": 0.03, "mean_toxicity": 0.02}
PIECE_PENALTY = 12.0
"""In units of the scatter's square: what a further piece must save, times the log of the hours."""
MAD_TO_SIGMA = 1.4826
CLIP = 3.0
LEAN = 1.5
STEADY = 0.75
SURGE, SURGE_POSTS = 3.0, 30.0
PLAIN = 3.0

Floats = NDArray[np.float64]


class ObservedHour(NamedTuple):
    """A metric in an hour: its value, and the posts it is of (scored ones, for a mean)."""

    hour: Micros
    value: float
    posts: float


class AnomalousHour(NamedTuple):
    """An anomalous hour; from `lower` to `upper` it would have been ordinary."""

    hour: Micros
    observed: float
    expected: float
    lower: float
    upper: float
    score: float

    @property
    def direction(self) -> str:
        return "up" if self.score > 0 else "down"

    @property
    def severity(self) -> str:
        size = abs(self.score)
        return "critical" if size >= CRITICAL else "warning" if size >= WARNING else "info"


def judge(metric: str, hours: Sequence[ObservedHour]) -> list[AnomalousHour]:
    """The anomalous hours of a metric of one topic. `hours` are in order, each once.

    `posts` needs hours without any as well, as 0; the other metrics leave them out.

    >>> calm = [ObservedHour(i * HOUR, 20.0 + i % 5, 20.0) for i in range(60)]
    >>> calm[30] = ObservedHour(30 * HOUR, 500.0, 500.0)
    >>> [(found.hour // HOUR, found.direction) for found in judge("posts", calm)]
    [(30, 'up')]
    """
    if metric != "posts":
        hours = [hour for hour in hours if hour.posts >= LEAST_SCORED_POSTS]
    if len(hours) < LEAST_OBSERVED_HOURS:
        return []
    values = np.array([hour.value for hour in hours])
    posts = np.array([hour.posts for hour in hours])
    stamps = np.array([hour.hour // HOUR for hour in hours])
    at = _Posts() if metric == "posts" else _Share(posts, LEAST_CHANGE[metric])
    moved = at.to_scale(values)
    level = _level(moved, stamps)
    noise = at.noise(level)
    residuals = (moved - level) / noise
    # Hours of which next to nothing is expected are alike, and tell nothing of the others.
    spread = _spread(residuals[at.from_scale(level) >= 1.0] if metric == "posts" else residuals)
    scores = residuals / spread
    if metric != "posts":
        scores = _pooled(scores, stamps)
    found = []
    # A night is no anomaly; whether hours fall silent can be told only where their habit is known.
    steady = _is_steady(values, stamps) if metric == "posts" else True
    # Counts have a longer tail below than their logarithm: an hour of four instead of fifteen.
    anomalous = (scores >= THRESHOLD) | (
        scores <= (-THRESHOLD_DOWN if metric == "posts" else -THRESHOLD)
    )
    if not steady:
        surges, local = _surges(values)
        anomalous = (anomalous & (scores > 0)) | (surges > 0)
        level = np.where(surges > 0, at.to_scale(local), level)
        scores = np.maximum(scores, surges)
    for i in np.flatnonzero(anomalous).tolist():
        expected = float(at.from_scale(level[i]))
        if not at.matters(float(values[i]), expected):
            continue
        reach = THRESHOLD * noise[i] * spread
        lower, upper = at.from_scale(level[i] - reach), at.from_scale(level[i] + reach)
        own = hours[i]
        found.append(
            AnomalousHour(
                own.hour, own.value, expected, float(lower), float(upper), float(scores[i])
            )
        )
    return found


class _Posts:
    """Counts as log(1 + n): their sampling error there is about 1 / sqrt(1 + n)."""

    def to_scale(self, values: Floats) -> Floats:
        return np.log1p(values)

    def from_scale(self, moved: Floats | float) -> Floats | float:
        return np.maximum(np.expm1(moved), 0.0)

    def noise(self, level: Floats) -> Floats:
        return np.sqrt(1.0 / np.exp(level) + 0.01)

    def matters(self, value: float, expected: float) -> bool:
        return abs(value - expected) >= LEAST_POSTS


class _Share:
    """A share as the arcsine of its root, with 3/8 of a post at either end (Anscombe 1948): there
    its sampling error is 1 / (2 sqrt(n)), whatever the share, down to ten posts. A mean of
    probabilities has less."""

    def __init__(self, posts: Floats, least_change: float) -> None:
        self._posts = posts
        self._least_change = least_change

    def to_scale(self, values: Floats) -> Floats:
        return np.arcsin(np.sqrt((values * self._posts + 0.375) / (self._posts + 0.75)))

    def from_scale(self, moved: Floats | float) -> Floats | float:
        return np.sin(np.clip(moved, 0.0, math.pi / 2)) ** 2

    def noise(self, level: Floats) -> Floats:
        return 0.5 / np.sqrt(self._posts + 0.5)

    def matters(self, value: float, expected: float) -> bool:
        return abs(value - expected) >= self._least_change


def _is_steady(posts: Floats, stamps: NDArray[np.int64]) -> bool:
    """Two weeks that have posts in most hours: a habit that an hour can be held against."""
    return bool(stamps[-1] - stamps[0] >= SEASON_HOURS and (posts > 0).mean() >= STEADY)


def _surges(posts: Floats) -> tuple[Floats, Floats]:
    """Of a collection that comes in bursts, the hours where one peaks: three times the median of
    the two days around it, more than any within six hours, twice the scatter of such ratios; and
    those above the mean and three deviations. Scores (0: no peak) and what was expected."""
    around = np.array(
        [np.median(posts[max(0, i - 24) : i + 25]) for i in range(len(posts))], dtype=float
    )
    ratio = np.log1p(posts) - np.log1p(around)
    scatter = _spread(ratio[posts > 0] * 10.0) / 10.0
    scores = np.zeros_like(posts)
    for i in np.flatnonzero((posts >= SURGE_POSTS) & (ratio >= math.log(SURGE))):
        near = posts[max(0, i - 6) : i + 7]
        if posts[i] == near.max() and ratio[i] >= 2.0 * scatter:
            scores[i] = ratio[i] / scatter
    # The plainest rule as well: it finds the hours of the greatest days, whose neighbours are loud.
    plain = (posts - posts.mean()) / max(float(posts.std()), 1e-9)
    usual = float(np.median(posts[posts > 0])) if (posts > 0).any() else 0.0
    expected = np.maximum(around, usual)
    loud = (plain >= PLAIN) & (posts >= SURGE_POSTS) & (posts > expected)
    scores = np.where(loud, np.maximum(scores, plain), scores)
    return scores, np.where(loud, expected, around)


def _pooled(scores: Floats, stamps: NDArray[np.int64]) -> Floats:
    """The stronger of an hour's score and that of it with the two hours before it, where all three
    lean the same way: what lasts is told from what happened once."""
    best = scores.copy()
    for i in range(2, len(scores)):
        if stamps[i] - stamps[i - 2] != 2:
            continue
        last = scores[i - 2 : i + 1]
        if (np.sign(last[0]) * last).min() >= LEAN:
            pooled = float(last.sum()) / math.sqrt(3)
            best[i] = pooled if abs(pooled) > abs(best[i]) else best[i]
    return best


def _spread(residuals: Floats) -> float:
    """How much wider than their sampling error the ordinary hours lie, at least 1."""
    if not len(residuals):
        return 1.0
    return max(1.0, MAD_TO_SIGMA * float(np.median(np.abs(residuals - np.median(residuals)))))


def _level(moved: Floats, stamps: NDArray[np.int64]) -> Floats:
    """What is expected of each hour: its piece's median, and its hour of the day's."""
    season = _season(moved, stamps)
    rest = moved - season
    level = np.empty_like(rest)
    for start, end in _pieces(rest):
        level[start:end] = np.median(rest[start:end])
    return level + season


def _season(moved: Floats, stamps: NDArray[np.int64]) -> Floats:
    """By hour of the day the median distance from its own day; zero for a short series."""
    if stamps[-1] - stamps[0] < SEASON_HOURS:
        return np.zeros_like(moved)
    days, hours = stamps // 24, stamps % 24
    middle = {day: float(np.median(moved[days == day])) for day in np.unique(days)}
    centred = moved - np.array([middle[day] for day in days])
    profile = np.array(
        [float(np.median(centred[hours == h])) if (hours == h).any() else 0.0 for h in range(24)]
    )
    return profile[hours]


def _pieces(values: Floats) -> list[tuple[int, int]]:
    """Where the level changes for good: half-open ranges, each a day of hours at least."""
    middle = np.median(values)
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(np.diff(values)))) / math.sqrt(2) or 1e-9
    clipped = np.clip((values - middle) / scatter, -4 * CLIP, 4 * CLIP)
    sums = np.concatenate([[0.0], np.cumsum(clipped)])
    least = PIECE_PENALTY * math.log(len(values))

    def split(start: int, end: int) -> list[tuple[int, int]]:
        cuts = np.arange(start + LEAST_PIECE, end - LEAST_PIECE + 1)
        if not len(cuts):
            return [(start, end)]
        left, right = sums[cuts] - sums[start], sums[end] - sums[cuts]
        saved = left**2 / (cuts - start) + right**2 / (end - cuts)
        best = int(np.argmax(saved))
        if saved[best] - (sums[end] - sums[start]) ** 2 / (end - start) < least:
            return [(start, end)]
        cut = int(cuts[best])
        return [*split(start, cut), *split(cut, end)]

    return split(0, len(values))
