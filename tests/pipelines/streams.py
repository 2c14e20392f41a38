"""Streams of messages in event time, through the real graph under TestStream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue

from mltox.posts.authors import AuthorKeys
from mltox.posts.records import HourlyToxicity, Message
from mltox.posts.topics import TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE
from pipelines.graph import Settings, Tables, build
from pipelines.graph.modes import Stream
from pipelines.transforms.window import Panes

HOUR = 3600
T0 = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())
"""Noon of a Monday, in seconds since 1970: the hour 0 of these tests."""
SETTINGS = Settings(
    matcher=TopicMatcher([]),
    authors=AuthorKeys(b"a long enough key for tests"),
    bundle=str(DEFAULT_BUNDLE),
    threshold=0.4,
    default_topic="t",
)


def message(native_id: str, seconds: float, topic: str | None = None) -> Any:
    """A post of `seconds` after T0, in a message that Pub/Sub stamped with the same time."""
    moment = datetime.fromtimestamp(T0 + seconds, UTC)
    row = {"id": native_id, "text": "good morning", "created_at": moment.isoformat(), "lang": "en"}
    if topic is not None:
        row["topic"] = topic
    return TimestampedValue(Message(json.dumps(row).encode(), f"message {native_id}"), T0 + seconds)


def run(
    stream: TestStream,
    check: Callable[[Tables], object],
    settings: Settings = SETTINGS,
    batch_wait: float = 0,
    **panes: int,
) -> None:
    """Runs the graph over the stream; `check` asserts on its tables. `panes`: see Panes."""
    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    with beam.Pipeline(runner=BundleBasedDirectRunner(), options=options) as pipeline:
        check(build(pipeline | stream, settings, Stream(Panes(**panes), batch_wait)))


def hour_after_noon(row: HourlyToxicity) -> int:
    return (row.hour // 1_000_000 - T0) // HOUR


def last_counts(rows: Iterable[HourlyToxicity], topic: str = "t") -> dict[int, int]:
    """Hour -> posts, by the last revision."""
    ordered = sorted((row for row in rows if row.topic == topic), key=lambda row: row.revision)
    return {hour_after_noon(row): row.posts for row in ordered}


def hours_are(expected: dict[int, int], topic: str = "t") -> Callable[[list[Any]], None]:
    """For assert_that: the hours of the topic, each with the posts of its last revision."""

    def check(rows: list[Any]) -> None:
        assert last_counts(rows, topic) == expected, rows

    return check
