"""Late posts of a stream: they correct their hour, or are dead letters; none is lost."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that

from mltox.posts.formats import decode
from mltox.posts.records import HOUR as HOUR_MICROS
from mltox.posts.records import SECOND, Post
from pipelines.graph import Tables
from pipelines.transforms.too_late import may_be_late, shard_of, too_late_letter
from tests.pipelines.streams import HOUR, SETTINGS, T0, hours_are, message, run

LATENESS = 2 * HOUR
KEY = SETTINGS.authors.key("x", "somebody")


def letters_are(*native_ids: str) -> Any:
    def check(letters: list[Any]) -> None:
        found = sorted((each.stage, each.error_type, each.post_id) for each in letters)
        assert found == [("window", "too_late", f"file:{each}") for each in sorted(native_ids)]

    return check


def test_later_than_the_lateness_is_a_dead_letter_and_earlier_a_correction() -> None:
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("in time", 60)])
        .advance_watermark_to(T0 + HOUR + LATENESS - 1)
        .add_elements([message("late", 90)])
        .advance_watermark_to(T0 + HOUR + LATENESS + 1)
        .add_elements([message("too late", 90), message("next hour", HOUR)])
        .advance_watermark_to(T0 + 50 * HOUR)
        .add_elements([message("far too late", 95), message("now", 50 * HOUR)])
        .advance_watermark_to_infinity()
    )

    def check(tables: Tables) -> None:
        assert_that(tables.hourly_toxicity, hours_are({0: 2, 1: 1, 50: 1}), label="hours")
        assert_that(tables.dead_letters, letters_are("far too late", "too late"), label="letters")

    run(stream, check, lateness=LATENESS)


def test_a_late_post_of_a_quiet_hour_is_taken_until_the_hour_closes() -> None:
    """No post of the hour was seen before: its only pane is final, revision 1."""
    stream = (
        TestStream()
        .advance_watermark_to(T0 + 2 * HOUR)
        .add_elements([message("late", 90)])
        .advance_watermark_to_infinity()
    )

    def check(rows: list[Any]) -> None:
        assert [(row.revision, row.posts, row.is_final) for row in rows] == [(1, 1, True)]

    run(stream, lambda tables: assert_that(tables.hourly_toxicity, check), lateness=LATENESS)


def test_each_topic_of_a_post_has_its_own_letter() -> None:
    stream = (
        TestStream()
        .advance_watermark_to(T0 + 10 * HOUR)
        .add_elements([message("1", 0, "a"), message("1", 0, "b"), message("1", 0, "b")])
        .advance_watermark_to_infinity()
    )

    def check(letters: list[Any]) -> None:
        assert len({letter.letter_id for letter in letters}) == 2

    run(stream, lambda tables: assert_that(tables.dead_letters, check), lateness=LATENESS)


def test_posts_of_the_present_go_by_the_side_of_the_judgement_and_old_ones_through_it() -> None:
    """The clock says which can be late at all; both ways end in the same tables."""
    now = int(time.time()) - T0
    stream = (
        TestStream()
        .advance_watermark_to(T0)
        .add_elements([message("old", 60), message("new", now)])
        .advance_watermark_to_infinity()
    )
    expected = hours_are({0: 1, now // HOUR: 1})
    run(stream, lambda tables: assert_that(tables.hourly_toxicity, expected), lateness=LATENESS)


def post(created_at: int) -> Post:
    return Post("t", "x:1", "x", KEY, 'ünïcode "text"', "en", created_at, created_at + SECOND)


@pytest.mark.parametrize(
    ("hours_ago", "late"), [(0, False), (1, False), (2, True), (3, True), (30, True)]
)
def test_which_posts_may_be_late(hours_ago: int, late: bool) -> None:
    """With a lateness of two hours and one more for a watermark that runs ahead."""
    now = 1_000 * HOUR_MICROS
    assert may_be_late(post(now - hours_ago * HOUR_MICROS - 1), LATENESS, now) is late


def test_the_letter_holds_the_post_for_another_run() -> None:
    original = post(T0 * SECOND + 7)
    letter = too_late_letter(original, LATENESS, seen_at=1)
    (envelope,) = decode(letter.payload.encode(), authors=SETTINGS.authors, now=T0 * SECOND)
    assert envelope == (
        "x:1", "x", original.text, original.created_at, "en", KEY, ("t",)
    )  # fmt: skip
    assert letter.message == "the post's hour stopped to take posts at 2026-03-02 15:00 UTC"
    assert orjson.loads(letter.payload)["topics"] == ["t"]


def test_a_post_has_the_same_shard_on_every_worker() -> None:
    assert shard_of(post(0)) == 9
