"""The seasonal state: whom a surprise teaches, and how much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.detection.season import Drift, SeasonalState, VariancePart
from mltox.posts.records import HOUR

DRIFT = Drift(
    VariancePart(4.0, 0.01),
    VariancePart(0.5, 0.0),
    VariancePart(0.25, 0.0),
    VariancePart(0.25, 0.0),
)


def test_a_move_is_shared_by_variance() -> None:
    season = SeasonalState(DRIFT)
    later_that_day, next_day, next_week = 31 * HOUR, 54 * HOUR, 198 * HOUR
    season.learn(30 * HOUR, move=1.0, noise=1.0, level_move=1.0, level_noise=1.0)
    assert season.level == pytest.approx(0.8)
    assert season.eta(later_that_day) == pytest.approx(0.8 + 0.05)
    assert season.eta(next_day) == pytest.approx(0.8 + 0.1)
    assert season.eta(next_week) == pytest.approx(1.0)
    assert season.eta(30 * HOUR) == pytest.approx(1.0)


def test_learning_lowers_variance_and_time_raises_the_levels() -> None:
    season = SeasonalState(DRIFT)
    season.learn(0, move=1.0, noise=1.0, level_move=1.0, level_noise=1.0)
    # 4 (1 - 4 / (5 + 1)): Kalman's update of one part
    assert season.level_variance == pytest.approx(4 / 3)
    season.pass_time(10)
    assert season.level_variance == pytest.approx(4 / 3 + 0.1)
    season.pass_time(10_000)
    assert season.level_variance == DRIFT.level.start


def test_the_level_learns_by_a_move_and_a_noise_of_its_own() -> None:
    season = SeasonalState(DRIFT)
    season.learn(0, move=0.0, noise=1.0, level_move=0.5, level_noise=3.0)
    assert season.level == pytest.approx(0.5 * 4 / 5)
    assert season.level_variance == pytest.approx(4 * (1 - 4 / (5 + 3)))


def test_looking_at_an_hour_tells_all_of_it() -> None:
    season = SeasonalState(DRIFT)
    season.learn(30 * HOUR, move=1.0, noise=1.0, level_move=1.0, level_noise=1.0)
    assert season.look(31 * HOUR) == (
        season.eta(31 * HOUR),
        season.common_variance(31 * HOUR),
        season.slot_variance(31 * HOUR),
    )


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(-3, 3)), max_size=40))
def test_variances_stay_between_nothing_and_where_they_began(
    moves: list[tuple[int, float]],
) -> None:
    season = SeasonalState(DRIFT)
    for hour, move in moves:
        season.pass_time()
        season.learn(hour * HOUR, move, 0.1, level_move=move, level_noise=0.3)
    assert 0 < season.level_variance <= DRIFT.level.start
    for hour in range(168):
        assert 0 < season.slot_variance(hour * HOUR) <= DRIFT.day.start + DRIFT.week.start
