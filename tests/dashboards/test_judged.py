"""Which hours anybody looked at, and what was a gap."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashboards.judged import (
    AFTERWARDS,
    EARLY,
    GAP,
    JUDGED,
    UNJUDGED,
    hour_statuses,
    judged_sentence,
)
from dashboards.queries import Hour
from mltox.detection.gaps import HourSpan, gaps
from mltox.posts.records import HOUR

HourOf = Callable[..., Hour]


@pytest.mark.parametrize(
    ("hours", "runs"),
    [
        (6, [(UNJUDGED, 6)]),
        (72, [(UNJUDGED, 6), (EARLY, 66)]),
        (73, [(UNJUDGED, 6), (EARLY, 66), (JUDGED, 1)]),
        (100, [(UNJUDGED, 6), (EARLY, 66), (JUDGED, 28)]),
    ],
)
def test_six_hours_with_posts_are_not_judged_and_72_early(
    hour: HourOf, hours: int, runs: list[tuple[str, int]]
) -> None:
    found = hour_statuses([hour(at) for at in range(hours)], [], [])
    assert list(found.runs) == runs
    assert found.known == hours - 6


def test_hours_without_posts_do_not_warm_anything(hour: HourOf) -> None:
    sparse = [hour(2 * at) for at in range(73)]
    assert list(hour_statuses(sparse, [], []).runs) == [(UNJUDGED, 12), (EARLY, 132), (JUDGED, 1)]


def test_hours_judged_afterwards_are_known_and_said_to_be(hour: HourOf) -> None:
    found = hour_statuses([hour(at) for at in range(80)], [HourSpan(0, 80 * HOUR)], [])
    assert list(found.runs) == [(AFTERWARDS, 6), (EARLY, 66), (JUDGED, 8)]
    assert found.known == 80
    assert judged_sentence(found) == (
        "74 of 80 hours were judged, 66 of them early, when little was known,"
        " 6 from what came after them"
    )


def test_a_gap_is_neither_normal_nor_unjudged(hour: HourOf) -> None:
    rows = [hour(at) for at in (*range(80), *range(100, 110))]
    found = hour_statuses(rows, [], [HourSpan(80 * HOUR, 100 * HOUR)])
    assert list(found.runs) == [
        (UNJUDGED, 6),
        (EARLY, 66),
        (JUDGED, 8),
        (GAP, 20),
        (JUDGED, 10),
    ]
    assert "20 are a gap of the collection" in judged_sentence(found)


def test_nothing_is_nothing() -> None:
    assert hour_statuses([], [], []).known == 0


def collected(*runs: tuple[int, int, int]) -> list[tuple[int, int]]:
    """(from, to, posts an hour)"""
    return [(at * HOUR, posts) for start, end, posts in runs for at in range(start, end)]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (collected((0, 48, 20), (60, 100, 20)), [(48, 60)]),
        (collected((0, 48, 20), (49, 100, 20)), []),  # an hour
        (collected((0, 48, 20), (50, 100, 20)), [(48, 50)]),
        (collected((0, 48, 1), (60, 100, 1)), []),  # twelve posts would have come
        (collected((0, 48, 1), (72, 100, 1)), [(48, 72)]),
        (collected((0, 10, 20), (20, 30, 20), (200, 230, 20)), [(10, 20), (30, 200)]),
        (collected(), []),
        (collected((5, 6, 9)), []),
    ],
)
def test_a_gap_is_what_no_chance_explains(
    hours: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert [(gap.start // HOUR, gap.end // HOUR) for gap in gaps(hours)] == expected


def test_a_topic_that_always_posts_now_and_then_has_no_gaps() -> None:
    assert gaps([(at * 30 * HOUR, 3) for at in range(40)]) == []


def test_the_end_of_an_event_is_no_gap() -> None:
    """A few late replies after a storm: their own pace is the measure."""
    storm = collected((0, 48, 200))
    late = [((60 + 20 * i) * HOUR, 2) for i in range(30)]
    assert gaps([*storm, *late]) == []
