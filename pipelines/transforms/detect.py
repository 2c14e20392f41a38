"""Hours in, anomalies with their explanation out, topic by topic in event-time order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.timestamp import Timestamp

from mltox.base.clock import now_micros
from mltox.detection.monitor import DEFAULT_SETTINGS, MonitorSettings, TopicMonitor
from mltox.posts.records import HOUR, SECOND, Anomaly, Micros
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.metrics import counter
from pipelines.transforms.silence import silences
from pipelines.transforms.state import MonitorCoder, SummaryCoder

ANOMALIES = "anomalies"
MONITORS = "monitors"
PRESENT = 3 * HOUR
"""So far a live stream's watermark may lie behind the clock."""
SKEW = 60 * SECOND
"""So far ahead of it, by the differences between machines."""


def in_order(hours: Iterable[RolledUp]) -> list[RolledUp]:
    """One summary an hour, oldest first. Where two models scored posts of one hour (the model was
    swapped in it), the one with more posts speaks for the hour."""
    speakers: dict[int, RolledUp] = {}
    for hour in sorted(hours, key=lambda hour: (hour.summary.row.posts, hour.summary.row.model)):
        speakers[hour.summary.row.hour] = hour
    return [speakers[start] for start in sorted(speakers)]


def observed(monitor: TopicMonitor, hours: Iterable[RolledUp]) -> list[Anomaly]:
    """Shows the monitor the hours in order; returns the last word on each anomaly.

    Anomalies of hours in which this run read nothing are not reported again: they are in the
    warehouse already.
    """
    ordered = in_order(hours)
    fresh = {hour.summary.row.hour for hour in ordered if hour.fresh}
    last_word: dict[tuple[int, str], Anomaly] = {}
    for hour in ordered:
        for anomaly in monitor.observe(hour.summary):
            if anomaly.hour in fresh or hour.fresh:
                last_word[anomaly.hour, anomaly.metric] = anomaly
    return list(last_word.values())


class WatchTopic(beam.DoFn):
    """Runs a topic's monitor over its hours, from where an earlier run left it."""

    def __init__(
        self, before: Callable[[str], TopicMonitor | None], settings: MonitorSettings
    ) -> None:
        self._before = before
        self._settings = settings
        self._anomalies = counter("anomalies")
        self._refused = counter("refused_values")

    def process(self, group: tuple[str, Iterable[RolledUp]]) -> Iterator[Anomaly | TaggedOutput]:
        topic, hours = group
        monitor = self._before(topic) or TopicMonitor(topic)
        monitor.adopt(self._settings)
        refused = monitor.refused
        for anomaly in observed(monitor, hours):
            self._anomalies.inc()
            yield anomaly
        self._refused.inc(monitor.refused - refused)
        yield TaggedOutput(MONITORS, (topic, monitor))


class WatchTopicLive(beam.DoFn):
    """The same on a live stream: an hour waits until the watermark has passed its end.

    A topic that says nothing is heard of all the same: the timer of the hour after its last one
    fires when the watermark has passed that, and tells of a silence. Only hours of the present are
    judged so, for the watermark runs ahead of the clock where a job is drained, and far behind it
    in a replay; what was silent before counts when the present is reached, or with the next post.

    So hours reach the monitor in order and complete, however the bundles came. Early panes are not
    kept, since one that is final follows; one that comes after its hour was judged changes the
    hourly row, not the verdict. Nothing here can raise, so that no bundle is retried for ever.
    """

    PENDING = BagStateSpec("pending", SummaryCoder())
    MONITOR = ReadModifyWriteStateSpec("monitor", MonitorCoder())
    DUE = TimerSpec("due", TimeDomain.WATERMARK)

    def __init__(self, settings: MonitorSettings, clock: Callable[[], Micros] = now_micros) -> None:
        self._settings = settings
        self._clock = clock
        self._anomalies = counter("anomalies")
        self._refused = counter("refused_values")

    def process(
        self,
        keyed: tuple[str, RolledUp],
        pending: Any = beam.DoFn.StateParam(PENDING),
        due: Any = beam.DoFn.TimerParam(DUE),
    ) -> None:
        summary = keyed[1].summary
        if not summary.row.is_final:
            return
        pending.add(summary)
        due.set(end_of(min(waiting.row.hour for waiting in pending.read())))

    @on_timer(DUE)
    def judge(
        self,
        topic: Any = beam.DoFn.KeyParam,
        now: Any = beam.DoFn.TimestampParam,
        pending: Any = beam.DoFn.StateParam(PENDING),
        state: Any = beam.DoFn.StateParam(MONITOR),
        due: Any = beam.DoFn.TimerParam(DUE),
    ) -> Iterator[Anomaly]:
        summaries = list(pending.read())
        ready = [RolledUp(each, fresh=True) for each in summaries if end_of(each.row.hour) <= now]
        waiting = [each for each in summaries if end_of(each.row.hour) > now]
        pending.clear()
        for summary in waiting:
            pending.add(summary)
        clock = self._clock()
        monitor = state.read() or TopicMonitor(topic)
        monitor.adopt(self._settings)
        refused = monitor.refused
        found = observed(monitor, ready)
        silent = now.micros // HOUR * HOUR - HOUR
        if not ready and is_present(silent, clock):
            found = silences([monitor], [silent], clock)
        for anomaly in found:
            self._anomalies.inc()
            yield anomaly
        self._refused.inc(monitor.refused - refused)
        state.write(monitor)
        if waiting:
            due.set(end_of(min(summary.row.hour for summary in waiting)))
        elif now.micros <= clock + SKEW:
            hour = next_silence(monitor, clock)
            if hour is not None:
                due.set(end_of(hour))


def is_present(hour: Micros, clock: Micros) -> bool:
    """Whether the hour has just ended by the clock."""
    return clock - PRESENT <= hour + HOUR <= clock + SKEW


def next_silence(monitor: TopicMonitor, clock: Micros) -> Micros | None:
    """The hour in which the topic may be silent next, or None where it is gone."""
    if monitor.last_hour is None:
        return None
    present = clock - PRESENT
    hour = max(monitor.last_hour + HOUR, present - present % HOUR)
    return None if monitor.has_ended(hour) else hour


def end_of(hour: Micros) -> Timestamp:
    return Timestamp(micros=hour + HOUR)


def keyed_by_topic(hour: RolledUp) -> tuple[str, RolledUp]:
    return hour.summary.row.topic, hour


def by_topic(hours: beam.PCollection[RolledUp]) -> beam.PCollection[tuple[str, RolledUp]]:
    """In the global window: detection needs a topic's hours one after the other."""
    return (
        hours
        | "IntoOneWindow" >> beam.WindowInto(GlobalWindows())
        | "KeyByTopic" >> beam.Map(keyed_by_topic).with_output_types(tuple[str, RolledUp])
    )


@dataclass(eq=False)
class DetectInOrder(beam.PTransform):
    """PCollection[RolledUp], bounded -> `anomalies`: Anomaly, `monitors`: (topic, TopicMonitor).

    `before` gives a topic's monitor as an earlier run ended with it.
    """

    before: Callable[[str], TopicMonitor | None]
    settings: MonitorSettings = DEFAULT_SETTINGS

    def expand(self, hours: beam.PCollection[RolledUp]) -> DoOutputsTuple:
        return (
            by_topic(hours)
            | "GroupByTopic" >> beam.GroupByKey()
            | "Watch"
            >> beam.ParDo(WatchTopic(self.before, self.settings)).with_outputs(
                MONITORS, main=ANOMALIES
            )
        )


@dataclass(eq=False)
class DetectAsTimePasses(beam.PTransform):
    """The same on a stream, which keeps the monitors as its own state and reports none."""

    settings: MonitorSettings = DEFAULT_SETTINGS

    def expand(self, hours: beam.PCollection[RolledUp]) -> DoOutputsTuple:
        return by_topic(hours) | "WatchLive" >> beam.ParDo(
            WatchTopicLive(self.settings)
        ).with_outputs(MONITORS, main=ANOMALIES)
