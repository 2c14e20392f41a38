"""The count detector's filter on the Numenta Anomaly Benchmark: an adapter, not a target.

NAB's series are metrics of machines every five minutes, ours are hourly counts and shares, so the
adapter swaps in a family of plain real values. Scored by any NAB scorer that calls
`update(ts, value) -> score in [0, 1]` on `nab:NabDetector`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from mltox.detection.detector import DetectorSettings, SeasonalDetector
from mltox.detection.families import Dispersion, Hour
from mltox.detection.season import Drift, Part
from mltox.posts.records import HOUR, SECOND


@dataclass(frozen=True)
class RealValues:
    """Normal values in units of `sampling` (their sigma in the probation), identity link."""

    start: ClassVar[Dispersion] = Dispersion(1e-9, 1.0)

    @property
    def bounds(self) -> tuple[Dispersion, Dispersion]:
        return Dispersion(1e-9, 0.02), Dispersion(1e-9, 1e4)

    def highest(self, hour: Hour) -> float:
        return hour.mean + 100.0 * (1.0 + abs(hour.value - hour.mean))

    def residual(self, hour: Hour) -> float:
        return hour.value - hour.mean

    def eta(self, mean: float) -> float:
        return mean

    def mean(self, eta: float) -> float:
        return eta

    def variance(self, mean: float, posts: float, dispersion: Dispersion) -> float:
        return dispersion.between

    def pooled(self, hours: Collection[Hour]) -> Hour:
        n = len(hours)
        return Hour(sum(h.value for h in hours) / n, n, sum(h.mean for h in hours) / n)

    def surprise(
        self, hours: Collection[Hour], dispersion: Dispersion, level_variance: float
    ) -> float:
        whole = self.pooled(hours)
        own = sum(dispersion.between + hour.slack for hour in hours) / len(hours) ** 2
        return (whole.value - whole.mean) / math.sqrt(own + level_variance)

    def step(self, hour: Hour, dispersion: Dispersion, state_variance: float) -> float:
        gain = state_variance / (state_variance + dispersion.between)
        return gain * (hour.value - hour.mean)

    def clip(self, hour: Hour, dispersion: Dispersion, state_variance: float, k: float) -> Hour:
        reach = k * math.sqrt(dispersion.between + state_variance)
        return hour._replace(value=min(max(hour.value, hour.mean - reach), hour.mean + reach))


SETTINGS = DetectorSettings(
    family=RealValues(),
    drift=Drift(Part(4.0, 2e-2), Part(0.3, 1e-3), Part(0.05, 1e-4), Part(0.05, 1e-3)),
    least_change=0.0,
)


QUIET_ROWS = 144


class NabDetector:
    """One detector sees every row, in the season of the row's hour.

    Only the first row of an incident scores: NAB fines each row of a long false alarm, and a person
    is alerted once.
    """

    def __init__(self, probation: int) -> None:
        self._detector = SeasonalDetector(SETTINGS)
        self._first: list[float] = []
        self._probation = probation
        self._scale = 1.0
        self._centre = 0.0
        self._quiet = 0
        self._held = 0.0

    def update(self, ts: int, value: float) -> float:
        if len(self._first) < self._probation // 2:
            self._first.append(value)
            self._centre = sum(self._first) / len(self._first)
            spread = sum((v - self._centre) ** 2 for v in self._first) / len(self._first)
            self._scale = math.sqrt(spread) or 0.1 * abs(self._centre) or 1.0
            return 0.0
        z = (value - self._centre) / self._scale
        verdict = self._detector.observe(ts * SECOND // HOUR * HOUR, z, 1.0)
        score = abs(verdict.score) if verdict is not None else 0.0
        self._quiet -= 1
        if self._quiet > 0 and score <= self._held:
            return 0.0
        if score >= SETTINGS.threshold:
            self._quiet, self._held = QUIET_ROWS, score
        return score / (score + 10.0)
