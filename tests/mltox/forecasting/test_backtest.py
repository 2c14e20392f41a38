"""Rolling origins stay in the past, and a method that fails is left out."""

from __future__ import annotations

import numpy as np
import pytest

from mltox.forecasting.backtest import origins, reach, run, usable
from mltox.forecasting.history import History
from mltox.forecasting.methods.base import ForecastError
from mltox.forecasting.methods.quantiles import FlatQuantiles
from mltox.forecasting.methods.seasonal import SeasonalNaive
from mltox.forecasting.scales import Floats
from tests.mltox.forecasting.histories import plain, waves


@pytest.mark.parametrize(
    ("length", "horizon", "expected"),
    [
        (1512, 168, [588 + 84 * k for k in range(10)]),
        (700, 168, [364, 448, 532]),
        (168, 24, [96, 120, 144]),
        (60, 24, []),
    ],
)
def test_origins(length: int, horizon: int, expected: list[int]) -> None:
    assert list(origins(length, horizon)) == expected


def test_reach_is_a_quarter_of_the_history_in_days() -> None:
    assert reach(1512, 168) == 168
    assert reach(400, 168) == 96
    assert reach(50, 168) == 24
    assert reach(5000, 12) == 12


def test_origins_need_known_hours_on_both_sides() -> None:
    z = waves(672, 0.1)
    z[:300] = np.nan
    z[500:600] = np.nan
    # 320 knows 20 hours before it, 505 none after it, 560 has eight.
    assert usable(plain(z), (320, 400, 505, 560), 48) == (400,)
    assert usable(plain(z), (560,), 60) == (560,)


class Spy:
    """Says the last value that it was shown, and keeps how much that was."""

    name = "spy"

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def path(self, history: History, horizon: int) -> Floats:
        self.lengths.append(len(history))
        return np.full(horizon, history.z[-1])


class Failing:
    name = "failing"

    def path(self, history: History, horizon: int) -> Floats:
        if len(history) < 500:
            raise ForecastError("no")
        return np.zeros(horizon)


def test_nothing_after_an_origin_is_shown() -> None:
    spy, z = Spy(), waves(672, 0.1)
    found = run([spy, FlatQuantiles()], plain(z), (300, 400), 100)
    assert spy.lengths == [672, 300, 400]
    assert found.observed.tolist() == [z[300:400].tolist(), z[400:500].tolist()]
    assert found.past["spy"].shape == (2, 100, 5)
    assert found.coming["flat_quantiles"].shape == (100, 5)


def test_a_method_that_cannot_forecast_every_origin_is_left_out() -> None:
    found = run([Failing(), SeasonalNaive()], plain(waves(672, 0.1)), (400, 500), 48)
    assert list(found.past) == list(found.coming) == ["seasonal_naive"]
