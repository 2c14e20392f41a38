"""Where Prophet is worth its seconds.

It takes a hundred times what all other methods take together, and is the best in one series of
twenty: where a level is on its way, and the others, which know none, are off to one side again and
again. Only there it joins, over the last origins of the backtest.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from mltox.forecasting import backtest, pool
from mltox.forecasting.backtest import Backtest
from mltox.forecasting.history import WEEK_HOURS, History
from mltox.forecasting.methods.base import ForecastError, Path
from mltox.forecasting.scales import Floats

LEAST_HISTORY = 4 * WEEK_HOURS
TRIALS = 3
OFF = 0.6
"""Share of a horizon's hours above the median less the share below it, from which it is off."""


def may_win(test: Backtest, said: Floats, history: History) -> bool:
    """Whether the medians of `said` (K, h, 5) were off to the same side at the last origins.

    By the signs of errors, not their sizes: a share that is mostly 0 errs upwards alone.
    """
    if len(history) < LEAST_HISTORY or len(test.origins) < TRIALS:
        return False
    errors = test.observed[-TRIALS:] - said[-TRIALS:, :, 2]
    seen = ~np.isnan(errors)
    if not seen.any(axis=1).all():
        return False
    off = np.where(seen, np.sign(errors), 0.0).sum(axis=1) / seen.sum(axis=1)
    return bool((off >= OFF).all() or (off <= -OFF).all())


def with_prophet(
    prophet: Path, test: Backtest, losses: Mapping[str, float], history: History, horizon: int
) -> tuple[Mapping[str, Floats], dict[str, float]]:
    """What methods say now, and their losses, Prophet among them.

    It is tried at the last origins only: its loss is the best method's, times what it lost there
    over what that method lost there.
    """
    ends = test.origins[-TRIALS:]
    trial: Backtest | None = None
    with suppress(ForecastError):
        trial = backtest.run([prophet], history, ends, horizon)
    if trial is None or prophet.name not in trial.past:
        return test.coming, dict(losses)
    best = min(losses, key=lambda name: losses[name])
    both = Backtest(
        ends,
        trial.observed,
        {prophet.name: trial.past[prophet.name], best: test.past[best][-TRIALS:]},
        {},
    )
    relative = pool.relative_losses(both)
    loss = losses[best] * relative[prophet.name] / max(relative[best], 1e-12)
    return (
        {**test.coming, prophet.name: trial.coming[prophet.name]},
        {**losses, prophet.name: loss},
    )
