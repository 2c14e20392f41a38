"""Anomalous hours joined into episodes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from mltox.posts.records import HOUR, Anomaly, Micros

MAX_GAP = 3 * HOUR
"""Anomalous hours of a topic that lie at most this far apart are one episode."""


class Episode(NamedTuple):
    """A run of anomalous hours of one topic, in any metric. `number` counts from 1 in a topic."""

    topic: str
    number: int
    anomalies: tuple[Anomaly, ...]

    @property
    def start(self) -> Micros:
        return self.anomalies[0].hour

    @property
    def end(self) -> Micros:
        """The end of the last anomalous hour."""
        return self.anomalies[-1].hour + HOUR

    @property
    def ongoing(self) -> bool:
        """Whether the detector has not yet seen a normal hour after one of its metrics' last."""
        last = {a.metric: a for a in self.anomalies}
        return any(a.status != "resolved" for a in last.values())

    def peaks(self) -> list[Anomaly]:
        """Per metric the hour with the greatest score, the greatest of all first."""
        best: dict[str, Anomaly] = {}
        for anomaly in self.anomalies:
            known = best.get(anomaly.metric)
            if known is None or abs(anomaly.score) > abs(known.score):
                best[anomaly.metric] = anomaly
        return sorted(best.values(), key=lambda a: (-abs(a.score), a.metric))


def episodes(anomalies: Iterable[Anomaly]) -> list[Episode]:
    """Group anomalies into episodes, by topic and then time, whatever order they come in."""
    found: list[Episode] = []
    ordered = sorted(anomalies, key=lambda a: (a.topic, a.hour, a.metric))
    for topic, of_topic in groupby(ordered, key=lambda a: a.topic):
        runs: list[list[Anomaly]] = []
        for anomaly in of_topic:
            if runs and anomaly.hour - runs[-1][-1].hour <= MAX_GAP:
                runs[-1].append(anomaly)
            else:
                runs.append([anomaly])
        found += [Episode(topic, n, tuple(run)) for n, run in enumerate(runs, start=1)]
    return found
