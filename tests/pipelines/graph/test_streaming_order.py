"""Whatever the order, the bundles and the repeats of a stream: each post once, in its own hour."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that

from mltox.posts.records import HourlyToxicity
from pipelines.graph import Tables
from tests.pipelines.streams import HOUR, T0, hour_after_noon, hours_are, last_counts, message, run

EARLY = 60


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_batching_and_early_panes_move_no_post(seed: int) -> None:
    """Bundles of mixed hours, processing time that fires early panes between them, the watermark
    anywhere behind: hours as in the posts' own stamps."""
    generator = random.Random(seed)
    moments = [generator.uniform(0, 5 * HOUR) for _ in range(60)]
    moments += [0, HOUR - 1e-6, HOUR, 2 * HOUR - 0.5, 2 * HOUR]  # the edges of hours
    posts = [message(str(number), moment) for number, moment in enumerate(moments)]
    generator.shuffle(posts)
    stream = TestStream().advance_watermark_to(T0 - HOUR)
    watermark = -HOUR
    while posts:
        size = generator.randint(1, 15)
        stream.add_elements(posts[:size])
        del posts[:size]
        stream.advance_processing_time(generator.choice([1, EARLY + 1]))
        watermark += generator.randrange(HOUR)
        stream.advance_watermark_to(T0 + watermark)
    stream.advance_watermark_to_infinity()
    truth: dict[int, int] = {}
    for moment in moments:
        truth[int(moment // HOUR)] = truth.get(int(moment // HOUR), 0) + 1

    def check(tables: Tables) -> None:
        assert_that(tables.hourly_toxicity, hours_are(truth), label="hours")
        assert_that(tables.scored_posts, own_stamps(moments), label="posts")

    run(stream, check, early=EARLY)


def own_stamps(moments: list[float]) -> Any:
    def check(posts: list[Any]) -> None:
        found = {post.post_id: post.created_at for post in posts}
        assert len(found) == len(posts) == len(moments)
        for number, moment in enumerate(moments):
            assert abs(found[f"file:{number}"] - (T0 + moment) * 1e6) <= 1

    return check


def test_duplicates_within_and_across_bundles_count_once() -> None:
    twice = [message("1", 60), message("2", 90), message("1", 60)]
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements(twice)
        .advance_processing_time(EARLY + 1)
        .add_elements([message("2", 90)])
        .advance_watermark_to(T0 + 2 * HOUR)
        .add_elements([message("1", 60), message("3", 95)])  # late, and the repeat still known
        .advance_watermark_to_infinity()
    )

    def check(tables: Tables) -> None:
        assert_that(tables.hourly_toxicity, hours_are({0: 3}), label="hours")
        assert_that(tables.scored_posts, are_posts("1", "2", "3"), label="posts")

    run(stream, check, early=EARLY)


def are_posts(*native_ids: str) -> Any:
    def check(posts: list[Any]) -> None:
        assert sorted(post.post_id for post in posts) == [f"file:{each}" for each in native_ids]

    return check


def test_an_hour_with_no_posts_has_no_row_and_holds_up_none() -> None:
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("1", 60)])
        .advance_watermark_to(T0 + 5 * HOUR)
        .add_elements([message("2", 5 * HOUR + 60)])
        .advance_watermark_to(T0 + 9 * HOUR)
        .advance_watermark_to_infinity()
    )

    def check(rows: list[HourlyToxicity]) -> None:
        assert last_counts(rows) == {0: 1, 5: 1}
        assert {hour_after_noon(row) for row in rows if row.is_final} == {0, 5}

    run(stream, lambda tables: assert_that(tables.hourly_toxicity, check))


def test_a_topic_that_starts_later_has_its_own_hours() -> None:
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("1", 60, "old")])
        .advance_watermark_to(T0 + 30 * HOUR)
        .add_elements([message("2", 30 * HOUR, "old"), message("3", 30 * HOUR + 5, "new")])
        .advance_watermark_to(T0 + 31 * HOUR)
        .add_elements([message("4", 31 * HOUR, "new")])
        .advance_watermark_to_infinity()
    )

    def check(tables: Tables) -> None:
        for topic, hours in {"old": {0: 1, 30: 1}, "new": {30: 1, 31: 1}}.items():
            assert_that(tables.hourly_toxicity, hours_are(hours, topic), label=topic)

    run(stream, check)


def test_a_clock_that_runs_ahead_closes_no_hour_for_the_others() -> None:
    """A post of three hours ahead counts there, and what comes after it in its own hour."""
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("ahead", 3 * HOUR + 60), message("1", 60)])
        .advance_processing_time(EARLY + 1)
        .add_elements([message("2", 120)])
        .advance_watermark_to(T0 + HOUR)
        .add_elements([message("3", HOUR + 60)])
        .advance_watermark_to_infinity()
    )

    def check(tables: Tables) -> None:
        assert_that(tables.hourly_toxicity, hours_are({0: 2, 1: 1, 3: 1}), label="hours")
        assert_that(tables.dead_letters, has_none, label="letters")

    run(stream, check, early=EARLY)


def has_none(found: list[Any]) -> None:
    assert found == []


def test_a_stamp_of_more_than_a_day_ahead_is_a_dead_letter() -> None:
    ahead = datetime.now(UTC).timestamp() + 2 * 24 * HOUR - T0
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("far ahead", ahead), message("1", 60)])
        .advance_watermark_to_infinity()
    )

    def check(letters: list[Any]) -> None:
        assert [letter.post_id for letter in letters] == ["file:far ahead"]

    def both(tables: Tables) -> None:
        assert_that(tables.hourly_toxicity, hours_are({0: 1}), label="hours")
        assert_that(tables.dead_letters, check, label="letters")

    run(stream, both)


def test_panes_of_an_hour_count_up_and_are_final_from_the_watermark_on() -> None:
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("1", 60)])
        .advance_processing_time(EARLY + 1)
        .add_elements([message("2", 90)])
        .advance_processing_time(EARLY + 1)
        .add_elements([message("3", 95)])
        .advance_watermark_to(T0 + HOUR)
        .add_elements([message("4", 99)])
        .add_elements([message("5", 100)])
        .advance_watermark_to_infinity()
    )

    def check(rows: list[HourlyToxicity]) -> None:
        panes = sorted((row.revision, row.posts, row.is_final) for row in rows)
        assert panes == [(1, 1, False), (2, 2, False), (3, 3, True), (4, 4, True), (5, 5, True)]
        assert all(a.updated_at <= b.updated_at for a, b in pairwise(sorted_by_revision(rows)))

    run(stream, lambda tables: assert_that(tables.hourly_toxicity, check), early=EARLY)


def sorted_by_revision(rows: list[HourlyToxicity]) -> list[HourlyToxicity]:
    return sorted(rows, key=lambda row: row.revision)


def test_the_detector_judges_whole_hours_whatever_panes_came_before() -> None:
    """Ten quiet days, then forty posts in an hour of which early panes show thirty, and one more
    when it has been judged."""
    quiet = 10 * 24
    stream = TestStream().advance_watermark_to(T0)
    stream.add_elements(
        [message(f"{hour}-{i}", hour * HOUR + 60 * i) for hour in range(quiet) for i in range(5)]
    )
    for part in range(4):
        stream.add_elements(
            [message(f"surge-{part}-{i}", quiet * HOUR + 60 * part + i) for i in range(10)]
        )
        stream.advance_processing_time(EARLY + 1 if part < 3 else 1)
        stream.advance_watermark_to(T0 + (quiet - 3 + part) * HOUR)
    stream.advance_watermark_to(T0 + (quiet + 2) * HOUR)
    stream.add_elements([message("late", quiet * HOUR + 600)])
    stream.advance_watermark_to_infinity()

    def check(anomalies: list[Any]) -> None:
        found = [(a.metric, (a.hour // 1_000_000 - T0) // HOUR, a.observed) for a in anomalies]
        assert found == [("posts", quiet, 40.0)]

    run(stream, lambda tables: assert_that(tables.anomalies, check), early=EARLY)
