"""Bands are stretched to what the backtest demands, and stay ordered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mltox.forecasting.calibration import GREATEST_FACTOR, LEAST_FACTOR, factors, stretch
from mltox.forecasting.forecasters import NORMAL_LEVELS

NORMAL_BAND = np.array(NORMAL_LEVELS)


def test_no_backtest_no_stretch() -> None:
    assert (factors([], [], 48) == 1).all()


def test_too_narrow_bands_are_widened_to_cover() -> None:
    rng = np.random.default_rng(0)
    forecasts = [np.tile(NORMAL_BAND, (168, 1)) for _ in range(4)]
    observed = [2.0 * rng.normal(size=168) for _ in range(4)]
    by = factors(observed, forecasts, 168)
    assert by.mean() == pytest.approx(2.0, rel=0.15)
    fresh = 2.0 * rng.normal(size=168)
    wide = stretch(forecasts[0], by)
    assert ((fresh >= wide[:, 1]) & (fresh <= wide[:, 3])).mean() == pytest.approx(0.8, abs=0.08)
    assert ((fresh >= wide[:, 0]) & (fresh <= wide[:, 4])).mean() == pytest.approx(0.95, abs=0.04)


def test_bands_widen_with_the_lead_where_errors_do() -> None:
    rng = np.random.default_rng(1)
    sigma = np.repeat([0.8, 2.5], 24)
    observed = [sigma * rng.normal(size=48) for _ in range(6)]
    by = factors(observed, [np.tile(NORMAL_BAND, (48, 1))] * 6, 48)
    assert by[0, 0] < 1.3 < 1.8 < by[47, 0]


def test_hours_not_observed_are_left_out() -> None:
    forecasts = [np.tile(NORMAL_BAND, (24, 1))]
    assert (factors([np.full(24, np.nan)], forecasts, 24) == 1).all()


quantiles = arrays(float, (10, 5), elements=st.floats(-100, 100)).map(lambda q: np.sort(q, axis=1))


@given(
    quantiles,
    arrays(float, 10, elements=st.floats(-1000, 1000)),
    arrays(float, (10, 2), elements=st.floats(0, 5)),
)
def test_always_ordered_and_bounded(
    forecast: np.ndarray, observed: np.ndarray, by: np.ndarray
) -> None:
    found = factors([observed], [forecast], 10)
    assert (found >= LEAST_FACTOR - 1e-9).all()
    assert (found <= GREATEST_FACTOR + 1e-9).all()
    stretched = stretch(forecast, by)
    assert (np.diff(stretched, axis=1) >= 0).all()
