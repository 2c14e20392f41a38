"""Hand-computed surprises and conjugate steps, and what must hold for any hour."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.detection.families import CountFamily, Dispersion, Family, Proportions, Sums

POISSON = Dispersion(1.0, 1e-9)
BINOMIAL = Dispersion(1.0, 0.0)


class Hour(NamedTuple):
    """An hour beside what was expected of it."""

    value: float
    posts: float
    mean: float
    slack: float = 0.0


def surprise(family: Family, hours: list[Hour], scatter: Dispersion, common: float) -> float:
    """Of the hours, pooled."""
    sums = Sums(*map(sum, zip(*(family.hour(*hour) for hour in hours), strict=True)))
    return family.surprise(*sums, *scatter, common)


def sigmas_of(tail: float) -> float:
    return NormalDist().inv_cdf(1.0 - tail)


@pytest.mark.parametrize(
    ("value", "mean"), [(5, 1.0), (12, 3.0), (20, 10.0), (25, 10.0), (130, 100.0), (1150, 1000.0)]
)
def test_counts_are_as_surprising_as_the_poisson_tail(value: int, mean: float) -> None:
    below = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(value))
    sigmas = surprise(CountFamily(), [Hour(value, value, mean)], POISSON, 0.0)
    assert sigmas == pytest.approx(sigmas_of(1.0 - below), abs=0.15)


@pytest.mark.parametrize(
    ("toxic", "posts", "share"), [(3, 3, 0.1), (8, 20, 0.1), (24, 120, 0.1), (60, 1000, 0.04)]
)
def test_shares_are_as_surprising_as_the_binomial_tail(
    toxic: int, posts: int, share: float
) -> None:
    tail = sum(
        math.comb(posts, k) * share**k * (1 - share) ** (posts - k) for k in range(toxic, posts + 1)
    )
    sigmas = surprise(Proportions(), [Hour(toxic / posts, posts, share)], BINOMIAL, 0.0)
    assert sigmas == pytest.approx(sigmas_of(tail), abs=0.15)


def test_counts_with_bursts_are_as_surprising_as_the_negative_binomial_tail() -> None:
    mean, k = 20.0, 4.0  # variance 20 + 20^2 / 4
    below = sum(
        math.exp(
            math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1)
            + k * math.log(k / (k + mean)) + y * math.log(mean / (k + mean))
        )
        for y in range(70)
    )  # fmt: skip
    sigmas = surprise(CountFamily(), [Hour(70, 70, mean)], Dispersion(1.0, 1 / k), 0.0)
    assert sigmas == pytest.approx(sigmas_of(1.0 - below), abs=0.15)


def test_no_posts_where_many_were_expected_is_a_surprise_downwards() -> None:
    # with the correction 0 counts as 0.5: -sqrt(2 (20 - 0.5 + 0.5 log(0.5 / 20)))
    expected = -math.sqrt(2 * (19.5 + 0.5 * math.log(0.025)))
    found = surprise(CountFamily(), [Hour(0, 0, 20.0)], POISSON, 0.0)
    assert found == pytest.approx(expected, abs=1e-3)


def test_four_doubled_hours_tell_more_than_one() -> None:
    hour = Hour(60, 60, 30.0)
    scatter = Dispersion(1.0, 0.05)
    one = surprise(CountFamily(), [hour], scatter, 0.0)
    four = surprise(CountFamily(), [hour] * 4, scatter, 0.0)
    assert four == pytest.approx(2 * one, rel=0.15)


def test_what_is_not_known_of_the_level_does_not_average_out() -> None:
    hour = Hour(60, 60, 30.0)
    known = surprise(CountFamily(), [hour] * 12, POISSON, 0.0)
    unknown = surprise(CountFamily(), [hour] * 12, POISSON, 0.25)
    assert unknown < 2 < known


def test_conjugate_step_of_a_count() -> None:
    # a gamma prior of mean 10 and relative variance 0.1 has shape 10: (10 + 30) / (10 + 10) = 2
    assert CountFamily().step(30, 30, 10.0, POISSON, 0.1) == pytest.approx(math.log(2), rel=1e-6)


def test_conjugate_step_of_a_share() -> None:
    # variance 1 on the logit at m = 0.5 is worth 4 posts: mean (4 * 0.5 + 4 * 1) / 8 = 0.75
    moved = Proportions().step(1.0, 4, 0.5, BINOMIAL, 1.0)
    assert moved == pytest.approx(math.log(3), rel=1e-6)


counts = st.builds(
    Hour, st.integers(0, 100_000).map(float), st.just(0.0), st.floats(1e-3, 1e5), st.floats(0, 1)
)
shares = st.builds(
    Hour, st.floats(0, 1), st.integers(1, 10_000).map(float), st.floats(1e-4, 1 - 1e-4),
    st.floats(0, 1),
)  # fmt: skip
scatters = st.builds(Dispersion, st.just(1.0), st.floats(5e-4, 0.5))


@given(counts, scatters, st.floats(1e-6, 4))
def test_counts_in_general(hour: Hour, scatter: Dispersion, unknown: float) -> None:
    family = CountFamily()
    sigmas = surprise(family, [hour], scatter, unknown)
    assert math.isfinite(sigmas)
    assert sigmas * (hour.value - hour.mean) >= 0
    step = family.step(hour.value, hour.posts, hour.mean, scatter, unknown)
    assert math.isfinite(step)
    assert step * (hour.value - hour.mean) >= 0
    clipped = family.clip(hour.value, hour.mean, unknown)
    assert min(hour.value, hour.mean) <= clipped <= max(hour.value, hour.mean)


@given(shares, scatters, st.floats(1e-6, 4))
def test_shares_in_general(hour: Hour, scatter: Dispersion, unknown: float) -> None:
    family = Proportions()
    sigmas = surprise(family, [hour], scatter, unknown)
    assert math.isfinite(sigmas)
    assert sigmas * (hour.value - hour.mean) >= 0
    assert math.isfinite(family.step(hour.value, hour.posts, hour.mean, scatter, unknown))
    assert 0 <= family.clip(hour.value, hour.mean, unknown) <= 1
