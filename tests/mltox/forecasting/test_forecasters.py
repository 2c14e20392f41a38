"""Each method on series of which the future is known."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mltox.forecasting.accuracy import coverage
from mltox.forecasting.backtest import ENSEMBLE, forecast_all, origins
from mltox.forecasting.forecasters import (
    Forecaster,
    ForecastError,
    History,
    SeasonalNaive,
    ShortHistory,
    last_season,
    median_of,
)
from mltox.forecasting.prophet_forecaster import ProphetForecaster
from mltox.forecasting.scales import Floats
from mltox.forecasting.seasonal_ridge import SeasonalRidge, fit_profile, robust_sigma, smoothed
from mltox.posts.records import HOUR

LIGHT: tuple[Forecaster, ...] = (SeasonalNaive(), SeasonalRidge(), ShortHistory())
START = 20_000 * 24 * HOUR


def history_of(z: Floats) -> History:
    return History(START, z, np.ones(len(z)))


def waves(hours: int, noise: float, seed: int = 0) -> Floats:
    """A day, a week and noise."""
    t = np.arange(hours)
    rng = np.random.default_rng(seed)
    week = 0.5 * (t // 24 % 7 >= 5)
    return np.asarray(3 + np.sin(2 * np.pi * t / 24) - week + rng.normal(0, noise, hours))


def test_last_season_by_hand() -> None:
    z = np.array([1.0, 2.0, 3.0, np.nan, 5.0])
    # period 3: phases hold (1 or unknown -> 1), (2, 5 -> 5), 3; the next hour has phase 2
    assert last_season(z, 4, 3).tolist() == [3.0, 1.0, 5.0, 3.0]


def test_seasonal_naive_repeats_the_week() -> None:
    z = waves(504, 0.0)
    forecast = SeasonalNaive().quantiles(history_of(z), 168)
    assert forecast[:, 2] == pytest.approx(z[-168:])


def test_smoothed_by_hand() -> None:
    # half-life 1: each step halves what was and adds half of what is
    assert smoothed(np.array([1.0, 0.0, 2.0]), 1.0).tolist() == [0.5, 0.25, 1.125]


def test_robust_sigma() -> None:
    residuals = np.concatenate([np.random.default_rng(0).normal(0, 2, 2000), np.full(100, 1e6)])
    assert robust_sigma(residuals) == pytest.approx(2.0, rel=0.15)
    assert robust_sigma(np.array([0.0, 0.0, 0.0, 4.0])) == pytest.approx(1.2533)
    assert robust_sigma(np.array([np.nan])) == 0


def test_profile_is_the_weeks_and_shrugs_off_an_incident() -> None:
    z = waves(12 * 168, 0.1)
    hours = history_of(z).hours_of_week(168)
    clean = fit_profile(history_of(z))
    assert clean.profile[hours] == pytest.approx(waves(168, 0.0), abs=0.35)
    assert np.abs(clean.profile[hours] - waves(168, 0.0)).mean() < 0.12
    z[500:506] += 50
    spoilt = fit_profile(history_of(z))
    assert spoilt.profile == pytest.approx(clean.profile, abs=0.2)
    assert spoilt.sigma == pytest.approx(clean.sigma, rel=0.1)


@pytest.mark.parametrize("method", [SeasonalRidge(), ProphetForecaster()], ids=lambda m: m.name)
def test_good_methods_beat_the_naive_one_and_cover(method: Forecaster) -> None:
    z = waves(840, 0.3)
    future = z[672:]
    forecast = method.quantiles(history_of(z[:672]), 168)
    naive = SeasonalNaive().quantiles(history_of(z[:672]), 168)
    error, naive_error = (np.abs(future - q[:, 2]).mean() for q in (forecast, naive))
    assert error < 0.9 * naive_error
    assert coverage(future, forecast[:, 1], forecast[:, 3]) == pytest.approx(0.8, abs=0.12)
    assert coverage(future, forecast[:, 0], forecast[:, 4]) == pytest.approx(0.95, abs=0.06)


def test_a_recent_shift_fades_by_what_the_past_says() -> None:
    rng = np.random.default_rng(3)
    z = np.zeros(1000)
    for i in range(1, 1000):
        z[i] = 0.9 * z[i - 1] + rng.normal(0, 0.2)
    z[-6:] = 1.5
    forecast = SeasonalRidge().quantiles(history_of(z), 168)[:, 2]
    assert forecast[0] > 0.7
    assert abs(forecast[100:].mean()) < 0.4
    bands = SeasonalRidge().quantiles(history_of(z), 168)
    assert bands[0, 4] - bands[0, 0] < bands[100, 4] - bands[100, 0]


def test_prophet_is_deterministic_quiet_and_leaves_the_generator_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    z = waves(400, 0.3)
    with caplog.at_level(logging.DEBUG):
        np.random.seed(1)
        first = ProphetForecaster().quantiles(history_of(z), 24)
        after = np.random.random()
        np.random.seed(1)
        assert np.random.random() == after
    second = ProphetForecaster().quantiles(history_of(z), 24)
    assert (first == second).all()
    assert [r for r in caplog.records if r.name.startswith(("cmdstanpy", "prophet"))] == []


def test_prophet_says_what_it_cannot_do() -> None:
    with pytest.raises(ForecastError, match="prophet"):
        ProphetForecaster().quantiles(history_of(np.array([1.0, np.nan])), 24)


class Failing:
    name = "failing"

    def quantiles(self, history: History, horizon: int) -> Floats:
        raise ForecastError("no")


def test_a_failing_method_is_left_out() -> None:
    found = forecast_all((Failing(), SeasonalNaive()), history_of(waves(100, 0.1)), 24)
    assert list(found) == ["seasonal_naive"]
    found = forecast_all((Failing(), *LIGHT), history_of(waves(100, 0.1)), 24)
    assert list(found) == [*(method.name for method in LIGHT), ENSEMBLE]


def test_the_ensemble_is_the_median() -> None:
    forecasts = [np.full((2, 5), value) for value in (1.0, 7.0, 3.0)]
    assert (median_of(forecasts) == 3).all()


@pytest.mark.parametrize(
    ("length", "horizon", "least", "most", "expected"),
    [
        (672, 168, 48, 2, [336, 504]),
        (672, 168, 400, 2, [504]),
        (72, 24, 48, 4, [48]),
        (60, 24, 48, 4, []),
    ],
)
def test_origins(length: int, horizon: int, least: int, most: int, expected: list[int]) -> None:
    assert origins(length, horizon, least, most) == expected


values = st.floats(-20, 20) | st.just(float("nan"))
series = arrays(float, st.integers(2, 400), elements=values).filter(lambda z: not np.isnan(z).all())


@settings(deadline=None, max_examples=60)
@given(series, st.integers(1, 200))
def test_any_history_gives_finite_ordered_quantiles(z: Floats, horizon: int) -> None:
    for method in LIGHT:
        forecast = method.quantiles(history_of(z), horizon)
        assert forecast.shape == (horizon, 5)
        assert np.isfinite(forecast).all()
        assert (np.diff(forecast, axis=1) >= 0).all()
