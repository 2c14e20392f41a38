"""What a detector must find, and what it must let pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.detection.detector import POSTS, TOXIC_SHARE, WARM_UP_HOURS, SeasonalDetector, Verdict
from mltox.posts.records import HOUR


def day_shape(hour: int, mean: float) -> float:
    return mean * math.exp(0.7 * math.sin(2 * math.pi * hour / 24))


def count_verdicts(detector: SeasonalDetector, counts: list[float]) -> list[Verdict | None]:
    return [detector.observe(hour * HOUR, y, y) for hour, y in enumerate(counts)]


def anomalous(verdicts: list[Verdict | None]) -> list[int]:
    return [hour for hour, v in enumerate(verdicts) if v is not None and v.anomalous]


def poisson_counts(hours: int, mean: float, seed: int = 0) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(rng.poisson(day_shape(hour, mean))) for hour in range(hours)]


def test_nothing_is_judged_while_warming_up() -> None:
    verdicts = count_verdicts(SeasonalDetector(POSTS), [1.0] * (WARM_UP_HOURS - 1) + [1e6, 1.0])
    assert verdicts[:WARM_UP_HOURS] == [None] * WARM_UP_HOURS
    assert verdicts[WARM_UP_HOURS] is not None


def test_normal_weeks_are_quiet() -> None:
    false_alarms = sum(
        len(anomalous(count_verdicts(SeasonalDetector(POSTS), poisson_counts(1344, 30.0, seed))))
        for seed in range(5)
    )
    assert false_alarms <= 3  # of 6,360 judged hours


def test_learns_the_shape_of_the_day() -> None:
    detector = SeasonalDetector(POSTS)
    count_verdicts(detector, poisson_counts(28 * 24, 40.0))
    for hour in range(28 * 24, 29 * 24):
        assert detector.expected(hour * HOUR) == pytest.approx(day_shape(hour, 40.0), rel=0.25)


def test_learns_the_shape_of_the_week() -> None:
    detector = SeasonalDetector(POSTS)
    rng = np.random.default_rng(0)
    weekend = [20.0 if hour // 24 % 7 >= 5 else 80.0 for hour in range(8 * 168)]
    verdicts = count_verdicts(detector, [float(rng.poisson(mean)) for mean in weekend])
    assert [hour for hour in anomalous(verdicts) if hour >= 4 * 168] == []
    assert detector.expected((8 * 168 + 6 * 24) * HOUR) == pytest.approx(20.0, rel=0.3)
    assert detector.expected((8 * 168 + 2 * 24) * HOUR) == pytest.approx(80.0, rel=0.3)


def test_finds_a_spike_at_once_and_does_not_learn_it() -> None:
    counts = poisson_counts(700, 30.0)
    counts[600] *= 5
    detector = SeasonalDetector(POSTS)
    verdicts = count_verdicts(detector, counts)
    assert anomalous(verdicts) == [600]
    spike = verdicts[600]
    assert spike is not None
    assert spike.direction == "up"
    assert spike.lower < spike.expected < spike.upper < spike.observed
    assert detector.expected(768 * HOUR) == pytest.approx(day_shape(768, 30.0), rel=0.3)


def test_finds_a_lasting_surge_that_no_single_hour_shows() -> None:
    rng = np.random.default_rng(5)
    detector = SeasonalDetector(TOXIC_SHARE)
    found = []
    for hour in range(700):
        share = 0.26 if 600 <= hour < 612 else 0.13
        toxic = round(60 * share) if hour >= 600 else int(rng.binomial(60, share))
        verdict = detector.observe(hour * HOUR, toxic / 60, 60.0)
        if verdict is not None and verdict.anomalous:
            found.append((hour, verdict.window))
    assert found
    assert all(600 <= hour < 612 for hour, _ in found)
    assert found[0][1] > 1


def test_an_hour_of_three_posts_never_alarms() -> None:
    detector = SeasonalDetector(TOXIC_SHARE)
    rng = np.random.default_rng(1)
    for hour in range(500):
        detector.observe(hour * HOUR, rng.binomial(50, 0.05) / 50, 50.0)
    verdict = detector.observe(500 * HOUR, 1.0, 3.0)
    assert verdict is not None
    assert not verdict.anomalous


def test_an_outage_is_an_anomaly_downwards() -> None:
    counts = poisson_counts(700, 60.0)
    counts[600:604] = [0.0] * 4
    verdicts = count_verdicts(SeasonalDetector(POSTS), counts)
    found = anomalous(verdicts)
    assert set(found) >= {601, 602, 603}
    assert set(found) <= {600, 601, 602, 603}
    assert verdicts[602] is not None
    assert verdicts[602].direction == "down"


def test_a_new_level_is_an_incident_of_two_days_at_most() -> None:
    counts = poisson_counts(500, 30.0) + poisson_counts(500, 120.0, seed=9)
    found = anomalous(count_verdicts(SeasonalDetector(POSTS), counts))
    assert found[0] in range(500, 504)
    assert found[-1] < 548


def test_a_topic_that_ends_falls_silent() -> None:
    counts = poisson_counts(500, 30.0) + [0.0] * 500
    found = anomalous(count_verdicts(SeasonalDetector(POSTS), counts))
    assert 500 <= found[0] < 505
    assert found[-1] < 560


def test_a_flat_line_is_normal_and_a_step_from_it_is_not() -> None:
    verdicts = count_verdicts(SeasonalDetector(POSTS), [50.0] * 400 + [150.0] + [50.0] * 20)
    assert anomalous(verdicts) == [400]


def test_zeros_for_ever_then_a_few_posts() -> None:
    verdicts = count_verdicts(SeasonalDetector(POSTS), [0.0] * 400 + [2.0, 0.0, 400.0])
    assert anomalous(verdicts) == [402]


def test_the_band_is_where_the_alarm_begins() -> None:
    history = poisson_counts(600, 30.0)
    trial = SeasonalDetector(POSTS)
    count_verdicts(trial, history)
    far = trial.observe(600 * HOUR, 500.0, 500.0)
    assert far is not None
    for value, expected in ((math.ceil(far.upper), True), (math.floor(far.upper), False)):
        detector = SeasonalDetector(POSTS)
        count_verdicts(detector, history)
        verdict = detector.observe(600 * HOUR, float(value), float(value))
        assert verdict is not None
        assert verdict.anomalous is expected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 100_000), min_size=80, max_size=120))
def test_any_counts_give_ordered_bands(counts: list[int]) -> None:
    for verdict in count_verdicts(SeasonalDetector(POSTS), [float(y) for y in counts]):
        if verdict is not None and verdict.anomalous:
            assert 0 <= verdict.lower <= verdict.expected <= verdict.upper
            assert not verdict.lower <= verdict.observed <= verdict.upper
            assert abs(verdict.score) >= POSTS.threshold


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5000)), min_size=80, max_size=120))
def test_any_shares_give_ordered_bands(hours: list[tuple[float, int]]) -> None:
    detector = SeasonalDetector(TOXIC_SHARE)
    for index, (share, posts) in enumerate(hours):
        verdict = detector.observe(index * HOUR, share, float(posts))
        if verdict is not None and verdict.anomalous:
            assert 0 <= verdict.lower <= verdict.expected <= verdict.upper <= 1
            assert not verdict.lower <= verdict.observed <= verdict.upper
