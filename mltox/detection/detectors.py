"""The detectors by name: one class each, all of them fed row by row in order of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from mltox.detection.detector import POSTS, DetectorSettings, SeasonalDetector, Verdict
from mltox.detection.general import THRESHOLD, GeneralDetector
from mltox.posts.records import HOUR, SECOND


class SeriesRow(NamedTuple):
    """`seconds` since 1970 UTC."""

    seconds: float
    value: float


class JudgedRow(NamedTuple):
    """A judged row. `band`: expected, lower, upper (None where the detector has none)."""

    seconds: float
    value: float
    score: float
    band: tuple[float | None, float | None, float | None]
    direction: str
    detector: str
    anomalous: bool


class RowDetector(Protocol):
    @property
    def refused(self) -> int:
        """Rows whose value it could not use."""

    def score(self, row: SeriesRow) -> JudgedRow | None:
        """The row, judged by those before it; None where it is too early for that."""


class Rows:
    """The general detector: a score in [0, 1], no band."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._detector = GeneralDetector()
        self._last: float | None = None

    @property
    def refused(self) -> int:
        return self._detector.refused

    def score(self, row: SeriesRow) -> JudgedRow | None:
        score = self._detector.update(int(row.seconds), row.value)
        direction = "down" if self._last is not None and row.value < self._last else "up"
        self._last = row.value
        anomalous = score >= self._threshold
        none = (None, None, None)
        return JudgedRow(row.seconds, row.value, score, none, direction, "general", anomalous)


class Hours:
    """A detector of hours of the settings' kind. Hours that the series leaves out are unknown."""

    def __init__(self, settings: DetectorSettings, false_alarms_per_month: float) -> None:
        self._detector = SeasonalDetector(settings, false_alarms_per_month)
        self._hour: int | None = None

    @property
    def refused(self) -> int:
        return self._detector.refused

    def score(self, row: SeriesRow) -> JudgedRow | None:
        hour = int(row.seconds * SECOND // HOUR)
        if self._hour is not None and hour > self._hour + 1:
            self._detector.skip(hour - self._hour - 1)
        self._hour = hour
        verdict = self._detector.observe(hour * HOUR, row.value, row.value)
        return None if verdict is None else _scored(row, verdict)


def _scored(row: SeriesRow, verdict: Verdict) -> JudgedRow:
    kind = verdict.kind or "seasonal"
    band = (verdict.expected, verdict.lower, verdict.upper)
    name = f"{'early_' if verdict.early else ''}{kind}_{verdict.window}h"
    return JudgedRow(
        row.seconds, row.value, verdict.score, band, verdict.direction, name, verdict.anomalous
    )


class Choice(NamedTuple):
    """`make` takes the false alarms a month and the threshold (None: the default)."""

    help: str
    make: Callable[[float, float | None], RowDetector]


DETECTORS: dict[str, Choice] = {
    "general": Choice(
        "any series, at any step",
        lambda _, threshold: Rows(THRESHOLD if threshold is None else threshold),
    ),
    "seasonal": Choice("counts an hour, as of posts", lambda monthly, _: Hours(POSTS, monthly)),
}
