"""A detector for any series of numbers, whatever its rhythm: no season, family or unit is assumed.

Seven views of the series (its jumps, its distance from a fast and from a slow mean, from the same
time of earlier days, from all that it ever was, and the mean and the scatter of its last hours) are
each compared with their own past: a causal, conformal p-value, with a Pareto tail beyond the
greatest fiftieth. The views have equal weights, since weights that are tuned on one collection of
series lose on another; their surprises are fused as a root of the mean square, which one great
surprise lifts and seven small ones do as well. What was just told is not told again: a score has to
beat the memory of the last, which halves with time.

References
----------
Hill (1975), A simple general approach to inference about the tail of a distribution.
Laxhammar, Falkman (2010), Conformal prediction for distribution-independent anomaly detection.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

RESIDUAL_VIEWS = 7
TAIL_SHARE = 0.02
PRIOR_TAIL = (5.0, 4.0)
"""Exceedances of a tail with that exponent, before there are any."""
FARTHEST = 10.0
"""Times the tail's beginning: what is farther teaches no more."""
MOST_SURPRISE = 6.0
"""Decimal orders of improbability that a view may claim."""
FIRST = 20
REMEMBERED_ROWS = 30_000
FAST, SLOW_ROWS, SAME_TIME = 0.2, 1000, 0.3
RANK_WINDOW = 24
DAY, SLOT = 86_400, 300
THRESHOLD = 0.33
"""Score from which a row is an anomaly (the best on the series that it was built with)."""


class _Past:
    """The last values in order of time and of size."""

    def __init__(self) -> None:
        self.by_time: deque[float] = deque()
        self.by_size: list[float] = []

    def add(self, value: float) -> None:
        self.by_time.append(value)
        insort(self.by_size, value)
        if len(self.by_time) > REMEMBERED_ROWS:
            del self.by_size[bisect_left(self.by_size, self.by_time.popleft())]


class Surprise:
    """How improbable each value is among those before: -log10 p, in [0, 6].

    >>> surprise = Surprise()
    >>> [surprise.update(float(n % 7)) for n in range(200)][-1] < 1
    True
    >>> surprise.update(700.0) > 4
    True
    """

    def __init__(self) -> None:
        self._values, self._distances = _Past(), _Past()

    def update(self, value: float) -> float:
        values = self._values.by_size
        seen = len(values)
        distance = abs(value - values[seen // 2]) if seen else 0.0
        surprise = self._of(distance) if seen >= FIRST else 0.0
        self._distances.add(distance)
        self._values.add(value)
        return surprise

    def _of(self, distance: float) -> float:
        distances = self._distances.by_size
        seen = len(distances)
        top = max(int(seen * (1.0 - TAIL_SHARE)) - 1, 0)
        begin = distances[top]
        if begin <= 0.0 < distance:
            return min(math.log10(seen + 1.0), MOST_SURPRISE)
        if distance <= begin:
            return -math.log10((seen - bisect_left(distances, distance) + 1.0) / (seen + 1.0))
        beyond = distances[top + 1 :]
        few, exponent = PRIOR_TAIL
        logs = sum(math.log(min(each / begin, FARTHEST)) for each in beyond)
        exponent = (few + len(beyond)) / (few / exponent + logs)
        return min(exponent * math.log10(distance / begin) - math.log10(TAIL_SHARE), MOST_SURPRISE)


class _Views:
    """The series, seen in seven ways."""

    def __init__(self, first: float) -> None:
        self._last = self._fast = self._slow = self._low = self._high = first
        self._rows = 1
        self._same_time: dict[int, float] = {}
        self._window: deque[float] = deque([first], maxlen=RANK_WINDOW)

    def update(self, seconds: int, value: float) -> tuple[float, ...]:
        slot = seconds % DAY // SLOT
        same = self._same_time.get(slot)
        self._window.append(value)
        mean = sum(self._window) / len(self._window)
        scatter = sum((each - mean) ** 2 for each in self._window) / len(self._window)
        spread = self._high - self._low
        novelty = max(value - self._high, 0.0) + min(value - self._low, 0.0)
        views = (
            value - self._last,
            value - self._fast,
            value - self._slow,
            value - (self._slow if same is None else same),
            novelty / spread if spread > 0 else 0.0,
            mean - self._slow,
            math.log(scatter + 1e-12),
        )
        self._rows += 1
        self._last = value
        self._fast += FAST * (value - self._fast)
        self._slow += (value - self._slow) * max(1.0 / self._rows, 1.0 / SLOW_ROWS)
        self._low, self._high = min(self._low, value), max(self._high, value)
        self._same_time[slot] = value if same is None else same + SAME_TIME * (value - same)
        return views


class GeneralDetector:
    """Scores the rows of any series, in order of time, without a look ahead.

    `quiet_rows`: after so many rows, half a score is enough to be heard again. Values that are no
    number are refused: they score 0, teach nothing, and are counted in `refused`.

    >>> detector = GeneralDetector()
    >>> scores = [detector.update(300 * n, float(n % 5)) for n in range(1000)]
    >>> detector.update(300_000, 50.0) > max(scores[500:])
    True
    """

    def __init__(self, quiet_rows: int = 360) -> None:
        self.refused = 0
        self._fades = 0.5 ** (1.0 / quiet_rows)
        self._told = 0.0
        self._views: _Views | None = None
        self._surprises = [Surprise() for _ in range(RESIDUAL_VIEWS)]

    def update(self, seconds: int, value: float) -> float:
        """A score in [0, 1]; 0 where a greater one was told shortly before."""
        if not math.isfinite(value):
            self.refused += 1
            return 0.0
        if self._views is None:
            self._views = _Views(value)
            return 0.0
        views = self._views.update(seconds, value)
        squares = sum(
            surprise.update(view) ** 2
            for surprise, view in zip(self._surprises, views, strict=True)
        )
        score = math.sqrt(squares / RESIDUAL_VIEWS) / MOST_SURPRISE
        self._told *= self._fades
        if score <= self._told:
            return 0.0
        self._told = score
        return score
