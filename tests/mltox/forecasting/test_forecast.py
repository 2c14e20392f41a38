"""A metric's coming week, end to end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.forecasting import gate
from mltox.forecasting.adaptive import PastCoverage
from mltox.forecasting.forecast import POOL, forecast_series
from mltox.forecasting.history import History
from mltox.forecasting.scales import Floats
from mltox.posts.records import HOUR, WEEK, Forecast, ForecastAccuracy

START = 20_000 * 24 * HOUR
REFERENCES = ("flat_quantiles", "seasonal_naive")
Result = tuple[list[Forecast], list[ForecastAccuracy]]


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
    run_at = START + len(values) * HOUR
    return forecast_series("t", metric, hours, values, weights, run_at, horizon, prophet=None)


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
    chosen = [row for row in accuracies if row.chosen]
    assert [row.method for row in chosen] == [rows[0].method]
    for figures in accuracies:
        for figure in figures[5:10]:
            assert figure is None or math.isfinite(figure)


def test_a_month_of_posts() -> None:
    posts, _ = month()
    result = forecast_of("posts", posts)
    check(result, "posts", 672, 168)
    rows, accuracies = result
    by_method = {row.method: row for row in accuracies}
    assert {*REFERENCES, "seasonal_ridge", "autoregression", POOL} <= set(by_method)
    chosen = next(row for row in accuracies if row.chosen)
    assert chosen.mase is not None
    for reference in REFERENCES:
        other = by_method[reference].mase
        assert other is not None
        assert chosen.mase < 0.9 * other
    future = 12 * np.exp(np.sin(2 * np.pi * np.arange(672, 840) / 24))
    expected = np.array([row.expected for row in rows])
    assert np.abs(expected - future).mean() / future.mean() < 0.15
    assert (expected == np.round(expected)).all()
    assert forecast_of("posts", posts) == result


@pytest.mark.parametrize("metric", ["mean_toxicity", "toxic_share"])
def test_a_share_stays_a_share(metric: str) -> None:
    posts, share = month()
    result = forecast_of(metric, share, posts)
    check(result, metric, 672, 168)
    # Medians: an hour of few posts has mostly none that is toxic.
    assert 0.05 < np.mean([row.expected for row in result[0]]) < 0.14


def test_bands_of_a_share_hold_what_they_say_where_posts_are_many() -> None:
    rng = np.random.default_rng(0)
    posts = rng.poisson(200, 672).astype(float)
    share = rng.binomial(posts.astype(int), 0.2) / posts
    _, accuracies = forecast_of("toxic_share", share, posts)
    chosen = next(row for row in accuracies if row.chosen)
    assert chosen.coverage_80 == pytest.approx(0.8, abs=0.05)
    assert chosen.coverage_95 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_share_that_never_moves_lies_inside_its_band(constant: float) -> None:
    posts, _ = month()
    share = np.where(posts > 0, constant, np.nan)
    rows, _ = forecast_of("toxic_share", share, posts)
    assert all(row.lower_80 <= constant <= row.upper_80 for row in rows)
    assert {row.expected for row in rows} == {constant}
    assert max(row.p_anomaly or 0.0 for row in rows) < 0.05


@pytest.mark.parametrize("metric", ["posts", "mean_toxicity", "toxic_share"])
def test_what_is_published_lost_to_no_reference(metric: str) -> None:
    """Noise without a season is what clever methods lose to flat quantiles on."""
    rng = np.random.default_rng(5)
    posts = rng.negative_binomial(0.7, 0.1, 1000).astype(float)
    with np.errstate(invalid="ignore"):
        share = rng.binomial(posts.astype(int), rng.beta(1, 9, 1000)) / posts
    values = posts if metric == "posts" else share
    _, accuracies = forecast_of(metric, values, posts)
    losses = {row.method: row.pinball for row in accuracies}
    chosen = next(row.pinball for row in accuracies if row.chosen)
    assert chosen is not None
    for reference in REFERENCES:
        other = losses[reference]
        assert other is not None
        assert chosen <= 1.02 * other


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 500), st.integers(1, 200), st.integers(0, 5), st.booleans())
def test_any_length_any_horizon(length: int, horizon: int, seed: int, counts: bool) -> None:
    posts, share = month(length, seed)
    metric, values = ("posts", posts) if counts else ("toxic_share", share)
    result = forecast_of(metric, values, posts, horizon)
    first = np.flatnonzero(~np.isnan(values))
    known_for = length - int(first[0]) if len(first) else 0
    if known_for < 7 * 24:
        assert result == ([], [])
    elif known_for >= 14 * 24 or result != ([], []):  # between them an origin may be lacking
        check(result, metric, length, horizon)


def test_order_and_gaps_do_not_matter() -> None:
    posts, share = month()
    hours = START + np.arange(672) * HOUR
    run_at = START + 672 * HOUR
    whole = forecast_series("t", "posts", hours, posts, None, run_at, prophet=None)
    order = np.random.default_rng(0).permutation(672)
    assert (
        forecast_series("t", "posts", hours[order], posts[order], None, run_at, prophet=None)
        == whole
    )
    some = posts > 0
    assert not some.all()
    assert some[0]
    assert (
        forecast_series("t", "posts", hours[some], posts[some], None, run_at, prophet=None) == whole
    )
    shares = forecast_series("t", "toxic_share", hours, share, posts, run_at, prophet=None)
    assert (
        forecast_series(
            "t", "toxic_share", hours[some], share[some], posts[some], run_at, prophet=None
        )
        == shares
    )


def test_hours_from_run_at_on_are_not_looked_at() -> None:
    posts, _ = month()
    hours = START + np.arange(672) * HOUR
    run_at = START + 600 * HOUR
    spoilt = np.where(hours >= run_at, 1e6, posts)
    assert forecast_series(
        "t", "posts", hours, spoilt, None, run_at, prophet=None
    ) == forecast_series("t", "posts", hours[:600], posts[:600], None, run_at, prophet=None)


def test_too_short_a_history_has_no_forecast() -> None:
    posts, _ = month(100)
    assert forecast_of("posts", posts) == ([], [])


def test_an_outage_does_not_widen_the_band() -> None:
    posts, _ = month(1344)
    whole, _ = forecast_of("posts", posts)
    posts[1000:1168] = 0
    broken, _ = forecast_of("posts", posts)
    width = sum(row.upper_95 - row.lower_95 for row in whole)
    assert sum(row.upper_95 - row.lower_95 for row in broken) == pytest.approx(width, rel=0.25)


@pytest.mark.parametrize("known", [range(40), range(0, 1344, 200), range(1000, 1040)])
def test_long_outages_break_nothing(known: range) -> None:
    posts = np.zeros(1344)
    posts[list(known)] = 50
    posts[-100:] = 30
    rows, _ = forecast_of("posts", posts)
    assert rows == [] or all(math.isfinite(row.upper_95) for row in rows)


def test_a_topic_that_ended_has_no_forecast() -> None:
    posts, _ = month(1344)
    posts[1200:] = 0
    assert forecast_of("posts", posts) == ([], [])


def test_bands_stay_near_what_the_series_has_shown() -> None:
    posts, _ = month()
    rows, _ = forecast_of("posts", posts)
    assert max(row.upper_95 for row in rows) <= 1.5 * posts.max() + 1


def test_a_flat_line_stays_flat() -> None:
    result = forecast_of("posts", np.full(400, 7.0))
    check(result, "posts", 400, 168)
    assert {row.expected for row in result[0]} == {7.0}
    assert max(row.p_anomaly or 0.0 for row in result[0]) < 0.01
    assert all(row.mase is None for row in result[1])


def test_a_mean_that_moves_by_rounding_alone_has_no_mase() -> None:
    values = 0.1 + np.random.default_rng(0).normal(0, 1e-12, 672)
    _, accuracies = forecast_of("mean_toxicity", values)
    assert {row.mase for row in accuracies} == {None}


def test_no_observed_hour_no_rows() -> None:
    assert forecast_of("toxic_share", np.full(50, np.nan), np.zeros(50)) == ([], [])
    assert forecast_series("t", "posts", np.array([], int), np.array([]), None, START) == ([], [])


def test_p_anomaly_is_small_in_usual_times() -> None:
    posts, share = month(1344)
    for metric, values in (("posts", posts), ("toxic_share", share)):
        usual = [row.p_anomaly or 0.0 for row in forecast_of(metric, values, posts)[0]]
        assert max(usual) < 0.05


def test_bands_that_failed_before_are_wider() -> None:
    posts, _ = month()
    hours = START + np.arange(672) * HOUR
    run_at = START + 672 * HOUR

    def width(outcomes: tuple[PastCoverage, ...]) -> float:
        rows, _ = forecast_series(
            "t", "posts", hours, posts, None, run_at, outcomes=outcomes, prophet=None
        )
        return sum(row.upper_80 - row.lower_80 for row in rows)

    assert width((PastCoverage(168, 0.4, 0.7),) * 4) > 1.2 * width(())


class Rising:
    """What Prophet might say of a level on its way."""

    name = "prophet"

    def __init__(self) -> None:
        self.asked = 0

    def path(self, history: History, horizon: int) -> Floats:
        self.asked += 1
        n = len(history)
        return np.log1p(20 * np.exp((n + np.arange(horizon)) / 250.0))


def test_prophet_joins_where_the_gate_opens_and_only_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    hours = START + np.arange(900) * HOUR
    run_at = START + 900 * HOUR
    rising = rng.poisson(20 * np.exp(np.arange(900) / 250.0)).astype(float)
    idle, knowing = Rising(), Rising()
    without, _ = forecast_series("t", "posts", hours, rising, None, run_at, prophet=idle)
    assert idle.asked == 0
    monkeypatch.setattr(gate, "may_win", lambda *_: True)
    rows, _ = forecast_series("t", "posts", hours, rising, None, run_at, prophet=knowing)
    assert knowing.asked == 4
    future = 20 * np.exp(np.arange(900, 1068) / 250.0)
    errors = [
        np.abs(np.array([row.expected for row in each]) - future).mean() for each in (rows, without)
    ]
    assert errors[0] < 0.8 * errors[1]


def test_years_of_history_are_capped() -> None:
    posts, _ = month(20 * 168)
    hours = START + np.arange(len(posts)) * HOUR
    run_at = START + len(posts) * HOUR
    recent = hours >= run_at - 13 * WEEK
    assert forecast_series("t", "posts", hours, posts, None, run_at, prophet=None) == (
        forecast_series("t", "posts", hours[recent], posts[recent], None, run_at, prophet=None)
    )
