"""Robust scatter: right on normal noise, unimpressed by outliers, never 0."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.detection.families import Dispersion
from mltox.detection.scatter import Tail, adapt

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


def test_tail_of_normal_noise_is_no_heavier_than_normal() -> None:
    tail = Tail(start=1.5, rate=0.1)
    for z in np.random.default_rng(3).normal(size=5000):
        tail.learn(z)
    assert tail.scale == pytest.approx(1.0, abs=0.12)


def test_tail_learns_heavy_tails() -> None:
    tail = Tail(start=1.5, rate=0.1)
    for z in 2.0 * np.random.default_rng(4).normal(size=5000):
        tail.learn(z)
    assert tail.scale == pytest.approx(2.0, rel=0.15)


def test_one_outlier_moves_a_tail_by_the_rate_at_most() -> None:
    tail = Tail(start=1.5, rate=0.1)
    before = tail.scale
    tail.learn(1e9)
    assert before < tail.scale < before + 0.1
