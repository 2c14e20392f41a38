"""Hourly rows of a topic in, its forecasts and their backtest out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from mltox.forecasting.adaptive import PastCoverage
from mltox.forecasting.beside import SeriesTask, forecast_task, quiet_pool
from mltox.forecasting.outages import Gap
from mltox.posts.records import HOUR, Forecast, ForecastAccuracy, HourlyToxicity, Micros
from pipelines.progress import UNHEARD, RowProgress
from pipelines.transforms.metrics import counter

ACCURACY = "forecast_accuracy"
FORECASTS = "forecasts"
FORECAST_METRICS = ("mean_toxicity", "toxic_share", "posts")


@dataclass(frozen=True)
class HourlySeries:
    """A topic's hours without a gap, from its first to `run_at`.

    `hours`: int64[n], µs. `values` and `weights` (scored posts an hour): float64[n]. An hour
    without a scored post has weight 0 and a NaN value, but for the metric `posts`, where it is 0.
    """

    hours: np.ndarray
    values: np.ndarray
    weights: np.ndarray


def hourly_series(rows: Sequence[HourlyToxicity], metric: str, run_at: Micros) -> HourlySeries:
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


@dataclass(frozen=True)
class Origin:
    """What is known of the whole warehouse where a forecast begins.

    `run_at` (µs) is the hour after the last one observed, `gaps` are outages of the whole
    collection, `outcomes` past runs by topic and metric, oldest first.
    """

    run_at: Micros
    gaps: tuple[Gap, ...] = ()
    outcomes: Mapping[tuple[str, str], tuple[PastCoverage, ...]] = field(default_factory=dict)


Made = tuple[list[Forecast], list[ForecastAccuracy]]


class ForecastTopic(beam.DoFn):
    """A metric of a topic. A pure function of its rows, so a retry writes the same.

    With more than one process a bundle's series are forecast beside each other and handed on when
    the bundle ends: a local run has all its topics in one bundle. Elsewhere the runner spreads
    them over its workers.
    """

    def __init__(
        self, origin: Origin, horizon: int, processes: int = 1, progress: RowProgress = UNHEARD
    ) -> None:
        self._progress = progress
        self._origin = origin
        self._horizon = horizon
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: list[Future[Made]] = []
        self._series = counter("series_forecast")

    def start_bundle(self) -> None:
        self._waiting = []
        if self._processes > 1 and self._pool is None:
            self._pool = quiet_pool(self._processes)

    def process(
        self, group: tuple[tuple[str, str], Iterable[HourlyToxicity]]
    ) -> Iterator[Forecast | TaggedOutput]:
        (topic, metric), rows = group
        origin = self._origin
        series = hourly_series(list(rows), metric, origin.run_at)
        task = SeriesTask(
            topic,
            metric,
            series.hours,
            series.values,
            series.weights,
            origin.run_at,
            self._horizon,
            origin.gaps,
            origin.outcomes.get((topic, metric), ()),
        )
        if self._pool is not None:
            self._waiting.append(self._pool.submit(forecast_task, task))
            return
        yield from self._outputs(forecast_task(task))

    def finish_bundle(self) -> Iterator[WindowedValue | TaggedOutput]:
        for future in self._waiting:
            for output in self._outputs(future.result()):
                if isinstance(output, TaggedOutput):
                    yield TaggedOutput(output.tag, _in_global_window(output.value))
                else:
                    yield _in_global_window(output)
        self._waiting = []

    def teardown(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _outputs(self, made: Made) -> Iterator[Forecast | TaggedOutput]:
        forecasts, accuracy = made
        self._series.inc()
        yield from forecasts
        for row in accuracy:
            yield TaggedOutput(ACCURACY, row)
        self._progress(1)


def _in_global_window(row: Forecast | ForecastAccuracy) -> WindowedValue:
    window = GlobalWindow()
    return WindowedValue(row, window.max_timestamp(), [window])


def keyed_by_series(row: HourlyToxicity) -> Iterator[tuple[tuple[str, str], HourlyToxicity]]:
    for metric in FORECAST_METRICS:
        yield (row.topic, metric), row


@dataclass(eq=False)
class ForecastHours(beam.PTransform):
    """PCollection[HourlyToxicity] -> `forecasts`: Forecast, `forecast_accuracy`: ForecastAccuracy.

    `horizon` is in hours; `processes` how many of this machine's forecast at a time.
    """

    origin: Origin
    horizon: int = 168
    processes: int = 1
    progress: RowProgress = UNHEARD

    def expand(self, hours: beam.PCollection[HourlyToxicity]) -> DoOutputsTuple:
        return (
            hours
            | "ByTopicAndMetric"
            >> beam.FlatMap(keyed_by_series).with_output_types(
                tuple[tuple[str, str], HourlyToxicity]
            )
            | "GroupSeries" >> beam.GroupByKey()
            # A series takes a third of a second, and a fused stage would do all on one worker.
            | "Spread" >> beam.Reshuffle()
            | "Forecast"
            >> beam.ParDo(
                ForecastTopic(self.origin, self.horizon, self.processes, self.progress)
            ).with_outputs(ACCURACY, main=FORECASTS)
        )
