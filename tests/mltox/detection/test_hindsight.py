"""Verdicts that know all hours: the first ones are judged as the last ones are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.detection.hindsight import LEAST_OBSERVED_HOURS, ObservedHour, judge
from mltox.posts.records import HOUR


def posts(*counts: float) -> list[ObservedHour]:
    return [ObservedHour(i * HOUR, float(n), float(n)) for i, n in enumerate(counts)]


def shares(values: list[float], of: float = 200.0) -> list[ObservedHour]:
    return [ObservedHour(i * HOUR, value, of) for i, value in enumerate(values)]


def noisy(level: float, hours: int, seed: int = 1, of: int = 200) -> list[float]:
    random = np.random.default_rng(seed)
    return [float(n) / of for n in random.binomial(of, level, hours)]


def found(metric: str, hours: list[ObservedHour]) -> list[tuple[int, str]]:
    return [(each.hour // HOUR, each.direction) for each in judge(metric, hours)]


def test_a_surge_in_the_first_hours_of_a_file_is_found() -> None:
    """72 hours, all of them a warm-up to who judges from the hours before."""
    values = [0.11] * 2 + [0.28] * 4 + noisy(0.11, 66)
    assert [hour for hour, _ in found("toxic_share", shares(values))] == [2, 3, 4, 5]


def test_calm_hours_have_nothing() -> None:
    for seed in range(20):
        assert found("toxic_share", shares(noisy(0.1, 200, seed), 200.0)) == []


def test_a_level_that_stays_is_no_incident() -> None:
    values = [*noisy(0.10, 100, 1), *noisy(0.25, 100, 2)]
    assert len(found("toxic_share", shares(values))) <= 1


def test_few_posts_are_no_evidence() -> None:
    values = noisy(0.1, 100)
    values[50] = 1.0
    hours = shares(values)
    assert found("toxic_share", hours) == [(50, "up")]
    hours[50] = hours[50]._replace(posts=9.0)
    assert found("toxic_share", hours) == []


def test_a_small_change_does_not_matter_however_certain() -> None:
    values = noisy(0.10, 100, of=10_000)
    values[50] = 0.125
    assert found("toxic_share", shares(values, 100_000.0)) == []


def test_bursts_are_told_by_their_peaks() -> None:
    """Two surges of a collection that is silent half of the time."""
    counts = [0.0, 2.0, 1.0, 0.0] * 30
    for at, peak in ((30, 900.0), (80, 300.0)):
        counts[at - 2 : at + 3] = [peak / 9, peak / 3, peak, peak / 3, peak / 9]
    hours = [hour for hour, _ in found("posts", posts(*counts))]
    assert {30, 80} <= set(hours)
    assert all(min(abs(h - 30), abs(h - 80)) <= 2 for h in hours)


def test_a_night_is_no_anomaly_and_a_broken_habit_is() -> None:
    day = [200.0 + 150.0 * math.sin(2 * math.pi * (h - 9) / 24) for h in range(24)]
    counts = [n + 5.0 * (i % 7) for i, n in enumerate(day * 21)]
    assert found("posts", posts(*counts)) == []
    counts[14 * 24 + 15] = 5.0
    counts[16 * 24 + 3] = 900.0
    assert found("posts", posts(*counts)) == [(14 * 24 + 15, "down"), (16 * 24 + 3, "up")]


def test_of_a_short_collection_nothing_is_called_silent() -> None:
    day = [200.0 + 190.0 * math.sin(2 * math.pi * h / 24) for h in range(24)]
    assert all(direction == "up" for _, direction in found("posts", posts(*day * 4)))


@pytest.mark.parametrize("metric", ["posts", "toxic_share", "mean_toxicity"])
def test_next_to_nothing_is_judged_by_nobody(metric: str) -> None:
    assert judge(metric, []) == []
    few = [
        ObservedHour(i * HOUR, 0.9 if i == 3 else 0.1, 500.0)
        for i in range(LEAST_OBSERVED_HOURS - 1)
    ]
    assert judge(metric, few) == []


@settings(deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=1, max_size=120))
def test_any_counts_give_finite_verdicts_within_their_words(counts: list[int]) -> None:
    for each in judge("posts", posts(*map(float, counts))):
        assert math.isfinite(each.score) and each.lower <= each.expected <= each.upper
        assert (each.score > 0) == (each.observed > each.expected)
        assert each.severity in {"info", "warning", "critical"}
