"""Rolling origins: each method forecasts weeks that are known by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from mltox.forecasting.calibration import factors, stretch
from mltox.forecasting.forecasters import Forecaster, ForecastError, History, median_of
from mltox.forecasting.scales import Floats

ENSEMBLE = "ensemble_median"


@dataclass(frozen=True)
class Backtest:
    """What each method forecast from an origin: `origin` hours of history came before."""

    origin: int
    observed: Floats
    forecasts: Mapping[str, Floats]


def origins(length: int, horizon: int, least_history: int, most: int) -> list[int]:
    """Ends of the histories, oldest first, `horizon` hours apart, the last `horizon` from the end.

    >>> origins(672, 168, 336, 3)
    [336, 504]
    """
    ends = [length - k * horizon for k in range(1, most + 1)]
    return [end for end in reversed(ends) if end >= least_history]


def forecast_all(
    forecasters: Sequence[Forecaster], history: History, horizon: int
) -> dict[str, Floats]:
    """Quantiles (horizon, 5) of every method that could forecast, and their median."""
    found: dict[str, Floats] = {}
    for method in forecasters:
        with suppress(ForecastError):
            found[method.name] = method.quantiles(history, horizon)
    if len(found) > 1:
        found[ENSEMBLE] = median_of(list(found.values()))
    return found


def run_backtests(
    forecasters: Sequence[Forecaster], history: History, ends: Sequence[int], horizon: int
) -> list[Backtest]:
    return [
        Backtest(
            end,
            history.z[end : end + horizon],
            forecast_all(forecasters, history.before(end), horizon),
        )
        for end in ends
    ]


def calibrated(backtests: Sequence[Backtest], method: str, horizon: int) -> list[Floats]:
    """Each backtest's bands, stretched by what the other backtests say: never by its own."""
    result = []
    for left_out in backtests:
        others = [test for test in backtests if test is not left_out]
        by = stretch_factors(others, method, horizon)
        result.append(stretch(left_out.forecasts[method], by))
    return result


def stretch_factors(backtests: Sequence[Backtest], method: str, horizon: int) -> Floats:
    return factors(
        [test.observed for test in backtests],
        [test.forecasts[method] for test in backtests],
        horizon,
    )


def mean_of(figures: Sequence[float]) -> float:
    """Mean of the figures that exist."""
    known = [figure for figure in figures if not np.isnan(figure)]
    return float(np.mean(known)) if known else float("nan")
