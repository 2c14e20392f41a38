"""Nobody wrote, or nothing was collected."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mltox.forecasting.outages import collection_gaps, unknown_hours
from mltox.posts.records import HOUR


def busy(days: int, rate: float = 5.0) -> np.ndarray:
    return np.random.default_rng(0).poisson(rate, 24 * days).astype(float)


def test_a_busy_topic_does_not_fall_silent_for_days() -> None:
    posts = busy(28)
    posts[300:372] = 0
    expected = np.zeros(len(posts), dtype=bool)
    expected[300:372] = True
    found = unknown_hours(posts)
    assert found[300:372].all()
    assert found.sum() <= expected.sum() + 2


def test_a_quiet_topic_does() -> None:
    posts = np.zeros(24 * 28)
    posts[::40] = 1.0
    assert not unknown_hours(posts).any()


def test_a_night_is_no_outage() -> None:
    posts = np.tile(np.where(np.arange(24) < 10, 0.0, 20.0), 28)
    assert not unknown_hours(posts).any()


def test_weekends_without_posts_are_a_habit_and_one_silent_weekend_is_not() -> None:
    week = np.concatenate([np.full(120, 10.0), np.zeros(48)])
    assert not unknown_hours(np.tile(week, 6)).any()
    always = np.full(6 * 168, 10.0)
    always[120:168] = 0
    assert unknown_hours(always).sum() == 48


def test_the_end_of_a_topic_is_unknown_too() -> None:
    posts = np.concatenate([busy(28), np.zeros(24 * 9)])
    assert unknown_hours(posts)[24 * 28 :].all()


def test_silent_hours_of_a_whole_collection_are_a_gap_and_its_nights_are_none() -> None:
    def hours(posts: np.ndarray) -> list[tuple[int, int]]:
        return [(hour * HOUR, int(n)) for hour, n in enumerate(posts) if n]

    posts = busy(21, 50.0)
    posts[100:107] = 0
    assert collection_gaps(hours(posts)) == ((100 * HOUR, 107 * HOUR),)
    nights = np.tile(np.where(np.arange(24) < 8, 0.0, 50.0), 28)
    assert collection_gaps(hours(nights)) == ()
    nights[300:330] = 0
    assert len(collection_gaps(hours(nights))) == 1
    assert collection_gaps([]) == ()


@given(st.lists(st.integers(0, 30), max_size=300))
def test_only_hours_without_posts_are_ever_unknown(posts: list[int]) -> None:
    array = np.array(posts, dtype=float)
    assert not (unknown_hours(array) & (array > 0)).any()
