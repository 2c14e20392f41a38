"""Which forecasts a page may draw, and why there is none where it may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dashboards.queries import PAGE_METRICS, Hour
from mltox.detection.gaps import HourSpan
from mltox.forecasting.series import history_of, why_not
from mltox.posts.records import Forecast, Micros

NOT_RUN = "no forecast: none was made, `mltox forecast` makes one"
FORECAST_IS_OVER = "no forecast: the last one is over, `mltox forecast` makes another"


class Foreseen(NamedTuple):
    """Rows to draw; by metric, why there are none."""

    rows: list[Forecast]
    why_not: dict[str, str]


def foreseen(
    forecasts: Sequence[Forecast], hours: Sequence[Hour], now: Micros, gaps: Sequence[HourSpan] = ()
) -> Foreseen:
    """One topic's. A forecast that the history up to `now` does not carry any more (the topic has
    ended) is not drawn, whatever the warehouse holds, nor one that lies in the past."""
    rows: list[Forecast] = []
    reasons: dict[str, str] = {}
    for metric in PAGE_METRICS:
        mine = [row for row in forecasts if row.metric == metric]
        reason = _reason(metric, hours, now, gaps)
        if reason is None and not mine:
            reason = NOT_RUN
        if reason is None and all(row.hour < now for row in mine):
            reason = FORECAST_IS_OVER
        if reason is None:
            rows += mine
        else:
            reasons[metric] = reason
    return Foreseen(rows, reasons)


def _reason(
    metric: str, hours: Sequence[Hour], now: Micros, gaps: Sequence[HourSpan]
) -> str | None:
    known = [hour for hour in hours if hour.hour < now]
    if not known:
        return why_not(None)
    values = [getattr(hour, metric) for hour in known]
    history = history_of(
        metric,
        np.array([hour.hour for hour in known], dtype=np.int64),
        np.array([np.nan if value is None else float(value) for value in values]),
        np.array([float(hour.posts - hour.posts_unscored) for hour in known]),
        now,
        tuple((gap.start, gap.end) for gap in gaps),
    )
    return why_not(history)
