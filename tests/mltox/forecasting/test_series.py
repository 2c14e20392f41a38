"""Rows made a history, and when there is no forecast to be had."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.forecasting.series import history_of, why_not
from mltox.posts.records import HOUR
from tests.mltox.forecasting.histories import START


def at(hours: list[int]) -> np.ndarray:
    return START + np.array(hours, dtype=np.int64) * HOUR


def test_missing_hours_are_no_posts_and_an_unknown_share() -> None:
    posts = history_of("posts", at([0, 2]), np.array([4.0, 6.0]), None, START + 4 * HOUR)
    assert posts is not None
    assert posts.values.tolist() == [4.0, 0.0, 6.0, 0.0]
    assert posts.grain == 1.0
    share = history_of(
        "toxic_share", at([0, 2]), np.array([0.5, 0.1]), np.array([4.0, 6.0]), START + 4 * HOUR
    )
    assert share is not None
    assert share.values.tolist() == pytest.approx([0.5, np.nan, 0.1, np.nan], nan_ok=True)
    assert share.posts.tolist() == [4.0, 0.0, 6.0, 0.0]
    assert share.grain == 0.0


def test_hours_from_the_origin_on_and_numbers_that_are_none_are_not_looked_at() -> None:
    values = np.array([1.0, np.inf, 2.0, 99.0])
    found = history_of("posts", at([0, 1, 2, 3]), values, None, START + 3 * HOUR)
    assert found is not None
    assert found.values.tolist() == [1.0, 0.0, 2.0]


def test_a_history_begins_where_something_is_known() -> None:
    values = np.array([5.0] + [4.0] * 300)
    hours = at([0, *range(200, 500)])
    found = history_of("posts", hours, values, None, START + 500 * HOUR)
    assert found is not None
    assert (found.start, len(found)) == (START, 500)
    gap = ((START, START + 200 * HOUR),)
    found = history_of("posts", hours, values, None, START + 500 * HOUR, gap)
    assert found is not None
    assert (found.start, len(found)) == (START + 200 * HOUR, 300)


def test_gaps_of_the_collection_are_unknown() -> None:
    values = np.full(200, 3.0)
    gap = ((START + 50 * HOUR, START + 56 * HOUR),)
    found = history_of("posts", at(list(range(200))), values, None, START + 200 * HOUR, gap)
    assert found is not None
    assert np.flatnonzero(np.isnan(found.values)).tolist() == list(range(50, 56))


@pytest.mark.parametrize(
    ("hours", "metric", "reason"),
    [
        (6 * 24, "posts", "6.0 days of history, and it takes 7"),
        (7 * 24, "posts", None),
        (60, "toxic_share", "2.5 days"),
    ],
)
def test_least_history(hours: int, metric: str, reason: str | None) -> None:
    values = np.full(hours, 0.5)
    found = why_not(
        history_of(metric, at(list(range(hours))), values, values, START + hours * HOUR)
    )
    assert (found is None) if reason is None else (found is not None and reason in found)


def test_a_share_of_few_hours_is_no_series() -> None:
    hours = at(list(range(0, 24 * 20, 12)))
    values = np.full(len(hours), 0.5)
    run_at = START + 24 * 20 * HOUR
    found = why_not(history_of("toxic_share", hours, values, values, run_at))
    assert found == "no forecast yet: 40 hours with a value, and it takes 72"


def test_a_topic_that_ended() -> None:
    values = np.full(24 * 20, 5.0)
    hours = at(list(range(24 * 20)))
    for days, ended in ((2, False), (4, True)):
        found = why_not(history_of("posts", hours, values, None, START + 24 * (20 + days) * HOUR))
        assert (found is not None) == ended
    assert found == "no forecast: no posts for 4 days, the topic has ended"


def test_nothing_at_all() -> None:
    assert history_of("posts", at([]), np.array([]), None, START) is None
    assert history_of("toxic_share", at([0]), np.array([np.nan]), None, START + HOUR) is None
