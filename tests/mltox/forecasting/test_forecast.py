"""A metric's coming week, end to end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.forecasting import forecast as subject
from mltox.forecasting.forecast import forecast_series
from mltox.forecasting.forecasters import SeasonalNaive
from mltox.forecasting.scales import Floats
from mltox.forecasting.seasonal_ridge import SeasonalRidge
from mltox.posts.records import HOUR, WEEK, Forecast, ForecastAccuracy

START = 20_000 * 24 * HOUR
METHODS = ("prophet", "seasonal_ridge", "seasonal_naive", "ensemble_median")
Result = tuple[list[Forecast], list[ForecastAccuracy]]


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Prophet, which takes half a second."""
    monkeypatch.setattr(subject, "METHODS", (SeasonalRidge(), SeasonalNaive()))


def month(hours: int = 672, seed: int = 0) -> tuple[Floats, Floats]:
    """Posts, and the share of toxic ones (NaN without posts)."""
    rng = np.random.default_rng(seed)
    season = np.sin(2 * np.pi * np.arange(hours) / 24)
    posts = rng.poisson(12 * np.exp(season)).astype(float)
    toxic = rng.binomial(posts.astype(int), 0.12 + 0.04 * season)
    with np.errstate(invalid="ignore"):
        return posts, toxic / posts


def forecast_of(
    metric: str, values: Floats, weights: Floats | None = None, horizon: int = 168
) -> Result:
    hours = START + np.arange(len(values)) * HOUR
    return forecast_series("t", metric, hours, values, weights, START + len(values) * HOUR, horizon)


def check(result: Result, metric: str, length: int, horizon: int) -> None:
    rows, accuracies = result
    run_at = START + length * HOUR
    assert [row.hour for row in rows] == [run_at + step * HOUR for step in range(horizon)]
    assert len({row.method for row in rows}) == 1
    for row in rows:
        assert (row.topic, row.metric, row.run_at) == ("t", metric, run_at)
        assert (
            0
            <= row.lower_95
            <= row.lower_80
            <= row.expected
            <= row.upper_80
            <= row.upper_95
            <= (math.inf if metric == "posts" else 1)
        )
        assert math.isfinite(row.upper_95)
        assert row.p_anomaly is not None
        assert 0 <= row.p_anomaly <= 1
    if accuracies:
        chosen = [row for row in accuracies if row.chosen]
        assert [row.method for row in chosen] == [rows[0].method]
        assert chosen[0].pinball == min(
            row.pinball for row in accuracies if row.pinball is not None
        )
    for figures in accuracies:
        for figure in figures[5:10]:
            assert figure is None or math.isfinite(figure)


def test_a_month_of_posts_with_all_methods() -> None:
    posts, _ = month()
    result = forecast_of("posts", posts)
    check(result, "posts", 672, 168)
    rows, accuracies = result
    assert tuple(row.method for row in accuracies) == METHODS
    naive, chosen = accuracies[2], next(row for row in accuracies if row.chosen)
    assert chosen.mase is not None and naive.mase is not None
    assert chosen.mase < 0.9 * naive.mase
    assert all(row.horizon_hours == 168 for row in accuracies)
    future = 12 * np.exp(np.sin(2 * np.pi * np.arange(672, 840) / 24))
    expected = np.array([row.expected for row in rows])
    assert np.abs(expected - future).mean() / future.mean() < 0.15
    assert forecast_of("posts", posts) == result


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("metric", ["mean_toxicity", "toxic_share"])
def test_a_share_stays_a_share(metric: str) -> None:
    posts, share = month()
    result = forecast_of(metric, share, posts)
    check(result, metric, 672, 168)
    rows, accuracies = result
    expected = np.array([row.expected for row in rows])
    assert expected.mean() == pytest.approx(0.12, abs=0.03)
    chosen = next(row for row in accuracies if row.chosen)
    assert chosen.coverage_80 == pytest.approx(0.8, abs=0.1)
    assert chosen.coverage_95 == pytest.approx(0.95, abs=0.05)


@pytest.mark.usefixtures("light")
@settings(deadline=None, max_examples=15)
@given(st.integers(1, 500), st.integers(1, 200), st.integers(0, 5), st.booleans())
def test_any_length_any_horizon(length: int, horizon: int, seed: int, counts: bool) -> None:
    posts, share = month(length, seed)
    if counts:
        check(forecast_of("posts", posts, None, horizon), "posts", length, horizon)
    elif np.isnan(share).all():
        assert forecast_of("toxic_share", share, posts, horizon) == ([], [])
    else:
        result = forecast_of("toxic_share", share, posts, horizon)
        check(result, "toxic_share", length, horizon)


@pytest.mark.usefixtures("light")
def test_order_and_gaps_do_not_matter() -> None:
    posts, share = month()
    hours = START + np.arange(672) * HOUR
    run_at = START + 672 * HOUR
    whole = forecast_series("t", "posts", hours, posts, None, run_at)
    order = np.random.default_rng(0).permutation(672)
    assert forecast_series("t", "posts", hours[order], posts[order], None, run_at) == whole
    some = posts > 0
    assert not some.all()
    first_counts = np.flatnonzero(some)[0] == 0
    assert first_counts
    assert forecast_series("t", "posts", hours[some], posts[some], None, run_at) == whole
    shares = forecast_series("t", "toxic_share", hours, share, posts, run_at)
    assert (
        forecast_series("t", "toxic_share", hours[some], share[some], posts[some], run_at) == shares
    )


@pytest.mark.usefixtures("light")
def test_hours_from_run_at_on_are_not_looked_at() -> None:
    posts, _ = month()
    hours = START + np.arange(672) * HOUR
    run_at = START + 600 * HOUR
    spoilt = np.where(hours >= run_at, 1e6, posts)
    assert forecast_series("t", "posts", hours, spoilt, None, run_at) == forecast_series(
        "t", "posts", hours[:600], posts[:600], None, run_at
    )


@pytest.mark.usefixtures("light")
def test_a_short_history_says_so_in_its_method() -> None:
    posts, _ = month(30)
    rows, accuracies = forecast_of("posts", posts)
    check((rows, accuracies), "posts", 30, 168)
    assert rows[0].method == "short_history_quantiles"
    assert accuracies == []
    assert rows[0].expected == pytest.approx(float(np.median(posts)), abs=1)


@pytest.mark.usefixtures("light")
def test_a_flat_line_stays_flat() -> None:
    result = forecast_of("posts", np.full(400, 7.0))
    check(result, "posts", 400, 168)
    assert {row.expected for row in result[0]} == {7.0}
    assert {row.p_anomaly for row in result[0]} == {0.0}
    assert all(row.mase is None for row in result[1])


def test_no_observed_hour_no_rows() -> None:
    assert forecast_of("toxic_share", np.full(50, np.nan), np.zeros(50)) == ([], [])
    assert forecast_series("t", "posts", np.array([], int), np.array([]), None, START) == ([], [])


def test_p_anomaly_is_small_in_usual_times_and_great_after_a_rise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subject, "METHODS", (SeasonalRidge(),))
    posts, _ = month()
    usual = [row.p_anomaly for row in forecast_of("posts", posts)[0]]
    assert max(p for p in usual if p is not None) < 0.1
    raised = posts.copy()
    raised[-30:] *= 8
    after = [row.p_anomaly for row in forecast_of("posts", raised)[0]]
    assert after[0] is not None
    assert after[0] > 0.3


@pytest.mark.usefixtures("light")
def test_years_of_history_are_capped() -> None:
    posts, _ = month(20 * 168)
    hours = START + np.arange(len(posts)) * HOUR
    run_at = START + len(posts) * HOUR
    recent = hours >= run_at - 13 * WEEK
    assert forecast_series("t", "posts", hours, posts, None, run_at) == forecast_series(
        "t", "posts", hours[recent], posts[recent], None, run_at
    )
