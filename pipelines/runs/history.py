"""What the warehouse already knows, for a run that adds to it."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.base.clock import datetime_of
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import WEEK, HourlyToxicity, HourSummary, Micros, ScoredPost
from mltox.warehouse import Warehouse, open_warehouse, read_records
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.detect import in_order

HISTORY = 8 * WEEK
"""A monitor has forgotten what lies longer ago than this."""


def monitors_before(warehouse: Warehouse, start: Micros) -> dict[str, TopicMonitor]:
    """A monitor for each topic, which has seen the hours before `start`."""
    rows = read_records(
        warehouse,
        "latest_hourly_toxicity",
        HourlyToxicity,
        where="hour >= ? AND hour < ?",
        params=(datetime_of(start - HISTORY), datetime_of(start)),
    )
    by_topic: dict[str, list[RolledUp]] = {}
    for row in rows:
        by_topic.setdefault(row.topic, []).append(
            RolledUp(HourSummary(row, (), (), ()), fresh=False)
        )
    monitors = {}
    for topic, hours in by_topic.items():
        monitors[topic] = TopicMonitor(topic)
        for hour in in_order(hours):
            monitors[topic].observe(hour.summary)
    return monitors


class ReadStoredPosts(beam.DoFn):
    """The stored posts of a stretch of time, from the warehouse that this process has open."""

    def __init__(self, uri: str, start: Micros, end: Micros) -> None:
        self._uri = uri
        self._range = start, end

    def process(self, _: None) -> Iterator[TimestampedValue]:
        with open_warehouse(self._uri) as whole, whole.during(*self._range) as warehouse:
            posts = read_records(
                warehouse,
                "latest_scored_posts",
                ScoredPost,
                where="created_at >= ? AND created_at < ?",
                params=list(map(datetime_of, self._range)),
            )
        for post in posts:
            yield TimestampedValue(post, Timestamp(micros=post.created_at))


def stored_posts(
    warehouse: Warehouse, start: Micros | None, end: Micros | None
) -> beam.PTransform | None:
    """A source of the posts that the warehouse holds of [start, end), or None if it has none."""
    if start is None or end is None:
        return None
    found = read_records(
        warehouse,
        "latest_hourly_toxicity",
        HourlyToxicity,
        where="hour >= ? AND hour < ?",
        params=(datetime_of(start), datetime_of(end)),
    )
    return _ReadStored(warehouse.uri, start, end) if found else None


class _ReadStored(beam.PTransform):
    def __init__(self, uri: str, start: Micros, end: Micros) -> None:
        super().__init__()
        self._read = ReadStoredPosts(uri, start, end)

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[ScoredPost]:
        return (
            pbegin
            | "Once" >> beam.Create([None])
            | "Rows" >> beam.ParDo(self._read).with_output_types(ScoredPost)
        )
