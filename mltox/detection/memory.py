"""What a monitor has learnt, as plain data: numbers, strings, lists and dicts of them.

Settings are no part of it: a monitor that is made again from its memory has those of the code that
runs, so that a threshold can be changed while a stream goes on.
"""

from __future__ import annotations

from typing import Any

from mltox.detection.detector import SIGNS, Former, SeasonalDetector
from mltox.detection.families import Dispersion
from mltox.detection.monitor import TopicMonitor
from mltox.detection.season import SeasonalState
from mltox.detection.tails import Tail
from mltox.detection.vocabulary import Vocabulary
from mltox.detection.windows import Reading
from mltox.posts.records import Anomaly

SEASON_PARTS = ("_day", "_weekday", "_week")
TAIL_FIELDS = ("hours", "peaks", "total", "squares", "highest", "quiet")
COUNTERS = ("seen", "refused", "barrier", "incident", "silent_hours")

Plain = dict[str, Any]


def memory_of(monitor: TopicMonitor) -> Plain:
    """`silent` is there in a silence only, which releases before did not count."""
    silent = monitor.hours_without_posts
    return {
        **({"silent": silent} if silent else {}),
        "topic": monitor.topic,
        "last_hour": monitor.last_hour,
        "detectors": {name: _detector(each) for name, each in monitor._detectors.items()},
        "statuses": monitor.statuses,
        "open": [anomaly._asdict() for anomaly in monitor._open.values()],
        "ended": {metric: list(ended) for metric, ended in monitor._ended.items()},
        "said": _vocabulary(monitor._said),
        "said_toxic": _vocabulary(monitor._said_toxic),
    }


def monitor_of(memory: Plain) -> TopicMonitor:
    monitor = TopicMonitor(memory["topic"])
    monitor.last_hour = memory["last_hour"]
    monitor.hours_without_posts = memory.get("silent", 0)
    for name, detector in monitor._detectors.items():
        _recall_detector(detector, memory["detectors"][name])
    monitor.statuses = dict(memory["statuses"])
    for plain in memory["open"]:
        lists = {name: tuple(plain[name]) for name in ("terms", "example_post_ids")}
        anomaly = Anomaly(**{**plain, **lists})
        monitor._open[anomaly.metric] = anomaly
    monitor._ended = {metric: (hour, way) for metric, (hour, way) in memory["ended"].items()}
    _recall_vocabulary(monitor._said, memory["said"])
    _recall_vocabulary(monitor._said_toxic, memory["said_toxic"])
    return monitor


def monitor_of_version_1(memory: Plain) -> TopicMonitor:
    """A monitor of the release before: its detectors had one level and no reference.

    What they had learnt of level, season and scatter is the reference now. Tails and windows begin
    anew, with the priors; an incident that was open stays open until the next normal hour.
    """
    monitor = TopicMonitor(memory["topic"])
    for name, detector in monitor._detectors.items():
        plain = memory["detectors"][name]
        _recall_season(detector.season, plain)
        bounds = zip(plain["dispersion"], *detector.settings.family.bounds, strict=True)
        detector.dispersion = Dispersion(*(min(max(x, low), high) for x, low, high in bounds))
        detector.seen = plain["seen"]
    now = memory_of(monitor)
    return monitor_of(
        {**memory, **{name: now[name] for name in ("detectors", "statuses", "ended")}}
    )


def _detector(detector: SeasonalDetector) -> Plain:
    season = detector.season
    parts = {name: getattr(season, name) for name in SEASON_PARTS}
    yardsticks = detector.yardsticks
    return {
        "level": [season.level, season.level_variance],
        "season": {name: [part.mean, part.variance] for name, part in parts.items()},
        "dispersion": list(detector.dispersion),
        "bursts": [detector.bursty_part, detector.last_residual],
        "nowcast": [detector.nowcast.offset, detector.nowcast.variance],
        "yardsticks": [yardsticks.width, yardsticks.up, yardsticks.down],
        "tails": [_tail(detector.tails[sign]) for sign in SIGNS],
        "level_tails": [_tail(detector.level_tails[sign]) for sign in SIGNS],
        "record": [list(hour) for hour in detector.record.hours],
        "unheard": [list(hour) for hour in detector.unheard],
        "former": list(detector.former) if detector.former else None,
        **{name: getattr(detector, name) for name in COUNTERS},
    }


def _recall_detector(detector: SeasonalDetector, plain: Plain) -> None:
    _recall_season(detector.season, plain)
    detector.dispersion = Dispersion(*plain["dispersion"])
    detector.bursty_part, detector.last_residual = plain["bursts"]
    detector.nowcast.offset, detector.nowcast.variance = plain["nowcast"]
    width, up, down = plain["yardsticks"]
    detector.yardsticks.width = width
    detector.yardsticks.up, detector.yardsticks.down = list(up), list(down)
    for name, tails in (("tails", detector.tails), ("level_tails", detector.level_tails)):
        for sign, kept in zip(SIGNS, plain[name], strict=True):
            for field, value in zip(TAIL_FIELDS, kept, strict=True):
                setattr(tails[sign], field, value)
    detector.record.hours.extend(Reading(*hour) for hour in plain["record"])
    for start, value, posts, reach in plain["unheard"]:
        detector.unheard.append((start, value, posts, reach))
    detector.former = Former(*plain["former"]) if plain["former"] else None
    for name in COUNTERS:
        setattr(detector, name, plain[name])


def _recall_season(season: SeasonalState, plain: Plain) -> None:
    season.level, season.level_variance = plain["level"]
    for name, (mean, variance) in plain["season"].items():
        part = getattr(season, name)
        part.mean, part.variance = list(mean), list(variance)


def _tail(tail: Tail) -> list[float]:
    return [getattr(tail, field) for field in TAIL_FIELDS]


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
