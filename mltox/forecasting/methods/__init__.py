"""The forecasting methods, a module a kind."""

from __future__ import annotations

from mltox.forecasting.history import DAY_HOURS
from mltox.forecasting.methods.autoregression import Autoregression
from mltox.forecasting.methods.base import Method
from mltox.forecasting.methods.quantiles import FadingQuantiles, FlatQuantiles, HourQuantiles
from mltox.forecasting.methods.ridge import SeasonalRidge
from mltox.forecasting.methods.seasonal import (
    AdjustedWeek,
    DailyNaive,
    SeasonalNaive,
    WeekMedian,
)

CHEAP: tuple[Method, ...] = (
    FlatQuantiles(),
    FadingQuantiles(half_life=7 * DAY_HOURS),
    HourQuantiles(half_life=14 * DAY_HOURS, reach=2),
    HourQuantiles(half_life=5 * DAY_HOURS, reach=3, name="recent_hour_quantiles"),
    HourQuantiles(half_life=28 * DAY_HOURS, reach=2, by_posts=True, name="hours_of_like_posts"),
    DailyNaive(),
    SeasonalNaive(),
    AdjustedWeek(),
    WeekMedian(),
    SeasonalRidge(),
    Autoregression(),
    Autoregression(name="autoregression_weekdays", weekdays=True),
    Autoregression(name="autoregression_daily_change", difference=DAY_HOURS),
)
"""Those that take milliseconds."""
