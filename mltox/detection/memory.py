"""What a monitor has learnt, as plain data: numbers, strings, lists and dicts of them.

Settings are no part of it: a monitor that is made again from its memory has those of the code that
runs, so that a threshold can be changed while a stream goes on.
"""

from __future__ import annotations

from typing import Any

from mltox.detection.detector import SeasonalDetector
from mltox.detection.families import Dispersion, Hour
from mltox.detection.monitor import TopicMonitor
from mltox.detection.vocabulary import Vocabulary
from mltox.posts.records import Anomaly

SEASON_PARTS = ("_day", "_weekday", "_week")

Plain = dict[str, Any]


def memory_of(monitor: TopicMonitor) -> Plain:
    return {
        "topic": monitor.topic,
        "last_hour": monitor.last_hour,
        "detectors": {name: _detector(each) for name, each in monitor._detectors.items()},
        "open": [anomaly._asdict() for anomaly in monitor._open.values()],
        "said": _vocabulary(monitor._said),
        "said_toxic": _vocabulary(monitor._said_toxic),
    }


def monitor_of(memory: Plain) -> TopicMonitor:
    monitor = TopicMonitor(memory["topic"])
    monitor.last_hour = memory["last_hour"]
    for name, detector in monitor._detectors.items():
        _recall_detector(detector, memory["detectors"][name])
    for plain in memory["open"]:
        lists = {name: tuple(plain[name]) for name in ("terms", "example_post_ids")}
        anomaly = Anomaly(**{**plain, **lists})
        monitor._open[anomaly.metric] = anomaly
    _recall_vocabulary(monitor._said, memory["said"])
    _recall_vocabulary(monitor._said_toxic, memory["said_toxic"])
    return monitor


def _detector(detector: SeasonalDetector) -> Plain:
    season = detector._season
    parts = {name: getattr(season, name) for name in SEASON_PARTS}
    return {
        "level": [season.level, season.level_variance],
        "season": {name: [part.mean, part.variance] for name, part in parts.items()},
        "dispersion": list(detector._dispersion),
        "tails": [[*key, tail._point] for key, tail in detector._tails.items()],
        "recent": [list(hour) for hour in detector._recent],
        "seen": detector._seen,
        "anomalous_hours": detector._anomalous_hours,
        "in_incident": detector._in_incident,
    }


def _recall_detector(detector: SeasonalDetector, plain: Plain) -> None:
    season = detector._season
    season.level, season.level_variance = plain["level"]
    for name, (mean, variance) in plain["season"].items():
        part = getattr(season, name)
        part.mean, part.variance = list(mean), list(variance)
    detector._dispersion = Dispersion(*plain["dispersion"])
    for window, sign, point in plain["tails"]:
        detector._tails[window, sign]._point = point
    detector._recent.extend(Hour(*hour) for hour in plain["recent"])
    detector._seen = plain["seen"]
    detector._anomalous_hours = plain["anomalous_hours"]
    detector._in_incident = plain["in_incident"]


def _vocabulary(vocabulary: Vocabulary) -> Plain:
    """Terms stay in their order: it decides in which order their weights are added up."""
    return {
        "posts": vocabulary.posts,
        "total": vocabulary.total,
        "terms": vocabulary._terms,
        "origin": vocabulary._origin,
    }


def _recall_vocabulary(vocabulary: Vocabulary, plain: Plain) -> None:
    vocabulary.posts, vocabulary.total = plain["posts"], plain["total"]
    vocabulary._terms = dict(plain["terms"])
    vocabulary._origin = plain["origin"]
