"""Prophet, held still: seeded, quiet, on a history of bounded length."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mltox.forecasting.forecasters import LEVELS, WEEK_HOURS, ForecastError, History
from mltox.forecasting.scales import Floats
from mltox.posts.records import HOUR

LONGEST_HISTORY = 9 * WEEK_HOURS
CHANGEPOINTS = 10
SAMPLES = 400
SEED = 20240229
LOGGERS = ("cmdstanpy", "prophet", "prophet.models")


def _silent(record: logging.LogRecord) -> bool:
    """cmdstan calls it an error when L-BFGS gives up, and Prophet then goes on with Newton."""
    return record.levelno > logging.ERROR


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Prophet samples from NumPy's global generator; it is given back as it was."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


@dataclass(frozen=True)
class ProphetForecaster:
    """Taylor, Letham (2018), Forecasting at scale: trend with changepoints, day and week.

    The week's shape needs two weeks of history. Intervals are quantiles of predictive samples.
    """

    name: str = "prophet"

    def quantiles(self, history: History, horizon: int) -> Floats:
        from prophet import Prophet  # imported late: it takes seconds, and detection needs none

        recent = history.last(LONGEST_HISTORY)
        stamps = pd.to_datetime(
            recent.start + HOUR * np.arange(len(recent) + horizon), unit="us"
        ).as_unit("ns")
        frame = pd.DataFrame({"ds": stamps[: len(recent)], "y": recent.z}).dropna()
        model = Prophet(
            growth="linear" if len(recent) >= 2 * WEEK_HOURS else "flat",
            n_changepoints=CHANGEPOINTS,
            yearly_seasonality=False,
            weekly_seasonality=len(recent) >= 2 * WEEK_HOURS,
            daily_seasonality=True,
            uncertainty_samples=SAMPLES,
        )
        for logger in LOGGERS:  # cmdstanpy sets its level anew, but keeps its filters
            logging.getLogger(logger).addFilter(_silent)
        with _seeded(SEED):
            try:
                model.fit(frame, seed=SEED)
            except (RuntimeError, ValueError) as error:  # no optimum; less than two rows
                raise ForecastError(f"prophet: {error}") from error
            ahead = pd.DataFrame({"ds": stamps[len(recent) :]})
            samples = model.predictive_samples(ahead)["yhat"]
        return np.asarray(np.quantile(samples, LEVELS, axis=1).T)
