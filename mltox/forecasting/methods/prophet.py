"""Prophet, held still: seeded, quiet, on a history of bounded length, its trend damped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from mltox.forecasting.history import WEEK_HOURS, History
from mltox.forecasting.methods.base import ForecastError
from mltox.forecasting.scales import Floats
from mltox.posts.records import HOUR

PROPHET_HISTORY = 9 * WEEK_HOURS
CHANGEPOINTS = 10
DAMPING = 0.985
"""Part of the trend's slope that is left after each hour ahead: half of it after two days."""
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

    On the history's scale (log of counts, logit of shares). The trend goes on damped, and the last
    residual fades as an autoregression of order 1 does. The week's shape needs two weeks of
    history. `country` (ISO 3166, such as US) adds its holidays.
    """

    country: str | None = None
    name: str = "prophet"

    def path(self, history: History, horizon: int) -> Floats:
        # Imported late: they take seconds, and most series need neither.
        import pandas as pd
        from prophet import Prophet

        recent = history.last(PROPHET_HISTORY)
        stamps = pd.to_datetime(
            recent.start + HOUR * np.arange(len(recent) + horizon), unit="us"
        ).as_unit("ns")
        whole = pd.DataFrame({"ds": stamps})
        frame = whole.iloc[: len(recent)].assign(y=recent.z).dropna()
        weeks = len(recent) >= 2 * WEEK_HOURS
        model = Prophet(
            growth="linear" if weeks else "flat",
            n_changepoints=CHANGEPOINTS,
            yearly_seasonality=False,
            weekly_seasonality=weeks,
            daily_seasonality=True,
            uncertainty_samples=0,
        )
        if self.country:
            model.add_country_holidays(self.country)
        for logger in LOGGERS:  # cmdstanpy sets its level anew, but keeps its filters
            logging.getLogger(logger).addFilter(_silent)
        with _seeded(SEED):
            try:
                model.fit(frame, seed=SEED)
            except (RuntimeError, ValueError) as error:  # no optimum; less than two rows
                raise ForecastError(f"prophet: {error}") from error
            said = model.predict(whole)
        return _continued(said["yhat"].to_numpy(), said["trend"].to_numpy(), recent.z)


def _continued(said: Floats, trend: Floats, z: Floats) -> Floats:
    """The hours after `z` (n,), with the trend damped and the last residual fading."""
    n = len(z)
    ahead = np.arange(1, len(said) - n + 1)
    residuals = z - said[:n]
    seen = ~np.isnan(residuals)
    pairs = seen[1:] & seen[:-1]
    before, after = residuals[:-1][pairs], residuals[1:][pairs]
    power = float(before @ before)
    keep = min(max(float(before @ after) / power, 0.0), 0.99) if power > 0 else 0.0
    last = float(residuals[seen][-1]) if seen.any() else 0.0
    slope = np.diff(trend)[n - 1 :]
    damped = np.cumsum(slope * DAMPING**ahead) + trend[n - 1]
    return np.asarray(said[n:] - trend[n:] + damped + last * keep**ahead)
