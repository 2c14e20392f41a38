"""A topic under watch: its hours in, its anomalies with their explanation out."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from typing import NamedTuple

from mltox.detection.copies import effective_posts
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
from mltox.detection.tails import MONTH_HOURS, sigmas_of
from mltox.detection.vocabulary import Vocabulary
from mltox.posts.records import HOUR, Anomaly, HourSummary, Micros

METRICS = ("posts", "mean_toxicity", "toxic_share")
WARNING = sigmas_of(0.2 / MONTH_HOURS)
CRITICAL = sigmas_of(0.01 / MONTH_HOURS)
"""Five months and eight years of nothing."""
RESUMES = 6
"""Hours after its end within which an incident that flares up again is the same."""
JUDGED, EARLY, UNJUDGED = "judged", "early", "unjudged"


@dataclass(frozen=True)
class MonitorSettings:
    """Detector settings by metric, and the longest gap that still counts as hours of no posts.

    `false_alarms_per_month`: incidents that a topic may give for nothing, its metrics together. A
    longer gap (a collection that was switched off) is time without observation.
    """

    false_alarms_per_month: float = 1.0
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
        self.hours_without_posts = 0
        """The last ones in a row, as far as they were judged."""
        rate = settings.false_alarms_per_month
        self._detectors = {
            "posts": SeasonalDetector(settings.posts, rate),
            "mean_toxicity": SeasonalDetector(settings.mean_toxicity, rate),
            "toxic_share": SeasonalDetector(settings.toxic_share, rate),
        }
        self.statuses = dict.fromkeys(METRICS, UNJUDGED)
        self._open: dict[str, Anomaly] = {}
        self._ended: dict[str, tuple[Micros, str]] = {}
        self._said = Vocabulary(settings.vocabulary_terms)
        self._said_toxic = Vocabulary(settings.vocabulary_terms)

    @property
    def refused(self) -> int:
        """Values that were none (NaN, infinite, negative, a share above 1), of all metrics."""
        return sum(detector.refused for detector in self._detectors.values())

    def adopt(self, settings: MonitorSettings) -> None:
        """Judges by these settings from now on; what was learnt stays."""
        self.settings = settings
        for metric, detector in self._detectors.items():
            detector.settings = getattr(settings, metric)
            detector.false_alarms_per_month = settings.false_alarms_per_month

    def observe(self, summary: HourSummary) -> list[Anomaly]:
        """Judges the hour, then learns from it; missing hours before it count as without posts.

        The first anomalous hour of a metric is `open`, each further one in a row `updated`; the
        first normal hour after them returns the last anomalous row again as `resolved`. What flares
        up again within six hours, the same way, is the same incident: `updated`. A summary
        with empty samples is judged without an explanation. An hour not after the last one seen
        is ignored: what was judged stays judged.

        Afterwards `statuses` says of each metric whether the hour was `judged`, judged `early`
        (the topic is young) or `unjudged` (younger still, or nothing to judge by).
        """
        hour, updated_at = summary.row.hour, summary.row.updated_at
        if self.last_hour is not None and hour <= self.last_hour:
            return []
        found = self._fill_gap(hour, updated_at)
        found += self._observe_hour(hour, summary, updated_at)
        self.last_hour = hour
        return found

    def observe_silence(self, hour: Micros, updated_at: Micros) -> list[Anomaly]:
        """An hour in which others spoke, and this topic did not: judged as one of no posts.

        Before the first post of a topic there is nothing to fall silent, and what lasts longer than
        `longest_gap_hours` is an end.
        """
        if self.last_hour is None or hour <= self.last_hour or self.has_ended(hour):
            return []
        found = self._fill_gap(hour, updated_at)
        found += self._observe_hour(hour, None, updated_at)
        self.last_hour = hour
        return found

    def has_ended(self, hour: Micros) -> bool:
        """Whether an hour without posts would be one too many: silent for so long is gone."""
        if self.last_hour is None:
            return True
        silent = self.hours_without_posts + (hour - self.last_hour) // HOUR
        return silent > self.settings.longest_gap_hours

    def apart(self) -> TopicMonitor:
        """A copy that can be shown hours without posts while this one stays as it is.

        Such hours teach no words, so that the two share the vocabularies, most of a monitor.
        """
        other = copy(self)
        other._detectors = deepcopy(self._detectors)
        other.statuses, other._open = dict(self.statuses), dict(self._open)
        other._ended = dict(self._ended)
        return other

    def _fill_gap(self, hour: Micros, updated_at: Micros) -> list[Anomaly]:
        if self.last_hour is None:
            return []
        missing = (hour - self.last_hour) // HOUR - 1
        if missing and self.has_ended(hour - HOUR):
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
        self.hours_without_posts = 0 if summary else self.hours_without_posts + 1
        usual_share = self._detectors["toxic_share"].expected(hour)
        rising, support = False, 0.0
        for metric in METRICS:
            detector = self._detectors[metric]
            observation = _observation(metric, summary)
            if observation is None:
                detector.skip()
                self.statuses[metric] = UNJUDGED
                continue
            verdict = detector.observe(hour, observation.value, observation.posts, support)
            if metric == "posts":
                support = detector.risen
            self.statuses[metric] = _status(verdict)
            if verdict is None or not verdict.anomalous:
                if metric in self._open:
                    found.append(self._resolve(metric, updated_at))
                continue
            rising = rising or verdict.score > 0
            anomaly = self._anomaly(metric, hour, verdict, summary, usual_share, updated_at)
            self._open[metric] = anomaly
            found.append(anomaly)
        if summary is not None and not rising:
            self._learn_words(hour, summary)
        return found

    def _resolve(self, metric: str, updated_at: Micros) -> Anomaly:
        anomaly = self._open.pop(metric)
        self._ended[metric] = (anomaly.hour, anomaly.direction)
        return anomaly._replace(status="resolved", updated_at=updated_at)

    def _is_news(self, metric: str, hour: Micros, direction: str) -> bool:
        """Whether the anomaly opens an incident, and does not go on with one."""
        if metric in self._open:
            return False
        ended, way = self._ended.get(metric, (-RESUMES * HOUR * 2, ""))
        return way != direction or hour - ended > (RESUMES + 1) * HOUR

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
            severity=severity_of(abs(verdict.score)),
            direction=verdict.direction,
            detector=detector_name(verdict),
            status="open" if self._is_news(metric, hour, verdict.direction) else "updated",
            terms=explanation.terms,
            example_post_ids=explanation.example_post_ids,
            explained_share=explained,
            updated_at=updated_at,
        )

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
    if value is None or scored <= 0:
        return None
    return _Observation(value, effective_posts(float(scored), summary.sample))


def _status(verdict: Verdict | None) -> str:
    if verdict is None:
        return UNJUDGED
    return EARLY if verdict.early else JUDGED


def detector_name(verdict: Verdict) -> str:
    """What flagged the hour, with the hours behind it: `seasonal_4h` (a surge in the last four),
    `silence_12h`, `new_level_8h` (since the beginning of the eighth last); `early_` before it in a
    topic's first days."""
    kind = "seasonal" if verdict.kind == "surge" else verdict.kind
    return f"{'early_' if verdict.early else ''}{kind}_{verdict.window}h"


def severity_of(score: float) -> str:
    """By how rarely a normal topic gives such a score for nothing.

    >>> [severity_of(score) for score in (3.0, 3.5, 4.3)]
    ['info', 'warning', 'critical']
    """
    if score >= CRITICAL:
        return "critical"
    return "warning" if score >= WARNING else "info"
