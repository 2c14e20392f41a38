"""Hourly series of a topic: what is unusual in them and why, and what comes next. Imports no Beam.

Detection, one hour after the other: `monitor` (a topic) over `detector` (a metric), which holds
`season` (level, day, weekday, week), `families` (how counts and shares scatter) and `scatter` (how
widely). `explain` names the words of an unusual hour by `vocabulary` and `tokens`.

Forecasts, once a day or a week: `forecast` (a series) chooses by `backtest` among `forecasters`,
`seasonal_ridge` and `prophet_forecaster`, on the metric's `scales`, with bands by `calibration`
and figures by `accuracy`.
"""
