"""Topics that say nothing while others speak."""

from __future__ import annotations

from collections.abc import Iterable

from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import Anomaly, Micros


def silences(
    monitors: Iterable[TopicMonitor], spoken: Iterable[Micros], now: Micros
) -> list[Anomaly]:
    """Shows each monitor the hours after its last one, oldest first; the last word on each anomaly.

    `spoken`: hours in which any topic had posts, and this one's monitor has seen all of its own.
    """
    ordered = sorted(set(spoken))
    last_word: dict[tuple[str, Micros, str], Anomaly] = {}
    for monitor in monitors:
        for hour in ordered:
            for anomaly in monitor.observe_silence(hour, now):
                last_word[anomaly.topic, anomaly.hour, anomaly.metric] = anomaly
    return list(last_word.values())
