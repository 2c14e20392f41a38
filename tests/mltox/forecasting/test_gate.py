"""Prophet joins where others are off to one side again and again, and only there."""

from __future__ import annotations

import numpy as np

from mltox.forecasting.backtest import Backtest, origins, run
from mltox.forecasting.gate import may_win, with_prophet
from mltox.forecasting.history import History
from mltox.forecasting.methods.base import ForecastError
from mltox.forecasting.methods.quantiles import FlatQuantiles
from mltox.forecasting.methods.seasonal import DailyNaive
from mltox.forecasting.pool import relative_losses
from mltox.forecasting.scales import Floats
from tests.mltox.forecasting.histories import plain, waves


def trial_of(errors: np.ndarray) -> tuple[Backtest, Floats]:
    said = np.zeros((*errors.shape, 5))
    return Backtest(tuple(range(len(errors))), errors, {}, {}), said


def test_off_to_one_side_three_times() -> None:
    history = plain(np.zeros(800))
    always = np.ones((4, 24))
    assert may_win(*trial_of(always), history)
    assert not may_win(*trial_of(always * np.array([[1], [1], [-1], [1]])), history)
    assert not may_win(*trial_of(always * np.where(np.arange(24) % 2, 1, -1)), history)
    assert not may_win(*trial_of(always), plain(np.zeros(600)))
    assert not may_win(*trial_of(np.zeros((4, 24))), history)


class Knowing:
    """Knows the future of the waves below."""

    name = "prophet"

    def path(self, history: History, horizon: int) -> Floats:
        return waves(2000, 0.0)[len(history) : len(history) + horizon]


class Failing(Knowing):
    def path(self, history: History, horizon: int) -> Floats:
        raise ForecastError("no")


def test_it_is_judged_by_the_origins_it_was_tried_at() -> None:
    history = plain(waves(1000, 0.01))
    test = run([FlatQuantiles(), DailyNaive()], history, origins(1000, 168), 168)
    losses = relative_losses(test)
    said, found = with_prophet(Knowing(), test, losses, history, 168)
    assert found["prophet"] < 0.3 * min(losses.values())
    assert said["prophet"].shape == (168, 5)
    said, found = with_prophet(Failing(), test, losses, history, 168)
    assert found == losses
    assert said == test.coming
