"""Anomalous hours joined into incidents: one a spell of a topic, over all its metrics."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from mltox.detection.alerts import COOLDOWN, incident_id
from mltox.posts.records import HOUR, Anomaly, Micros

AFTERWARDS = "retrospective"
"""Detectors whose names begin so have judged hours from what came after them."""


class IncidentRun(NamedTuple):
    """A run of anomalous hours of one topic, in any metric. `number` counts from 1 in a topic."""

    topic: str
    number: int
    anomalies: tuple[Anomaly, ...]

    @property
    def id(self) -> str:
        """The same as long as its first hour is, and the same in alerts."""
        return incident_id(self.topic, self.start)

    @property
    def start(self) -> Micros:
        return self.anomalies[0].hour

    @property
    def end(self) -> Micros:
        """The end of the last anomalous hour."""
        return self.anomalies[-1].hour + HOUR

    @property
    def only_afterwards(self) -> bool:
        """Whether none of its hours was flagged while it went on."""
        return all(a.detector.startswith(AFTERWARDS) for a in self.anomalies)

    def ongoing(self, clock: Micros) -> bool:
        """Whether it may go on at `clock`: not so where it has been quiet for the cooldown, nor
        where each of its metrics has had a normal hour again."""
        last = {a.metric: a for a in self.anomalies if not a.detector.startswith(AFTERWARDS)}
        recent = clock - self.end <= COOLDOWN
        return recent and any(a.status != "resolved" for a in last.values())

    def peaks(self) -> list[Anomaly]:
        """Per metric the hour farthest out on the side of its strongest verdict, the metric of the
        strongest verdict first."""
        by_metric: dict[str, list[Anomaly]] = {}
        for anomaly in self.anomalies:
            by_metric.setdefault(anomaly.metric, []).append(anomaly)
        found = []
        for metric, rows in by_metric.items():
            strongest = max(rows, key=lambda a: abs(a.score))
            sign = 1 if strongest.direction == "up" else -1
            same = [a for a in rows if a.direction == strongest.direction]
            farthest = max(same, key=lambda a: (sign * a.observed, -a.hour))
            found.append((-abs(strongest.score), metric, farthest))
        return [peak for _, _, peak in sorted(found, key=lambda item: item[:2])]


def one_verdict_an_hour(anomalies: Iterable[Anomaly]) -> list[Anomaly]:
    """By topic, hour and metric the verdict that was given at the time, where there is one."""
    best: dict[tuple[str, Micros, str], Anomaly] = {}
    for anomaly in sorted(anomalies, key=lambda a: (a.detector.startswith(AFTERWARDS), a.detector)):
        best.setdefault((anomaly.topic, anomaly.hour, anomaly.metric), anomaly)
    return [best[key] for key in sorted(best)]


def incidents(anomalies: Iterable[Anomaly]) -> list[IncidentRun]:
    """Group anomalies into incidents, by topic and then time, whatever order they come in."""
    found: list[IncidentRun] = []
    for topic, of_topic in groupby(one_verdict_an_hour(anomalies), key=lambda a: a.topic):
        runs: list[list[Anomaly]] = []
        for anomaly in of_topic:
            if runs and anomaly.hour - runs[-1][-1].hour <= COOLDOWN:
                runs[-1].append(anomaly)
            else:
                runs.append([anomaly])
        found += [IncidentRun(topic, n, tuple(run)) for n, run in enumerate(runs, start=1)]
    return found
