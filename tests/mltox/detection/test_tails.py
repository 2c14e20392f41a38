"""A rate that was asked for is the rate that comes."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.detection.tails import APART, FROM, Tail, TailPrior, sigmas_of

PRIOR = TailPrior(1 / 42, 3.5)


def test_the_level_and_the_rate_are_inverse() -> None:
    tail = Tail(PRIOR)
    for monthly in (0.1, 1.0, 4.0):
        assert tail.rate(tail.level(monthly / 720)) == pytest.approx(monthly / 720)


def test_an_unseen_series_has_the_level_of_the_prior() -> None:
    """Shape 0.05, scale 3.5 * 0.95: FROM^2 + scale / shape * ((720 / 42)^0.05 - 1), by hand."""
    expected = 4.0 + 3.325 / 0.05 * ((720 / 42) ** 0.05 - 1)
    assert Tail(PRIOR).level(1 / 720) ** 2 == pytest.approx(expected)


def test_what_is_asked_for_more_often_than_peaks_come_is_their_threshold() -> None:
    assert Tail(PRIOR).level(0.5) == FROM


def test_hours_of_one_peak_count_once() -> None:
    tail = Tail(PRIOR)
    for sigmas in [3.0, 1.0, 4.0, 3.0] + [0.0] * APART:
        tail.learn(sigmas)
    assert tail.peaks == pytest.approx(11.0)
    assert tail.total == pytest.approx(35.0 + 4.0**2 - FROM**2)


def test_one_monstrous_peak_teaches_little() -> None:
    tail = Tail(PRIOR)
    before = tail.level(1 / 720)
    for sigmas in [1e6] + [0.0] * APART:
        tail.learn(sigmas)
    assert before < tail.level(1 / 720) < before + 0.7


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.6])
def test_the_rate_is_held_on_tails_of_any_width(scale: float) -> None:
    """Independent hours of half-normal noise: incidents above the level, once it is learnt."""
    sigmas = np.abs(scale * np.random.default_rng(1).normal(size=40_000))
    tail, months, found, last = Tail(PRIOR), 36_000 / 720, 0, -APART
    for hour, value in enumerate(sigmas):
        if hour >= 4000 and value >= tail.level(2 / 720) and hour - last > APART:
            found, last = found + 1, hour
        tail.learn(float(value))
    assert 0.5 <= found / months / 2 <= 2.0


def test_a_month_is_three_sigmas() -> None:
    assert sigmas_of(1 / 720) == pytest.approx(2.99, abs=0.01)
    assert sigmas_of(1 / 720) < sigmas_of(0.1 / 720)
