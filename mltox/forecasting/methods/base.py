"""What a forecasting method is: a distribution, or a path whose bands the backtest gives."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mltox.forecasting.history import History
from mltox.forecasting.scales import Floats


class ForecastError(Exception):
    """A method could not forecast this history; others may."""


@runtime_checkable
class Distribution(Protocol):
    """A method that says how the coming hours will scatter. Deterministic."""

    @property
    def name(self) -> str: ...

    def quantiles(self, history: History, horizon: int) -> Floats:
        """Array (horizon, 5) of the LEVELS, ascending, in the metric's unit.

        The history holds a known hour at least. Raises ForecastError.
        """


class Path(Protocol):
    """A method that says where the middle will be. Deterministic."""

    @property
    def name(self) -> str: ...

    def path(self, history: History, horizon: int) -> Floats:
        """Array (horizon,) on the scale of the history, for the hours after it.

        The history holds a known hour at least. Raises ForecastError.
        """


Method = Distribution | Path
