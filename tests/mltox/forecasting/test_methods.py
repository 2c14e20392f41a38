"""Each method on series of which the future is known."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mltox.forecasting.history import LEVELS
from mltox.forecasting.methods import CHEAP
from mltox.forecasting.methods.autoregression import Autoregression
from mltox.forecasting.methods.base import Distribution, ForecastError, Path
from mltox.forecasting.methods.prophet import ProphetForecaster
from mltox.forecasting.methods.quantiles import (
    FlatQuantiles,
    HourQuantiles,
    weighted_quantiles,
)
from mltox.forecasting.methods.ridge import SeasonalRidge, fit_profile, robust_sigma, smoothed
from mltox.forecasting.methods.seasonal import (
    AdjustedWeek,
    DailyNaive,
    SeasonalNaive,
    WeekMedian,
    last_season,
)
from mltox.forecasting.scales import Floats
from tests.mltox.forecasting.histories import counts, plain, waves


def test_last_season_by_hand() -> None:
    z = np.array([1.0, 2.0, 3.0, np.nan, 5.0])
    # period 3: phases hold (1 or unknown -> 1), (2, 5 -> 5), 3; the next hour has phase 2
    assert last_season(z, 4, 3).tolist() == [3.0, 1.0, 5.0, 3.0]


def test_naive_paths_by_hand() -> None:
    z = np.arange(3 * 168.0)
    history = plain(z)
    assert DailyNaive().path(history, 25).tolist() == [*z[-24:], z[-24]]
    assert SeasonalNaive().path(history, 168).tolist() == z[-168:].tolist()
    # The last day lies 168 above the same day a week before: half of that is added.
    assert AdjustedWeek().path(history, 2).tolist() == [z[-168] + 84, z[-167] + 84]


def test_week_median_shrugs_off_one_odd_week() -> None:
    z = np.tile(np.arange(168.0), 4)
    z[168:336] = 999.0
    assert WeekMedian().path(plain(z), 170).tolist() == [*np.arange(168.0), 0.0, 1.0]


def test_weighted_quantiles_by_hand() -> None:
    # Middles of the weights 1, 2, 1 lie at 1/8, 1/2, 7/8: the levels between them are interpolated.
    found = weighted_quantiles(np.array([10.0, 20.0, 30.0]), np.array([[1.0, 2.0, 1.0]]))
    assert found[0].tolist() == pytest.approx([10.0, 10.0, 20.0, 30.0, 30.0])


def test_counts_are_spread_over_their_step() -> None:
    # 0 in 15 of 100 hours: the 10 % quantile lies two thirds up the step from -0.5 to 0.5.
    values = np.repeat([0.0, 1.0], [15, 85])
    found = weighted_quantiles(values, np.ones((1, 100)), grain=1.0)
    assert found[0, 1] == pytest.approx(-0.5 + 0.1 / 0.15)


def test_flat_quantiles_are_those_of_four_weeks() -> None:
    values = np.concatenate([np.full(500, 1e6), np.arange(672.0)])
    found = FlatQuantiles().quantiles(plain(values), 3)
    assert found == pytest.approx(np.tile(np.quantile(np.arange(672.0), LEVELS), (3, 1)))


def test_hour_quantiles_know_the_hour() -> None:
    values = np.tile(np.where(np.arange(24) < 12, 1.0, 100.0), 28)
    found = HourQuantiles(half_life=336, reach=2).quantiles(plain(values), 24)
    assert found[6].tolist() == pytest.approx([1.0] * 5)
    assert found[18].tolist() == pytest.approx([100.0] * 5)


def test_hours_of_few_posts_scatter_widely_whatever_the_hour() -> None:
    rng = np.random.default_rng(0)
    posts = np.tile(np.where(np.arange(24) < 12, 2.0, 200.0), 42)
    values = rng.binomial(posts.astype(int), 0.3) / posts
    found = HourQuantiles(half_life=672, reach=2, by_posts=True).quantiles(plain(values, posts), 24)
    few, many = found[6, 3] - found[6, 1], found[18, 3] - found[18, 1]
    assert few > 5 * many
    assert many == pytest.approx(2 * 1.2816 * np.sqrt(0.21 / 200), rel=0.2)


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
    hours = plain(z).phases(168)[:168]
    clean = fit_profile(plain(z))
    assert clean.profile[hours] == pytest.approx(waves(168, 0.0), abs=0.35)
    assert np.abs(clean.profile[hours] - waves(168, 0.0)).mean() < 0.12
    z[500:506] += 50
    spoilt = fit_profile(plain(z))
    assert spoilt.profile == pytest.approx(clean.profile, abs=0.2)
    assert spoilt.sigma == pytest.approx(clean.sigma, rel=0.1)


@pytest.mark.parametrize(
    "method",
    [SeasonalRidge(), Autoregression(), Autoregression(weekdays=True), ProphetForecaster()],
    ids=repr,
)
def test_good_paths_beat_the_naive_one(method: Path) -> None:
    z = waves(840, 0.3)
    error = np.abs(z[672:] - method.path(plain(z[:672]), 168)).mean()
    naive = np.abs(z[672:] - SeasonalNaive().path(plain(z[:672]), 168)).mean()
    assert error < 0.9 * naive


@pytest.mark.parametrize("method", [SeasonalRidge(), Autoregression()], ids=repr)
def test_a_recent_shift_fades_by_what_the_past_says(method: Path) -> None:
    rng = np.random.default_rng(3)
    z = np.zeros(1000)
    for i in range(1, 1000):
        z[i] = 0.9 * z[i - 1] + rng.normal(0, 0.2)
    z[-6:] = 1.5
    path = method.path(plain(z), 168)
    assert path[0] > 0.7
    assert abs(path[100:].mean()) < 0.4


def test_a_daily_change_follows_a_level_that_jumped() -> None:
    z = np.concatenate([waves(600, 0.05), waves(120, 0.05) + 5.0])
    path = Autoregression(difference=24).path(plain(z), 48)
    assert path.mean() == pytest.approx(8.0, abs=1.0)


def test_paths_stay_near_what_was_seen() -> None:
    z = np.exp(np.arange(400) / 40)  # grows without end
    for method in (Autoregression(), Autoregression(difference=24)):
        assert method.path(plain(z), 500).max() < z.max() + 0.6 * z.std()


def test_autoregression_says_what_it_cannot_do() -> None:
    with pytest.raises(ForecastError, match="autoregression"):
        Autoregression().path(plain(np.array([1.0, 2.0])), 24)


def test_prophet_is_deterministic_quiet_and_leaves_the_generator_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    z = waves(400, 0.3)
    with caplog.at_level(logging.DEBUG):
        np.random.seed(1)
        first = ProphetForecaster().path(plain(z), 24)
        after = np.random.random()
        np.random.seed(1)
        assert np.random.random() == after
    second = ProphetForecaster().path(plain(z), 24)
    assert (first == second).all()
    assert [r for r in caplog.records if r.name.startswith(("cmdstanpy", "prophet"))] == []


def test_prophets_trend_is_damped_and_holidays_are_an_option() -> None:
    z = np.linspace(0.0, 10.0, 672)
    path = ProphetForecaster(country="US").path(plain(z), 400)
    assert path[0] == pytest.approx(10.0, abs=0.3)
    # Undamped it would gain 10 * 400 / 672 = 6; the slope halves every 46 hours instead.
    assert 10.3 < path[-1] < 11.5


def test_prophet_says_what_it_cannot_do() -> None:
    with pytest.raises(ForecastError, match="prophet"):
        ProphetForecaster().path(plain(np.array([1.0, np.nan])), 24)


values = st.floats(0, 50) | st.just(float("nan"))
series = arrays(float, st.integers(2, 400), elements=values).filter(lambda z: not np.isnan(z).all())


@settings(deadline=None, max_examples=20)
@given(series, st.integers(1, 200), st.booleans())
def test_any_history_gives_finite_forecasts(z: Floats, horizon: int, whole: bool) -> None:
    history = counts(np.round(z)) if whole else plain(z)
    for method in CHEAP:
        try:
            if isinstance(method, Distribution):
                forecast = method.quantiles(history, horizon)
                assert forecast.shape == (horizon, 5)
                assert (np.diff(forecast, axis=1) >= 0).all()
            else:
                forecast = method.path(history, horizon)
                assert forecast.shape == (horizon,)
            assert np.isfinite(forecast).all()
        except ForecastError:
            assert len(z) < 60 or np.isnan(z).mean() > 0.5
