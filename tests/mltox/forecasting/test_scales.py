"""The scales keep order and domain, and undo themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.forecasting.scales import LogCounts, SmoothedLogit


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_counts_there_and_back(counts: list[int]) -> None:
    values = np.array(counts, dtype=float)
    scale = LogCounts()
    assert scale.back(scale.forward(values, values), values) == pytest.approx(values)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5000)), min_size=1, max_size=20),
    st.floats(0.01, 0.99),
)
def test_proportions_there_and_back(hours: list[tuple[float, int]], centre: float) -> None:
    values = np.array([value for value, _ in hours])
    posts = np.array([float(n) for _, n in hours])
    scale = SmoothedLogit(centre)
    there = scale.forward(values, posts)
    assert np.isfinite(there).all()
    assert scale.back(there, posts) == pytest.approx(values, abs=1e-3)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 1000))
def test_back_keeps_order_and_domain(one: float, other: float, posts: float) -> None:
    z = np.sort(np.array([one, other]))
    n = np.array([posts, posts])
    counts, shares = LogCounts().back(z, n), SmoothedLogit(0.1).back(z, n)
    assert -1 <= counts[0] <= counts[1]
    assert 0 <= shares[0] <= shares[1] <= 1


def test_a_share_by_hand() -> None:
    # (3 * 1 + 2 * 0.1) / 5 = 0.64
    z = SmoothedLogit(0.1).forward(np.array([1.0]), np.array([3.0]))
    assert z[0] == pytest.approx(np.log(0.64 / 0.36))


def test_an_unknown_hour_stays_unknown() -> None:
    unknown, none = np.array([np.nan]), np.array([0.0])
    assert np.isnan(SmoothedLogit(0.1).forward(unknown, none)).all()
    assert np.isnan(LogCounts().forward(unknown, none)).all()
