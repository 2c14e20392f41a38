"""Robust scatter: right on normal noise, unimpressed by outliers, never 0."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.detection.families import Dispersion
from mltox.detection.scatter import TAIL_OF_NORMAL, TAIL_STEP, Yardsticks, adapt

BOUNDS = (Dispersion(1.0, 0.01), Dispersion(1.0, 4.0))


def settle(residuals: np.ndarray) -> float:
    """The sigma that the dispersion settles on."""
    dispersion = Dispersion(1.0, 0.1)
    for residual in residuals:
        sigmas = residual / np.sqrt(dispersion.between)
        dispersion = adapt(dispersion, BOUNDS, sigmas, between_share=1.0, rate=0.02)
    return float(np.sqrt(dispersion.between))


def test_scatter_of_normal_noise() -> None:
    residuals = np.random.default_rng(1).normal(0, 0.5, 5000)
    assert settle(residuals) == pytest.approx(0.5, rel=0.1)


def test_a_tenth_of_wild_outliers_moves_it_little() -> None:
    rng = np.random.default_rng(2)
    residuals = rng.normal(0, 0.5, 5000)
    residuals[rng.random(5000) < 0.1] = 1000.0
    assert settle(residuals) < 0.75


def test_a_flat_line_leaves_the_floor() -> None:
    assert settle(np.zeros(1000)) == pytest.approx(0.1)


def yardsticks(surprises: np.ndarray, floor: float = 0.3) -> Yardsticks:
    learnt = Yardsticks(1, floor)
    for seen, surprise in enumerate(surprises):
        learnt.learn([float(surprise)], float(surprise), seen)
    return learnt


def test_normal_noise_is_measured_by_one() -> None:
    learnt = yardsticks(np.random.default_rng(3).normal(size=5000))
    assert learnt.width == pytest.approx(1.0, abs=0.15)
    assert learnt.up[0] * learnt.width == pytest.approx(TAIL_OF_NORMAL, rel=0.15)
    assert learnt.down[0] * learnt.width == pytest.approx(TAIL_OF_NORMAL, rel=0.15)


def test_a_narrow_series_has_a_narrow_width_down_to_the_floor() -> None:
    noise = np.random.default_rng(3).normal(size=3000)
    assert yardsticks(0.5 * noise).width == pytest.approx(0.5, rel=0.15)
    assert yardsticks(0.0 * noise).width == pytest.approx(0.3)


def test_a_heavy_tail_upwards_is_no_heavy_tail_downwards() -> None:
    noise = np.random.default_rng(4).normal(size=5000)
    learnt = yardsticks(np.where(noise > 0, 2.0 * noise, noise))
    assert learnt.up[0] > 1.5 * learnt.down[0]


def test_one_outlier_moves_a_point_by_its_step_at_most() -> None:
    learnt = yardsticks(np.zeros(500))
    before = learnt.up[0]
    learnt.learn([1e9], 1e9, 500)
    assert before < learnt.up[0] <= before + TAIL_STEP
