"""The same graph on a stream: event time, panes, duplicates, late posts."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that
from apache_beam.transforms.window import TimestampedValue

from mltox.posts.authors import AuthorKeys
from mltox.posts.records import HourlyToxicity, Message
from mltox.posts.topics import TopicMatcher
from mltox.scoring import DEFAULT_BUNDLE, load_bundle
from pipelines.graph import Settings, Tables, build
from pipelines.graph.modes import Stream

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = 3600
T0 = int(NOON.timestamp())


def message(native_id: str, seconds_after_noon: int, text: str = "good morning") -> Any:
    moment = datetime.fromtimestamp(T0 + seconds_after_noon, UTC)
    row = {"id": native_id, "text": text, "created_at": moment.isoformat(), "lang": "en"}
    return TimestampedValue(
        Message(json.dumps(row).encode(), f"message {native_id}"), T0 + seconds_after_noon
    )


def run(stream: TestStream, check: Callable[[Tables], None]) -> None:
    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    settings = Settings(
        matcher=TopicMatcher([]),
        authors=AuthorKeys(b"a long enough key for tests"),
        bundle=str(DEFAULT_BUNDLE),
        threshold=load_bundle(DEFAULT_BUNDLE).threshold,
        default_topic="t",
    )
    with beam.Pipeline(runner=BundleBasedDirectRunner(), options=options) as pipeline:
        check(build(pipeline | stream, settings, Stream()))


def last_counts(rows: list[HourlyToxicity]) -> dict[int, int]:
    """Hour (after noon) -> posts, by the last revision."""
    ordered = sorted(rows, key=lambda row: row.revision)
    return {(row.hour // 1_000_000 - T0) // HOUR: row.posts for row in ordered}


def hours_are(expected: dict[int, int]) -> Callable[[list[HourlyToxicity]], None]:
    def check(rows: list[HourlyToxicity]) -> None:
        assert last_counts(rows) == expected, rows

    return check


def test_each_post_counts_once_in_its_own_hour() -> None:
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("1", 60), message("2", HOUR + 5), message("3", 30)])
        .add_elements([message("1", 60), message("2", HOUR + 5)])
        .advance_watermark_to(T0 + HOUR)
        .add_elements([message("2", HOUR + 5), message("4", HOUR + 9), message("5", 3 * HOUR)])
        .advance_watermark_to_infinity()
    )
    run(stream, lambda tables: assert_that(tables.hourly_toxicity, hours_are({0: 2, 1: 2, 3: 1})))


def test_a_late_post_corrects_its_hour_with_a_higher_revision() -> None:
    def check(rows: list[HourlyToxicity]) -> None:
        noon = sorted((row.revision, row.posts) for row in rows if row.hour == T0 * 1_000_000)
        assert noon == [(1, 1), (2, 2)]

    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("1", 60)])
        .advance_watermark_to(T0 + 2 * HOUR)
        .add_elements([message("2", 120)])
        .advance_watermark_to_infinity()
    )
    run(stream, lambda tables: assert_that(tables.hourly_toxicity, check))


def test_malformed_messages_are_dead_letters_of_the_stream() -> None:
    def check(letters: list[Any]) -> None:
        assert [letter.error_type for letter in letters] == ["malformed_json"]

    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([TimestampedValue(Message(b"{nonsense", "m"), T0), message("1", 60)])
        .advance_watermark_to_infinity()
    )
    run(stream, lambda tables: assert_that(tables.dead_letters, check))


def test_hours_reach_the_detector_in_order_however_they_came() -> None:
    """A quiet week of five posts an hour, then forty in one hour, arriving before its forerunners:
    the detector must still see the surge last, and flag it alone."""
    week = [
        message(f"{hour}-{i}", hour * HOUR + 60 * i) for hour in range(10 * 24) for i in range(5)
    ]
    surge = [message(f"surge-{i}", 10 * 24 * HOUR + 20 * i) for i in range(40)]

    def check(anomalies: list[Any]) -> None:
        found = {(a.metric, (a.hour // 1_000_000 - T0) // HOUR, a.observed) for a in anomalies}
        assert found == {("posts", 240, 40.0)}

    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements(surge)
        .add_elements(week[::-1])
        .advance_watermark_to(T0 + 300 * HOUR)
        .advance_watermark_to_infinity()
    )
    run(stream, lambda tables: assert_that(tables.anomalies, check))
