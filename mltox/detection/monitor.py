"""A topic under watch: its hours in, its anomalies with their explanation out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mltox.detection.detector import (
    MEAN_TOXICITY,
    POSTS,
    TOXIC_SHARE,
    DetectorSettings,
    SeasonalDetector,
    Verdict,
)
from mltox.detection.explain import (
    NOTHING,
    Explanation,
    distinct_texts,
    explain,
    explained_share,
    term_weights,
)
from mltox.detection.vocabulary import Vocabulary
from mltox.posts.records import HOUR, Anomaly, HourSummary, Micros

METRICS = ("posts", "mean_toxicity", "toxic_share")


@dataclass(frozen=True)
class MonitorSettings:
    """Detector settings by metric, and the longest gap that still counts as hours of no posts.

    A longer gap (a collection that was switched off) is time without observation.
    """

    posts: DetectorSettings = POSTS
    mean_toxicity: DetectorSettings = MEAN_TOXICITY
    toxic_share: DetectorSettings = TOXIC_SHARE
    longest_gap_hours: int = 168
    vocabulary_terms: int = 2500


DEFAULT_SETTINGS = MonitorSettings()


class _Observation(NamedTuple):
    value: float
    posts: float


class TopicMonitor:
    """Watches `posts`, `mean_toxicity` and `toxic_share` of one topic.

    Deterministic, and small to pickle: a copy taken mid-stream goes on as the original would.
    One summary an hour is assumed; two models in one hour are the caller's to merge.
    """

    def __init__(self, topic: str, settings: MonitorSettings = DEFAULT_SETTINGS) -> None:
        self.topic = topic
        self.settings = settings
        self.last_hour: Micros | None = None
        self._detectors = {
            "posts": SeasonalDetector(settings.posts),
            "mean_toxicity": SeasonalDetector(settings.mean_toxicity),
            "toxic_share": SeasonalDetector(settings.toxic_share),
        }
        self._open: dict[str, Anomaly] = {}
        self._said = Vocabulary(settings.vocabulary_terms)
        self._said_toxic = Vocabulary(settings.vocabulary_terms)

    def observe(self, summary: HourSummary) -> list[Anomaly]:
        """Judges the hour, then learns from it; missing hours before it count as without posts.

        The first anomalous hour of a metric is `open`, each further one in a row `updated`; the
        first normal hour after them returns the last anomalous row again as `resolved`. A summary
        with empty samples is judged without an explanation. An hour not after the last one seen
        is ignored: what was judged stays judged.
        """
        hour, updated_at = summary.row.hour, summary.row.updated_at
        if self.last_hour is not None and hour <= self.last_hour:
            return []
        found = self._fill_gap(hour, updated_at)
        found += self._observe_hour(hour, summary, updated_at)
        self.last_hour = hour
        return found

    def _fill_gap(self, hour: Micros, updated_at: Micros) -> list[Anomaly]:
        if self.last_hour is None:
            return []
        missing = (hour - self.last_hour) // HOUR - 1
        if missing > self.settings.longest_gap_hours:
            for detector in self._detectors.values():
                detector.skip(missing)
            return []
        return [
            anomaly
            for step in range(1, missing + 1)
            for anomaly in self._observe_hour(self.last_hour + step * HOUR, None, updated_at)
        ]

    def _observe_hour(
        self, hour: Micros, summary: HourSummary | None, updated_at: Micros
    ) -> list[Anomaly]:
        found: list[Anomaly] = []
        usual_share = self._detectors["toxic_share"].expected(hour)
        rising = False
        for metric in METRICS:
            detector = self._detectors[metric]
            observation = _observation(metric, summary)
            if observation is None:
                detector.skip()
                continue
            verdict = detector.observe(hour, observation.value, observation.posts)
            if verdict is None or not verdict.anomalous:
                if metric in self._open:
                    anomaly = self._open.pop(metric)
                    found.append(anomaly._replace(status="resolved", updated_at=updated_at))
                continue
            rising = rising or verdict.score > 0
            anomaly = self._anomaly(metric, hour, verdict, summary, usual_share, updated_at)
            self._open[metric] = anomaly
            found.append(anomaly)
        if summary is not None and not rising:
            self._learn_words(hour, summary)
        return found

    def _learn_words(self, hour: Micros, summary: HourSummary) -> None:
        for vocabulary, sample in (
            (self._said, summary.sample),
            (self._said_toxic, summary.toxic_sample),
        ):
            texts = distinct_texts(sample)
            if texts:
                weight = sum(text.weight for text in texts)
                vocabulary.learn(hour, term_weights(texts), weight)

    def _anomaly(
        self,
        metric: str,
        hour: Micros,
        verdict: Verdict,
        summary: HourSummary | None,
        usual_share: float,
        updated_at: Micros,
    ) -> Anomaly:
        explanation, explained = self._explain(metric, hour, verdict, summary, usual_share)
        return Anomaly(
            topic=self.topic,
            hour=hour,
            metric=metric,
            observed=verdict.observed,
            expected=verdict.expected,
            lower=verdict.lower,
            upper=verdict.upper,
            score=verdict.score,
            severity=self._severity(metric, abs(verdict.score)),
            direction=verdict.direction,
            detector=f"seasonal_{verdict.window}h",
            status="updated" if metric in self._open else "open",
            terms=explanation.terms,
            example_post_ids=explanation.example_post_ids,
            explained_share=explained,
            updated_at=updated_at,
        )

    def _severity(self, metric: str, score: float) -> str:
        settings = self._detectors[metric].settings
        if score >= settings.critical:
            return "critical"
        return "warning" if score >= settings.warning else "info"

    def _explain(
        self,
        metric: str,
        hour: Micros,
        verdict: Verdict,
        summary: HourSummary | None,
        usual_share: float,
    ) -> tuple[Explanation, float | None]:
        if summary is None or verdict.direction == "down":
            return NOTHING, None
        row = summary.row
        if metric == "posts":
            explanation = explain(hour, summary.sample, (), self._said, self._said)
            return explanation, explained_share(explanation, verdict.observed, verdict.expected)
        explanation = explain(
            hour, summary.toxic_sample, summary.examples, self._said_toxic, self._said
        )
        scored = row.posts - row.posts_unscored
        toxic = (row.toxic_share or 0.0) * scored
        return explanation, explained_share(explanation, toxic, usual_share * scored)


def _observation(metric: str, summary: HourSummary | None) -> _Observation | None:
    """The metric's value with the posts behind it; None where there is nothing to average over."""
    if summary is None:
        return _Observation(0.0, 0.0) if metric == "posts" else None
    row = summary.row
    if metric == "posts":
        return _Observation(float(row.posts), float(row.posts))
    value = row.mean_toxicity if metric == "mean_toxicity" else row.toxic_share
    scored = row.posts - row.posts_unscored
    return None if value is None or scored <= 0 else _Observation(value, float(scored))
