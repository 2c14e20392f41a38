"""What a detector must find, and what it must let pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.detection.detector import (
    FIRST_JUDGED,
    MEAN_TOXICITY,
    POSTS,
    TOXIC_SHARE,
    WARM_UP_HOURS,
    SeasonalDetector,
    Verdict,
)
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


def test_nothing_is_judged_in_the_first_six_hours() -> None:
    verdicts = count_verdicts(SeasonalDetector(POSTS), [1.0] * (FIRST_JUDGED - 1) + [1e6, 1.0])
    assert verdicts[:FIRST_JUDGED] == [None] * FIRST_JUDGED
    assert verdicts[FIRST_JUDGED] is not None


def test_the_first_days_are_judged_as_early() -> None:
    verdicts = count_verdicts(SeasonalDetector(POSTS), poisson_counts(100, 30.0))[FIRST_JUDGED:]
    assert [v.early for v in verdicts if v is not None] == [True] * (
        WARM_UP_HOURS - FIRST_JUDGED
    ) + [False] * (100 - WARM_UP_HOURS)


def test_a_surge_on_the_first_day_is_found() -> None:
    counts = [40.0] * 12 + [600.0, 700.0] + [40.0] * 10
    assert anomalous(count_verdicts(SeasonalDetector(POSTS), counts))[0] == 12


def incidents(hours: list[int]) -> int:
    return sum(hour - 1 not in hours for hour in hours)


@pytest.mark.parametrize("rate", [1.0, 8.0])
def test_a_normal_series_alarms_no_more_often_than_was_asked(rate: float) -> None:
    """Its metric may use `up + down + 2 new_level` of the topic's rate."""
    settings, months = POSTS, 4 * 1338 / 720
    found = sum(
        incidents(anomalous(count_verdicts(SeasonalDetector(settings, rate), poisson)))
        for poisson in (poisson_counts(1344, 30.0, seed) for seed in range(4))
    )
    allowed = settings.up + settings.down + 2 * settings.new_level
    assert found / months <= 2.0 * rate * allowed
    assert rate == 1.0 or found / months >= 0.5 * rate * allowed


def test_a_greater_rate_alarms_more() -> None:
    few, many = (
        len(anomalous(count_verdicts(SeasonalDetector(POSTS, rate), poisson_counts(1344, 30.0))))
        for rate in (0.1, 30.0)
    )
    assert few < many


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_number_is_refused_and_counted(value: float) -> None:
    detector, clean = SeasonalDetector(POSTS), SeasonalDetector(POSTS)
    counts = poisson_counts(300, 30.0)
    count_verdicts(detector, counts)
    count_verdicts(clean, counts)
    assert detector.observe(300 * HOUR, value, value) is None
    assert detector.refused == 1
    assert detector.expected(301 * HOUR) == pytest.approx(clean.expected(301 * HOUR))
    surge = detector.observe(301 * HOUR, 500.0, 500.0)
    assert surge is not None
    assert surge.anomalous


@pytest.mark.parametrize(("share", "posts"), [(1.5, 10.0), (0.5, 0.0), (0.5, math.nan)])
def test_a_share_that_can_be_none_is_refused(share: float, posts: float) -> None:
    detector = SeasonalDetector(TOXIC_SHARE)
    assert detector.observe(0, share, posts) is None
    assert detector.refused == 1


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
    detector = SeasonalDetector(POSTS, 0.1)
    verdicts = count_verdicts(detector, counts)
    assert anomalous(verdicts) == [600]
    spike = verdicts[600]
    assert spike is not None
    assert (spike.direction, spike.kind) == ("up", "surge")
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


def test_a_silence_is_told_of_while_it_lasts_and_not_learnt() -> None:
    counts = poisson_counts(700, 60.0)
    counts[600:650] = [0.0] * 50
    detector = SeasonalDetector(POSTS, 0.1)
    verdicts = count_verdicts(detector, counts)
    found = anomalous(verdicts)
    assert set(range(601, 650)) <= set(found) <= set(range(600, 650))
    assert {verdicts[hour].kind for hour in found} == {"silence"}  # type: ignore[union-attr]
    assert detector.expected(700 * HOUR) == pytest.approx(day_shape(700, 60.0), rel=0.3)


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("noisy", [False, True])
def test_a_step_is_found_within_a_day_and_said_once(share: bool, up: bool, noisy: bool) -> None:
    """Fifty an hour times or through 1.5; a share of a tenth (of 50 posts) doubled or halved."""
    low, high = (0.1, 0.2) if share else (50.0, 75.0)
    before, after = (low, high) if up else (high, low)
    rng = np.random.default_rng(5)
    detector = SeasonalDetector(TOXIC_SHARE if share else POSTS)
    found = []
    for hour in range(600 + 240):
        mean = before if hour < 600 else after
        value = mean
        if noisy:
            value = rng.binomial(50, mean) / 50 if share else float(rng.poisson(mean))
        verdict = detector.observe(hour * HOUR, value, 50.0 if share else value)
        if verdict is not None and verdict.anomalous:
            found.append((hour, verdict))
    levels = [(hour, verdict) for hour, verdict in found if verdict.kind == "new_level"]
    assert len(levels) == 1
    hour, level = levels[0]
    assert 600 <= hour < 624
    assert level.direction == ("up" if up else "down")
    assert 595 <= hour - level.window + 1 <= 604  # since when
    assert max(hour for hour, _ in found) < 624


def test_the_return_to_the_level_before_is_no_news() -> None:
    counts = poisson_counts(500, 60.0) + [2.0 * y for y in poisson_counts(572, 60.0)[500:]]
    counts += poisson_counts(672, 60.0)[572:]
    verdicts = count_verdicts(SeasonalDetector(POSTS, 0.1), counts)
    found = anomalous(verdicts)
    assert [verdicts[hour].kind for hour in found].count("new_level") == 1  # type: ignore[union-attr]
    assert all(500 <= hour < 524 for hour in found)


def test_a_topic_that_ends_falls_silent_for_a_week() -> None:
    counts = poisson_counts(500, 30.0) + [0.0] * 500
    found = anomalous(count_verdicts(SeasonalDetector(POSTS, 0.1), counts))
    assert 500 <= found[0] < 505
    assert found == list(range(found[0], found[0] + 168))


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
            assert verdict.kind in ("surge", "silence", "new_level")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5000)), min_size=80, max_size=120))
def test_any_shares_give_ordered_bands(hours: list[tuple[float, int]]) -> None:
    detector = SeasonalDetector(TOXIC_SHARE)
    for index, (share, posts) in enumerate(hours):
        verdict = detector.observe(index * HOUR, share, float(posts))
        if verdict is not None and verdict.anomalous:
            assert 0 <= verdict.lower <= verdict.expected <= verdict.upper <= 1
            assert not verdict.lower <= verdict.observed <= verdict.upper


def test_support_of_another_metric_tips_the_scales() -> None:
    """A rise that is no incident alone is one where the posts rise as well."""
    rng = np.random.default_rng(2)
    toxic = [float(rng.binomial(60, 0.1)) / 60 for _ in range(500)]
    lone, supported = SeasonalDetector(MEAN_TOXICITY), SeasonalDetector(MEAN_TOXICITY)
    for hour, value in enumerate(toxic):
        lone.observe(hour * HOUR, value, 60.0)
        supported.observe(hour * HOUR, value, 60.0)
    scores = [
        verdict.score
        for detector, support in ((lone, 0.0), (supported, 4.0))
        if (verdict := detector.observe(500 * HOUR, 0.22, 60.0, support)) is not None
    ]
    assert scores[0] < scores[1]
