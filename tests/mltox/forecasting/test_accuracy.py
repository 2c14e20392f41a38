"""The measures of accuracy against hand-computed values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mltox.forecasting.accuracy import coverage, mase, pinball, smape

UNKNOWN = math.nan


def test_mase() -> None:
    history = np.concatenate([np.zeros(24), np.full(24, 2.0)])  # the daily naive errs by 2
    observed, forecast = np.array([1.0, 5.0, UNKNOWN]), np.array([2.0, 2.0, 9.0])
    assert mase(observed, forecast, history) == pytest.approx((1 + 3) / 2 / 2)
    assert math.isnan(mase(observed, forecast, np.ones(48)))
    assert math.isnan(mase(observed, forecast, np.ones(10)))


def test_smape() -> None:
    # |1 - 3| / 4, 0 / 0, and an hour not observed
    observed, forecast = np.array([1.0, 0.0, UNKNOWN]), np.array([3.0, 0.0, 1.0])
    assert smape(observed, forecast) == pytest.approx(200 * (0.5 + 0.0) / 2)


def test_pinball() -> None:
    # below all quantiles by 1..5: sum of (1 - level) * distance
    quantiles = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    below = 0.975 * 1 + 0.9 * 2 + 0.5 * 3 + 0.1 * 4 + 0.025 * 5
    assert pinball(np.array([0.0]), quantiles) == pytest.approx(below / 5)
    # above all by 5..1: sum of level * distance
    above = 0.025 * 5 + 0.1 * 4 + 0.5 * 3 + 0.9 * 2 + 0.975 * 1
    assert pinball(np.array([6.0]), quantiles) == pytest.approx(above / 5)


def test_coverage() -> None:
    observed = np.array([1.0, 2.0, 5.0, UNKNOWN])
    lower, upper = np.array([0.0, 2.0, 0.0, 0.0]), np.array([2.0, 2.0, 4.0, 9.0])
    assert coverage(observed, lower, upper) == pytest.approx(2 / 3)
    assert math.isnan(coverage(np.array([UNKNOWN]), lower[:1], upper[:1]))
