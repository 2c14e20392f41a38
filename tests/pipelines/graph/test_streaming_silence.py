"""A topic that falls silent on a stream: told of while it lasts, by the watermark and the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that
from apache_beam.transforms.window import TimestampedValue

from mltox.base.clock import now_micros
from mltox.detection.monitor import DEFAULT_SETTINGS, TopicMonitor
from mltox.posts.records import HOUR, HourlyToxicity, HourSummary, Micros
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.detect import WatchTopicLive, next_silence

DAYS = 10 * 24
NOW = now_micros()
FIRST = NOW - NOW % HOUR - (DAYS + 6) * HOUR
"""So that the present hour is the sixth after ten days of thirty posts an hour."""


def hour(index: int, topic: str = "dam", first: Micros = FIRST) -> TimestampedValue:
    start = first + index * HOUR
    row = HourlyToxicity(
        topic, start, "m@1", 30, 0, 30, 0.1, 0.1, None, None, None, None, None, None, None, 1, True,
        start,
    )  # fmt: skip
    element = (topic, RolledUp(HourSummary(row, (), (), ()), fresh=True))
    return TimestampedValue(element, (start + HOUR) / 1e6)


def run(
    stream: TestStream, check: Callable[[list[Any]], None], clock: Callable[[], Micros] = now_micros
) -> None:
    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    with beam.Pipeline(runner=BundleBasedDirectRunner(), options=options) as pipeline:
        found = pipeline | stream | beam.ParDo(WatchTopicLive(DEFAULT_SETTINGS, clock))
        assert_that(found, check)


def told(anomalies: list[Any]) -> list[tuple[int, str]]:
    return sorted(((a.hour - FIRST) // HOUR - DAYS, a.status) for a in anomalies)


def until(stream: TestStream, index: int) -> TestStream:
    return stream.advance_watermark_to((FIRST + index * HOUR) / 1e6)


def test_it_is_told_hour_by_hour_and_no_further_than_the_clock() -> None:
    """Even where the watermark runs ahead of it, as in a job that is drained."""
    stream = TestStream().add_elements([hour(index) for index in range(DAYS)])
    for index in range(DAYS, DAYS + 10):
        stream = until(stream, index)

    def check(anomalies: list[Any]) -> None:
        assert told(anomalies) == [(0, "open")] + [(n, "updated") for n in range(1, 6)]
        assert {(a.metric, a.direction) for a in anomalies} == {("posts", "down")}
        assert all("silence" in a.detector for a in anomalies)

    run(stream.advance_watermark_to_infinity(), check)


def test_posts_that_come_back_end_it() -> None:
    stream = TestStream().add_elements([hour(index) for index in range(DAYS)])
    for index in range(DAYS, DAYS + 4):
        stream = until(stream, index)
    stream = stream.add_elements([hour(DAYS + 3)])

    def check(anomalies: list[Any]) -> None:
        story = told(anomalies)
        assert story[0] == (0, "open")
        assert (2, "resolved") in story, story
        assert [n for n, _ in story if n < 3] == [0, 1, 2]  # the hour that it ended in: once
        assert 3 not in [n for n, _ in story]

    run(until(until(stream, DAYS + 4), DAYS + 5).advance_watermark_to_infinity(), check)


def test_a_stream_of_the_past_ends_without_a_silence() -> None:
    """A replay: nobody knows whether more was to come."""
    past = FIRST - 400 * HOUR
    stream = TestStream().add_elements([hour(index, first=past) for index in range(DAYS)])
    run(stream.advance_watermark_to_infinity(), lambda found: _none(found))


def _none(found: list[Any]) -> None:
    assert found == []


def test_each_topic_has_its_own_silence() -> None:
    stream = TestStream().add_elements(
        [hour(index, topic) for index in range(DAYS) for topic in ("dam", "river")]
        + [hour(index, "river") for index in range(DAYS, DAYS + 6)]
    )
    for index in range(DAYS, DAYS + 6):
        stream = until(stream, index)

    def check(anomalies: list[Any]) -> None:
        assert {a.topic for a in anomalies} == {"dam"}

    run(stream.advance_watermark_to_infinity(), check)


@pytest.mark.parametrize(
    ("behind", "expected"), [(1, "next"), (100, "present"), (400, None)], ids=str
)
def test_the_hour_that_is_asked_about_next(behind: int, expected: str | None) -> None:
    monitor = TopicMonitor("dam")
    assert next_silence(monitor, NOW) is None
    monitor.last_hour = NOW - NOW % HOUR - behind * HOUR
    hours = {"next": monitor.last_hour + HOUR, "present": NOW - NOW % HOUR - 3 * HOUR}
    assert next_silence(monitor, NOW) == (hours[expected] if expected else None)
