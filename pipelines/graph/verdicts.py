"""Hours -> anomalies with their explanation, and what the detectors have learnt."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from mltox.detection.monitor import MonitorSettings, TopicMonitor
from mltox.posts.records import Anomaly
from pipelines.graph.modes.mode import Mode
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.detect import ANOMALIES, MONITORS


@dataclass(frozen=True)
class Verdicts:
    anomalies: beam.PCollection[Anomaly]
    monitors: beam.PCollection[tuple[str, TopicMonitor]]


def verdicts_of(
    hours: beam.PCollection[RolledUp], mode: Mode, false_alarms_per_month: float
) -> Verdicts:
    settings = MonitorSettings(false_alarms_per_month=false_alarms_per_month)
    detected = mode.to_be_judged(hours) | "Detect" >> mode.detect(settings)
    return Verdicts(anomalies=detected[ANOMALIES], monitors=detected[MONITORS])
