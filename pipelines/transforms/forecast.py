"""Hourly rows of a topic in, its forecasts and their backtest out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput

from mltox.forecasting.forecast import forecast_series
from mltox.posts.records import HOUR, Forecast, HourlyToxicity, Micros
from pipelines.progress import NOBODY, Progress
from pipelines.transforms.metrics import counter

ACCURACY = "forecast_accuracy"
FORECASTS = "forecasts"
METRICS = ("mean_toxicity", "toxic_share", "posts")


@dataclass(frozen=True)
class HourlySeries:
    """A topic's hours without a gap, from its first to `run_at`.

    `hours`: int64[n], µs. `values` and `weights` (scored posts an hour): float64[n]. An hour
    without a scored post has weight 0 and a NaN value, but for the metric `posts`, where it is 0.
    """

    hours: np.ndarray
    values: np.ndarray
    weights: np.ndarray


def series_of(rows: Sequence[HourlyToxicity], metric: str, run_at: Micros) -> HourlySeries:
    """Adds up the models of an hour, weighted by the posts that each scored."""
    first = min(row.hour for row in rows)
    hours = np.arange(first, run_at, HOUR, dtype=np.int64)
    posts = np.zeros(len(hours))
    weights = np.zeros(len(hours))
    sums = np.zeros(len(hours))
    for row in rows:
        index = (row.hour - first) // HOUR
        if index >= len(hours):
            continue
        posts[index] += row.posts
        value = row.mean_toxicity if metric == "mean_toxicity" else row.toxic_share
        if value is not None:
            scored = row.posts - row.posts_unscored
            weights[index] += scored
            sums[index] += scored * value
    if metric == "posts":
        return HourlySeries(hours, posts, np.ones(len(hours)))
    with np.errstate(invalid="ignore"):
        return HourlySeries(hours, sums / weights, weights)


class ForecastTopic(beam.DoFn):
    """All metrics of one topic. A pure function of its rows, so a retry writes the same."""

    def __init__(self, run_at: Micros, horizon: int, progress: Progress) -> None:
        self._progress = progress
        self._run_at = run_at
        self._horizon = horizon
        self._series = counter("series_forecast")

    def process(
        self, group: tuple[tuple[str, str], Iterable[HourlyToxicity]]
    ) -> Iterator[Forecast | TaggedOutput]:
        (topic, metric), rows = group
        series = series_of(list(rows), metric, self._run_at)
        forecasts, accuracy = forecast_series(
            topic,
            metric,
            series.hours,
            series.values,
            series.weights,
            self._run_at,
            self._horizon,
        )
        self._series.inc()
        yield from forecasts
        for row in accuracy:
            yield TaggedOutput(ACCURACY, row)
        self._progress(1)


@dataclass(eq=False)
class ForecastHours(beam.PTransform):
    """PCollection[HourlyToxicity] -> `forecasts`: Forecast, `forecast_accuracy`: ForecastAccuracy.

    `run_at` (µs) is the hour after the last one observed, `horizon` the hours ahead of it.
    """

    run_at: Micros
    horizon: int = 168
    progress: Progress = NOBODY

    def expand(self, hours: beam.PCollection[HourlyToxicity]) -> DoOutputsTuple:
        return (
            hours
            | "ByTopicAndMetric"
            >> beam.FlatMap(
                lambda row: (((row.topic, metric), row) for metric in METRICS)
            ).with_output_types(tuple[tuple[str, str], HourlyToxicity])
            | "GroupSeries" >> beam.GroupByKey()
            # Forecasting a series takes seconds, and a fused stage would do all on one worker.
            | "Spread" >> beam.Reshuffle()
            | "Forecast"
            >> beam.ParDo(ForecastTopic(self.run_at, self.horizon, self.progress)).with_outputs(
                ACCURACY, main=FORECASTS
            )
        )
