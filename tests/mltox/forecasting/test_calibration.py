"""Lower ends of counts' bands go where the backtest puts them; nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mltox.forecasting.calibration import stretch, stretches


def test_bands_that_hold_zero_are_drawn_in_until_enough_lies_below() -> None:
    rng = np.random.default_rng(0)
    rate = np.tile(np.linspace(0.5, 6.0, 168), (10, 1))
    observed = rng.poisson(rate).astype(float)
    quantiles = rate[..., None] + np.array([-3.0, -2.0, 0.0, 2.0, 4.0]) * np.sqrt(rate)[..., None]
    by = stretches(observed, quantiles)
    assert by[2:].tolist() == [1.0, 1.0, 1.0]
    lower = np.maximum(stretch(quantiles, by)[..., 1], 0.0)
    assert (observed < np.maximum(quantiles[..., 1], 0.0)).mean() < 0.05
    assert (observed < lower).mean() == pytest.approx(0.10, abs=0.04)


def test_bands_away_from_zero_are_left_alone() -> None:
    observed = np.full((10, 24), 100.0)
    quantiles = np.tile([60.0, 80.0, 100.0, 120.0, 140.0], (10, 24, 1))
    assert stretches(observed, quantiles).tolist() == [1.0] * 5


def test_nothing_observed_nothing_moved() -> None:
    assert (stretches(np.full((2, 24), np.nan), np.zeros((2, 24, 5))) == 1).all()


@given(
    arrays(float, (10, 5), elements=st.floats(-100, 100)).map(lambda q: np.sort(q, axis=1)),
    arrays(float, 5, elements=st.floats(0, 5)),
)
def test_always_ordered(forecast: np.ndarray, by: np.ndarray) -> None:
    assert (np.diff(stretch(forecast, by), axis=1) >= 0).all()
