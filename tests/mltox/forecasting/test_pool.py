"""Who says how much, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mltox.forecasting.backtest import Backtest
from mltox.forecasting.pool import pooled, relative_losses, weighted_median, weights


def flat(value: float, origins: int = 2) -> np.ndarray:
    return np.full((origins, 3, 5), value)


def test_origins_count_alike_whatever_went_on_in_them() -> None:
    # a is off by 1 and 300, b by 2 and 200: in one it loses 2/3 of b's loss, in one 3/2.
    observed = np.array([[0.0] * 3, [1000.0] * 3])
    past = {
        "a": np.stack([np.full((3, 5), 1.0), np.full((3, 5), 700.0)]),
        "b": np.stack([np.full((3, 5), 2.0), np.full((3, 5), 800.0)]),
    }
    losses = relative_losses(Backtest((10, 20), observed, past, {}))
    assert losses["a"] == pytest.approx((2 / 3 + 6 / 5) / 2)
    assert losses["b"] == pytest.approx((4 / 3 + 4 / 5) / 2)


def test_hours_and_origins_without_an_observation_are_left_out() -> None:
    observed = np.array([[1.0, np.nan, 1.0], [np.nan] * 3])
    losses = relative_losses(Backtest((1, 2), observed, {"a": flat(1.0), "b": flat(3.0)}, {}))
    assert losses == {"a": pytest.approx(0.0), "b": pytest.approx(2.0)}
    nothing = Backtest((1, 2), np.full((2, 3), np.nan), {"a": flat(1.0)}, {})
    assert relative_losses(nothing) == {"a": 1.0}


def test_weights_follow_the_loss_and_the_origins() -> None:
    few, many = (weights({"a": 1.0, "b": 1.1}, origins) for origins in (1, 10))
    assert few["a"] / few["b"] == pytest.approx(1.1**1.6)
    assert many["a"] / many["b"] == pytest.approx(1.1**16)
    assert weights({"a": 1.0, "b": 1.31}, 1) == {"a": 1.0, "b": 0.0}
    assert weights({"a": 0.0, "b": 0.0}, 5) == {"a": 0.5, "b": 0.5}


def test_one_method_gone_astray_moves_little() -> None:
    arrays_ = [np.array([1.0]), np.array([2.0]), np.array([1e9])]
    assert weighted_median(arrays_, [0.4, 0.4, 0.2])[0] == pytest.approx(1.75)


def test_pooled_leaves_out_who_has_no_weight() -> None:
    said = {"a": np.full((1, 5), 1.0), "b": np.full((1, 5), 9.0)}
    assert pooled(said, {"a": 1.0, "b": 0.0}).tolist() == [[1.0] * 5]


@given(
    st.lists(arrays(float, (4, 5), elements=st.floats(-100, 100)), min_size=1, max_size=5),
    st.data(),
)
def test_a_pool_lies_among_its_methods_and_is_ordered(
    said: list[np.ndarray], data: st.DataObject
) -> None:
    shares = data.draw(st.lists(st.floats(0.01, 1), min_size=len(said), max_size=len(said)))
    ordered = [np.sort(each, axis=1) for each in said]
    found = weighted_median(ordered, [share / sum(shares) for share in shares])
    assert (found >= np.min(ordered, axis=0) - 1e-9).all()
    assert (found <= np.max(ordered, axis=0) + 1e-9).all()
    assert (np.diff(found, axis=1) >= 0).all()
